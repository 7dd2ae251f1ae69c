// Makes containers of any image: pulled where the rules say so, created and addressed, but not initialised.

import { join } from "node:path";
import type { ContainerOrder, Interior, Remains } from "../interior.ts";
import type { Clock, ImageFactory } from "../machine.ts";
import { type Endpoint, proxyPort } from "../proxy/http.ts";
import { StartGate } from "../starts.ts";
import { type Alarm, within } from "../time.ts";
import type { Image } from "../types.ts";
import { type ContainerFacts, defaultEngineTimeouts, Engine, type EngineTimeouts } from "./engine.ts";
import { DockerError } from "./errors.ts";
import { DockerInterior } from "./interior.ts";
import { JsonFile } from "./json-file.ts";
import { containerBody, containerName, type DockerArguments, isLatest, namePrefix } from "./options.ts";
import { type OnReach, silentError } from "./questions.ts";
import { Removals } from "./removals.ts";
import type { VigilSettings } from "./vigil.ts";

export interface DockerFactoryOptions extends DockerArguments {
  /** Docker's socket. */
  readonly socketPath: string;
  /** `wsk<uniqueName><N>`, which invokers of different names may have in common. */
  readonly namePrefix: string;
  /** In a label of each container: two invokers that use one Docker at the same time must not have the same. Absent: the prefix. */
  readonly owner?: string;
  /** `whisk.docker.client.parallel-runs`; 0: as many as are wanted. */
  readonly parallelRuns: number;
  /** `whisk.container-proxy.timeouts.pause-grace`. */
  readonly pauseGraceMs: number;
  /** How it is looked whether those that are made ahead still listen; absent: not at all. */
  readonly vigil?: VigilSettings | undefined;
  readonly timeouts?: EngineTimeouts;
  /** Where the action proxies listen; absent: where stock's images do. */
  readonly port?: number;
  /** Where this process sees Docker's folder `containers`; absent: under the path that Docker tells. */
  readonly containersFolder?: string | undefined;
  readonly clock: Clock;
  readonly onReach?: OnReach;
  /** How often a Docker that did not answer is looked for, so that what a former life left does not stay for want of a job. */
  readonly lookAgainMs?: number;
  /** For tests: how long Docker may keep back what has happened to a container. */
  readonly newsMs?: number;
  /** For tests. */
  readonly alarm?: Alarm;
}

const usualLookAgainMs = 5000;
/** All containers together, at the start and at the end. */
const removalLimitMs = 30_000;
const noSuchImage = 404;
const nameInUse = 409;
const namesTried = 20;
const ownerLabel = "rewhisk.invoker";
/** What `docker run` exits with, and Docker notes as the container's exit code, where there is no such program. */
const notExecutable = 127;

type Order = ContainerOrder & { readonly image: Image };

class DockerFactory implements ImageFactory {
  readonly #options: DockerFactoryOptions;
  readonly #engine: Engine;
  readonly #removals: Removals;
  readonly #runs: StartGate;
  /** The number in the last name given, in this life or a former one. */
  #lastNumber = 0;
  /** What a former life left is known; what of it cannot be removed keeps nobody from work. */
  #isListed: boolean = false;
  #leftoversGone: Promise<void> | undefined;
  #lookAgain: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;
  #onSilence: () => void = () => undefined;

  constructor(options: DockerFactoryOptions) {
    const { socketPath, timeouts = defaultEngineTimeouts, onReach, alarm } = options;
    this.#options = options;
    this.#engine = new Engine(socketPath, timeouts, { onReach, alarm, onSilence: () => this.#onSilence() });
    this.#removals = new Removals(this.#engine);
    this.#runs = new StartGate(this.parallelStarts);
    // Refuses unfit extra arguments before there is a container to make.
    containerBody("", options.userMemoryMB, options);
  }

  get isThere(): boolean {
    return this.#engine.isThere;
  }

  get isSilent(): boolean {
    return this.#engine.isSilent;
  }

  follow(onSilence: () => void): void {
    this.#onSilence = onSilence;
  }

  get #owner(): string {
    return this.#options.owner ?? this.#options.namePrefix;
  }

  get parallelStarts(): number {
    return this.#options.parallelRuns === 0 ? Number.POSITIVE_INFINITY : this.#options.parallelRuns;
  }

  async create(
    order: Order,
    hasRoom: () => boolean = () => true,
    onRemains: (remains: Remains) => void = abandon,
  ): Promise<Interior> {
    if (this.#closed !== undefined) throw new DockerError("closed", "no more containers are made");
    await this.removeLeftovers().catch((fault: unknown) => {
      if (!this.#isListed) throw fault;
    });
    const { image } = order;
    const pullFault = image.pull ? await this.#pullFault(image.name) : undefined;
    await this.#runs.enter();
    try {
      if (this.#engine.isSilent && !this.isThere) throw silentError(`run ${image.name}`);
      return await this.#run(order, hasRoom, onRemains);
    } catch (fault) {
      // A tag that is there already will do, if it runs.
      throw pullFault ?? fault;
    } finally {
      this.#runs.leave();
    }
  }

  removeLeftovers(): Promise<void> {
    this.#leftoversGone ??= this.#removeAll().catch((fault: unknown) => {
      if (!this.#isListed) {
        this.#leftoversGone = undefined;
        this.#removeLeftoversLater();
      }
      throw fault;
    });
    return this.#leftoversGone;
  }

  #removeLeftoversLater(): void {
    if (this.#closed !== undefined) return;
    clearTimeout(this.#lookAgain);
    const { lookAgainMs = usualLookAgainMs } = this.#options;
    const look = (): void => void this.removeLeftovers().catch(() => undefined);
    this.#lookAgain = setTimeout(look, lookAgainMs).unref();
  }

  giveUp(): void {
    this.#removals.stop();
    this.#engine.giveUp();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#lookAgain);
    this.#removals.stop();
    if (this.#lastNumber > 0) await this.#removeAll();
  }

  async #removeAll(): Promise<void> {
    const prefix = namePrefix(this.#options.namePrefix);
    const listed = await this.#engine.list(prefix);
    for (const { name } of listed) {
      this.#lastNumber = Math.max(this.#lastNumber, Number.parseInt(name.slice(prefix.length), 10) || 0);
    }
    this.#isListed = true;
    // Those without a label are of a stock invoker in whose place this one is.
    const found = listed.filter(({ labels }) => (labels[ownerLabel] ?? this.#owner) === this.#owner);
    const removals = found.map(async ({ id, isPaused }) => {
      if (isPaused) await this.#engine.unpause(id).catch(() => undefined);
      await this.#removals.remove(id);
    });
    if ((await within(removalLimitMs, Promise.all(removals))) !== undefined) return;
    const why = `${found.length} containers are not removed after ${removalLimitMs} ms`;
    throw new DockerError("timeout", `${why}: docker rm -f ${found.map(({ name }) => name).join(" ")}`);
  }

  /** Throws at once where only the newest will do. */
  async #pullFault(image: string): Promise<unknown> {
    try {
      await this.#engine.pull(image);
      return undefined;
    } catch (fault) {
      if (isLatest(image)) throw fault;
      return fault;
    }
  }

  /** As `docker run` does: create and start. What has not been asked to start needs no memory. */
  async #run(order: Order, hasRoom: () => boolean, onRemains: (remains: Remains) => void): Promise<Interior> {
    const { image } = order;
    const { name, dockerId } = await this.#createNamed(order);
    if (!hasRoom()) {
      this.#removals.removeLater(dockerId);
      throw new DockerError("no-room", `${name}: others have been given its memory`);
    }
    try {
      await this.#start(dockerId, image.name);
      const facts = await this.#engine.inspect(dockerId);
      const endpoint = this.#endpointOf(name, facts);
      return this.#interior(order, { dockerId, name, endpoint, logPath: facts.logPath });
    } catch (fault) {
      onRemains({ id: name, destroy: (onStuck) => this.#removals.untilGone(dockerId, onStuck) });
      throw fault;
    }
  }

  /** Another invoker's container may have the name: then under the next. */
  async #createNamed(order: Order): Promise<{ readonly name: string; readonly dockerId: string }> {
    const { kind, image, memoryMB, label = kind } = order;
    for (let tries = 1; ; tries++) {
      const name = containerName(this.#options.namePrefix, ++this.#lastNumber, label);
      try {
        return { name, dockerId: await this.#create(name, image.name, memoryMB) };
      } catch (fault) {
        const isTaken = fault instanceof DockerError && fault.status === nameInUse;
        if (!isTaken || tries === namesTried) throw fault;
      }
    }
  }

  /** A managed image is there; else it is brought once, as `docker run` would. */
  async #create(name: string, image: string, memoryMB: number): Promise<string> {
    const plain = containerBody(image, memoryMB, this.#options);
    const body = { ...plain, Labels: { ...plain.Labels, [ownerLabel]: this.#owner } };
    const create = (): Promise<string> =>
      this.#engine.create(name, body, (id) => this.#removals.removeLater(id));
    try {
      return await create();
    } catch (fault) {
      if (!(fault instanceof DockerError) || fault.status !== noSuchImage) throw fault;
      await this.#engine.pull(image, this.#engine.timeouts.runMs).catch((cause: unknown) => {
        throw new DockerError("refused", `${image} is not there and cannot be pulled`, { cause });
      });
      return await create();
    }
  }

  async #start(dockerId: string, image: string): Promise<void> {
    try {
      await this.#engine.start(dockerId);
    } catch (cause) {
      const { exitCode } = await this.#engine.inspect(dockerId);
      if (exitCode !== notExecutable) throw cause;
      throw new DockerError("no-executable", `executable file not found in image ${image}`, { cause });
    }
  }

  #endpointOf(name: string, { addresses }: ContainerFacts): Endpoint {
    const { network, port = proxyPort } = this.#options;
    const host = addresses.get(network) ?? "";
    if (host !== "") return { host, port };
    throw new DockerError("no-address", `${name} has no address in the network ${network}`);
  }

  #interior(
    { image, memoryMB }: Order,
    made: { readonly dockerId: string; readonly name: string; readonly endpoint: Endpoint; logPath: string },
  ): Interior {
    const { collectsLogs, containersFolder, pauseGraceMs, vigil, newsMs, clock } = this.#options;
    const { dockerId, logPath } = made;
    const path =
      containersFolder === undefined ? logPath : join(containersFolder, dockerId, `${dockerId}-json.log`);
    return new DockerInterior({
      ...{ dockerId, name: made.name, memoryMB, endpoint: made.endpoint },
      ...{ output: collectsLogs ? new JsonFile(path) : undefined, sentinelled: image.sentinelled },
      ...{ pauseGraceMs, vigil, newsMs, engine: this.#engine, removals: this.#removals, clock },
    });
  }
}

/** Has it destroyed, for whom nobody waits. */
function abandon(remains: Remains): void {
  remains.destroy(() => undefined).catch(() => undefined);
}

/** Connects to nothing yet. Throws DockerError `arguments`. */
export function createDockerFactory(options: DockerFactoryOptions): ImageFactory {
  return new DockerFactory(options);
}
