// The one door to Docker's API: each call has a time limit of its own, and fails with a code.

import { createRequire } from "node:module";
import { addAbortSignal, type Readable } from "node:stream";
import type Docker from "dockerode";
import { DockerError } from "./errors.ts";
import { type Hearing, longestMs, Questions } from "./questions.ts";

/** `whisk.docker.client.timeouts.*`, in milliseconds. */
export interface EngineTimeouts {
  readonly runMs: number;
  readonly removeMs: number;
  readonly pullMs: number;
  readonly listMs: number;
  readonly inspectMs: number;
  readonly pauseMs: number;
  readonly unpauseMs: number;
}

export const defaultEngineTimeouts: EngineTimeouts = {
  ...{ runMs: 60_000, removeMs: 60_000, pullMs: 600_000, listMs: 60_000 },
  ...{ inspectMs: 60_000, pauseMs: 10_000, unpauseMs: 10_000 },
};

/** What Docker is asked to create. */
export type ContainerBody = Docker.ContainerCreateOptions;

export interface ContainerFacts {
  readonly isRunning: boolean;
  readonly exitCode: number;
  /** The kernel has killed one of its processes for want of memory. */
  readonly isOomKilled: boolean;
  /** Where the engine keeps its output, as the engine sees it. */
  readonly logPath: string;
  /** By network; empty where it has none. */
  readonly addresses: ReadonlyMap<string, string>;
}

export interface ContainerName {
  readonly id: string;
  readonly name: string;
  readonly isPaused: boolean;
  readonly labels: { readonly [name: string]: string | undefined };
}

const requireHere = createRequire(import.meta.url);

/** A start waits no longer for a Docker that hangs. */
const firstAnswerMs = 10_000;
const gone = 404;

export class Engine {
  readonly #socketPath: string;
  #loaded: Docker | undefined;
  readonly timeouts: EngineTimeouts;
  readonly #pulls = new Map<string, Promise<void>>();
  readonly #questions: Questions;

  /** Connects to nothing yet. */
  constructor(socketPath: string, timeouts: EngineTimeouts, hearing: Hearing = {}) {
    this.#socketPath = socketPath;
    this.timeouts = timeouts;
    this.#questions = new Questions(socketPath, hearing);
  }

  /** False: nobody could be asked. Docker may come at any time. */
  get hasSocket(): boolean {
    return this.#questions.hasSocket;
  }

  /** False: nobody could be asked, or somebody is asking and has no answer. */
  get isThere(): boolean {
    return this.hasSocket && !this.#questions.isAskedInVain;
  }

  /** It has been asked, and has answered nothing for too long. */
  get isSilent(): boolean {
    return this.#questions.isSilent;
  }

  /** dockerode costs a third of a second: loaded when it is first used. Without the empty host DOCKER_HOST would win. */
  get #docker(): Docker {
    this.#loaded ??= new (requireHere("dockerode") as typeof Docker)({
      socketPath: this.#socketPath,
      host: "",
    });
    return this.#loaded;
  }

  /** Nobody waits any more: what is under way, and all that is asked from now on, fails with `closed`. */
  giveUp(): void {
    this.#questions.giveUp();
  }

  /** Gives the id. Status 404: the image is not there. `onLate` is told of one that was made after all, when nobody waits any more. */
  async create(name: string, body: ContainerBody, onLate: (id: string) => void): Promise<string> {
    const container = await this.#questions.ask(
      {
        ...{ what: `create ${name}`, limitMs: this.timeouts.runMs, isPrompt: true },
        onLate: ({ id }) => onLate(id),
      },
      // Else dockerode puts all of the body into the address as well.
      () => this.#docker.createContainer({ _query: { name }, _body: body } as ContainerBody),
    );
    return container.id;
  }

  async start(id: string): Promise<void> {
    await this.#questions.ask(
      { what: `start ${id}`, limitMs: this.timeouts.runMs, isPrompt: true },
      (abortSignal) => this.#docker.getContainer(id).start({ abortSignal }),
    );
  }

  async inspect(id: string, limitMs: number = this.timeouts.inspectMs): Promise<ContainerFacts> {
    const { State, LogPath, NetworkSettings } = await this.#questions.ask(
      { what: `inspect ${id}`, limitMs, isPrompt: true },
      (abortSignal) => this.#docker.getContainer(id).inspect({ abortSignal }),
    );
    const networks = Object.entries(NetworkSettings.Networks ?? {});
    return {
      isRunning: State.Running,
      exitCode: State.ExitCode,
      isOomKilled: State.OOMKilled,
      logPath: LogPath,
      addresses: new Map(networks.map(([network, { IPAddress }]) => [network, IPAddress])),
    };
  }

  async pause(id: string): Promise<void> {
    await this.#questions.ask({ what: `pause ${id}`, limitMs: this.timeouts.pauseMs }, (abortSignal) =>
      this.#docker.getContainer(id).pause({ abortSignal }),
    );
  }

  async unpause(id: string): Promise<void> {
    await this.#questions.ask({ what: `unpause ${id}`, limitMs: this.timeouts.unpauseMs }, (abortSignal) =>
      this.#docker.getContainer(id).unpause({ abortSignal }),
    );
  }

  /**
   * By id or name, whatever its state but paused, with the volumes that are its own. No error if there is none. Status 409: it
   * is being removed already, and not gone.
   */
  async remove(id: string): Promise<void> {
    try {
      await this.#questions.ask({ what: `remove ${id}`, limitMs: this.timeouts.removeMs }, (abortSignal) =>
        this.#docker.getContainer(id).remove({ force: true, v: true, abortSignal }),
      );
    } catch (error) {
      if ((error as DockerError).status !== gone) throw error;
    }
  }

  /** Containers in any state whose name begins so. */
  async list(prefix: string): Promise<ContainerName[]> {
    const found = await this.#questions.ask(
      { what: `list ${prefix}`, limitMs: this.timeouts.listMs, isPrompt: true },
      (abortSignal) => this.#docker.listContainers({ all: true, filters: { name: [prefix] }, abortSignal }),
    );
    return found
      .map(({ Id, Names, State, Labels }) => ({
        id: Id,
        name: (Names[0] ?? "").replace(/^\//, ""),
        isPaused: State === "paused",
        labels: Labels ?? {},
      }))
      .filter(({ name }) => name.startsWith(prefix));
  }

  /** `sha256:…`; undefined: there is no image of that name. */
  async imageId(name: string): Promise<string | undefined> {
    const limitMs = Math.min(this.timeouts.inspectMs, firstAnswerMs);
    try {
      const { Id } = await this.#questions.ask({ what: `inspect ${name}`, limitMs }, () =>
        this.#docker.getImage(name).inspect(),
      );
      return Id;
    } catch (error) {
      if ((error as DockerError).status === gone) return undefined;
      throw error;
    }
  }

  /** The archive of one image, as `docker save` writes it. It must be read at once, within the time of a pull. */
  async saveImage(id: string): Promise<AsyncIterable<Uint8Array>> {
    const limitMs = Math.min(this.timeouts.pullMs, longestMs);
    const archive = await this.#questions.ask({ what: `save ${id}`, limitMs }, () =>
      this.#docker.getImage(id).get(),
    );
    return addAbortSignal(AbortSignal.timeout(limitMs), archive as Readable);
  }

  /** Asked for again while it is under way, an image is pulled once. Throws `pull-failed`. */
  pull(image: string, limitMs: number = this.timeouts.pullMs): Promise<void> {
    const underWay = this.#pulls.get(image);
    if (underWay !== undefined) return underWay;
    const pull = this.#pull(image, limitMs).finally(() => this.#pulls.delete(image));
    this.#pulls.set(image, pull);
    return pull;
  }

  async #pull(image: string, limitMs: number): Promise<void> {
    try {
      await this.#questions.ask({ what: `pull ${image}`, limitMs }, async (abortSignal) => {
        const progress = await this.#docker.pull(image, { abortSignal });
        abortSignal.addEventListener("abort", () => (progress as unknown as { destroy(): void }).destroy());
        await new Promise<void>((resolve, reject) => {
          this.#docker.modem.followProgress(progress, (error: Error | null, steps: { error?: string }[]) => {
            const failed = steps.find((step) => step.error !== undefined);
            if (error === null && failed === undefined) resolve();
            else reject(error ?? new Error(failed?.error));
          });
        });
      });
    } catch (cause) {
      throw new DockerError("pull-failed", `${(cause as Error).message}: is the image's name right?`, {
        cause,
      });
    }
  }
}
