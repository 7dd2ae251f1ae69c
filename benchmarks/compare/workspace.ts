// A package of the comparison's own in a namespace, with all its actions: made at the beginning, gone at the end.

import { controlsInFlight, type Endpoint, EndpointError, errorText } from "./endpoint.ts";

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

const [conflict, absent] = [409, 404];
const namesTried = 100;
const timeoutMs = 60_000;

export class Workspace {
  readonly package: string;
  readonly #endpoint: Endpoint;
  readonly #options: WorkspaceOptions;
  /** Those that may be there: also one whose answer was lost. */
  readonly #names = new Set<string>();

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

  /** Creates actions, some at a time. Throws EndpointError. */
  async put(drafts: readonly Draft[]): Promise<void> {
    const { memoryMB, signal } = this.#options;
    await eachOf(drafts, async ({ name, kind, code }) => {
      signal.throwIfAborted();
      this.#names.add(name);
      const limits = { memory: memoryMB, timeout: timeoutMs };
      const body = { namespace: "_", name, exec: { kind, code }, limits };
      const answer = await this.#endpoint.send("PUT", `${this.#actionUrl(name)}?overwrite=false`, { body });
      if (answer.status === 200) return;
      const what = `The action ${this.package}/${name} cannot be created: ${errorText(answer)}`;
      throw new EndpointError(this.#endpoint.side, "refused", what);
    });
  }

  /** Where its activations are asked for. */
  invocationPath(name: string): string {
    return this.#endpoint.pathOf(`${this.#actionUrl(name)}?blocking=true`);
  }

  /** Removes it all. Resolves with what is left and why; undefined where nothing is. */
  async clear(): Promise<string | undefined> {
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
