// A package of the comparison's own in a namespace, with all its actions: made at the beginning, gone at the end.

import { controlsInFlight, type Endpoint, EndpointError, errorText, keyRefused } from "./endpoint.ts";

/** An action as it is to be. */
export interface Draft {
  readonly name: string;
  readonly kind: string;
  readonly code: string;
}

export interface WorkspaceOptions {
  /** What the package's name begins with. */
  readonly prefix: string;
  /** Of each action. */
  readonly memoryMB: number;
  /** No more actions are created then. */
  readonly signal: AbortSignal;
}

const [conflict, absent, unauthorized] = [409, 404, 401];
const namesTried = 100;
const timeoutMs = 60_000;

export class Workspace {
  readonly package: string;
  readonly #endpoint: Endpoint;
  readonly #options: WorkspaceOptions;
  /** Those that may be there: also one whose answer was lost. */
  readonly #names = new Set<string>();
  readonly #underWay = new Set<Promise<void>>();
  /** Aborted: what has not been created by now is not waited for any longer. */
  readonly #late = new AbortController();

  private constructor(endpoint: Endpoint, name: string, options: WorkspaceOptions) {
    this.package = name;
    this.#endpoint = endpoint;
    this.#options = options;
  }

  /** A package under a name that nobody has in that namespace. Throws EndpointError. */
  static async open(endpoint: Endpoint, options: WorkspaceOptions): Promise<Workspace> {
    const { side } = endpoint;
    const { prefix } = options;
    for (let number = 1; number <= namesTried; number++) {
      // Both sides may be the same namespace.
      const name = `${prefix}-${side}-${number}`;
      const answer = await endpoint.send("PUT", `${packageUrl(name)}?overwrite=false`, { body: {} });
      if (answer.status === 200) return new Workspace(endpoint, name, options);
      if (answer.status !== conflict) {
        throw new EndpointError(
          side,
          "refused",
          `The package ${name} cannot be created: ${errorText(answer)}`,
        );
      }
    }
    const remedy = "delete those of earlier runs, or choose another --prefix";
    throw new EndpointError(
      side,
      "refused",
      `The packages ${prefix}-${side}-1 to -${namesTried} are there: ${remedy}`,
    );
  }

  /** Creates actions, some at a time. Throws EndpointError, and at once the signal's reason: `clear` waits for those under way. */
  async put(drafts: readonly Draft[]): Promise<void> {
    const { signal } = this.#options;
    const creation = eachOf(drafts, async (draft) => {
      signal.throwIfAborted();
      this.#names.add(draft.name);
      await this.#create(draft);
    });
    const ended = (): void => void this.#underWay.delete(creation);
    this.#underWay.add(creation);
    creation.then(ended, ended);
    await unlessAborted(creation, signal);
  }

  async #create({ name, kind, code }: Draft): Promise<void> {
    const limits = { memory: this.#options.memoryMB, timeout: timeoutMs };
    const body = { namespace: "_", name, exec: { kind, code }, limits };
    const url = `${this.#actionUrl(name)}?overwrite=false`;
    const answer = await this.#endpoint.send("PUT", url, { body, signal: this.#late.signal });
    if (answer.status === 200) return;
    const { side } = this.#endpoint;
    if (answer.status === unauthorized) throw keyRefused(side, errorText(answer));
    const what = `The action ${this.package}/${name} cannot be created: ${errorText(answer)}`;
    throw new EndpointError(side, "refused", what);
  }

  /** Where its activations are asked for. */
  invocationPath(name: string): string {
    return this.#endpoint.pathOf(`${this.#actionUrl(name)}?blocking=true`);
  }

  /** Removes it all. Resolves with what is left and why; undefined where nothing is. */
  async clear(): Promise<string | undefined> {
    // An action that is still being created would come after its removal.
    const late = setTimeout(() => this.#late.abort(), this.#endpoint.limitMs);
    await Promise.allSettled(this.#underWay);
    clearTimeout(late);
    const total = this.#names.size + 1;
    let removed = 0;
    const remove = async (url: string): Promise<void> => {
      const answer = await this.#endpoint.send("DELETE", url);
      if (answer.status !== 200 && answer.status !== absent) throw new Error(errorText(answer));
      removed++;
    };
    try {
      await eachOf([...this.#names], (name) => remove(this.#actionUrl(name)));
      await remove(packageUrl(this.package));
      return undefined;
    } catch (error) {
      const { side } = this.#endpoint;
      const left = `${total - removed} of ${total} entities of the package ${this.package}`;
      return `${left} are left in ${side}: ${(error as Error).message}.`;
    }
  }

  #actionUrl(name: string): string {
    return `/api/v1/namespaces/_/actions/${this.package}/${name}`;
  }
}

function packageUrl(name: string): string {
  return `/api/v1/namespaces/_/packages/${name}`;
}

/** What the work comes to, or the signal's reason where that is earlier. */
async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  let stop = (): void => undefined;
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener("abort", stop);
  });
  try {
    await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Some at a time; the first failure ends it, when those that are under way have ended. */
async function eachOf<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined && failures.length === 0; item = waiting.shift()) {
      await work(item).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: controlsInFlight }, worker));
  if (failures.length > 0) throw failures[0];
}
