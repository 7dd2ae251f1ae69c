// Makes lean containers: a runtime of this machine in namespaces, cgroups and a file system of its own.

import { randomBytes } from "node:crypto";
import { closeSync, constants, openSync, readFileSync, writeSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { join } from "node:path";
import {
  type Place,
  RestorerError,
  scratchPath,
  startLean,
  type Waiting,
  type WaitingProcess,
} from "../../restorer/index.ts";
import { digestOf, type Facts, ownDigest, treeDigest } from "../fingerprint.ts";
import type { Checkpoint } from "../machine.ts";
import type { MemoryGroup } from "../memory.ts";
import type { Channel } from "../proxy/channel.ts";
import { within } from "../time.ts";
import { Blank, type Held } from "./blank.ts";
import { CgroupTree } from "./cgroup-tree.ts";
import { ContainerCgroups, cpuSharesFor, removeLeftover } from "./cgroups.ts";
import { ContainerNetwork } from "./container-network.ts";
import { isScarcity, LeanError } from "./errors.ts";
import { compileFilter, openFilter, removeFilters } from "./filter-file.ts";
import { Guard } from "./guard.ts";
import type { Interpreter } from "./interpreters.ts";
import type { Launcher } from "./launcher.ts";
import { type Counts, MadeAhead } from "./made-ahead.ts";
import { Network, type NetworkSettings, removeNetwork } from "./network.ts";
import { rehearse } from "./rehearsal.ts";
import { repositoryFolder } from "./repository.ts";
import {
  identityFolder,
  identityOptions,
  interpreterInside,
  librariesBelow,
  type RuntimeMount,
  runtimeOptions,
  searchPath,
  shownBelow,
  systemOptions,
  workFolder,
} from "./rootfs.ts";
import { LeanSandbox, type Sandbox } from "./sandbox.ts";
import { type UidOptions, Uids } from "./uids.ts";

export type { Exit, Sandbox } from "./sandbox.ts";

/** Boots a runtime. What it throws is the cause of the LeanError. */
export type Boot = (waiting: Waiting) => Promise<void>;

/** Is given the checkpoint of a runtime that was booted, and proved, ahead, and frees it; and the channel, which is open. */
export type TakeOver = (checkpoint: Checkpoint, channel: Channel) => void;

/** Boots runtimes that nobody wants yet. */
export interface BootAhead {
  from(waiting: Waiting): Promise<Checkpoint>;
  /** Rejects where what runs by now cannot be put back to its checkpoint, or does not equal it then. */
  prove(checkpoint: Checkpoint): Promise<void>;
  /** What it has booted cannot run an action that does nothing, or has ended. */
  failed(why: unknown): void;
  /** True: nobody will want what it boots, or has booted. */
  isOver(): boolean;
}

/** What has been made before anybody wanted it. */
export interface AheadCounts {
  readonly networks: Counts & { readonly ready: number };
  /** `replaced`: so many had ended when somebody took them, or did until they ran, who was given another. */
  readonly containers: { readonly ready: number; readonly replaced: number };
}

/** Processes that booted containers are forked from, or were: each stays until the last that was. */
export interface EmbryoCounts {
  readonly living: number;
  /** What their cgroups are charged with. */
  readonly bytes: number;
}

export interface SandboxFactory {
  /**
   * With `boot` the runtime is not started but made another one of a checkpointed runtime of the kind, which says READY no more.
   * With `takeOver` one may be had that was booted ahead; it is called instead then.
   * Throws LeanError; nothing is left behind then.
   */
  create(kind: string, memoryMB: number, boot?: Boot, takeOver?: TakeOver): Promise<Sandbox>;
  kinds(): readonly string[];
  /** What is the same in all containers of the kind, and decides what a process in one is. Throws LeanError. */
  facts?(kind: string): Facts;
  ahead(): AheadCounts;
  embryos(): EmbryoCounts;
  /** What is made ahead of the kind is booted ahead from now on, until the next call. */
  bootAhead(kind: string, boot: BootAhead | undefined): void;
  /** True: nothing is made or kept that nobody wants yet, until the next call. */
  saveMemory(isSaving: boolean): void;
  /** That all containers are in. */
  memoryGroup(): MemoryGroup;
  /**
   * Of a former life with the same instance name: kills what still runs and removes its cgroups and files. Throws LeanError
   * `removal` at its end where something is left; containers can be made all the same.
   */
  removeLeftovers(): Promise<void>;
  /** When Docker has been found: its firewall forbids to forward what containers send. Throws LeanError. */
  allowForwarding(): void;
  /** Destroys all containers and refuses to make more. Idempotent. Throws LeanError `removal` at its end where something is left of one. */
  close(): Promise<void>;
}

export interface LeanFactoryOptions extends UidOptions {
  /** Names the cgroups of this invoker; two that run at the same time must not have the same. */
  readonly instance: string;
  readonly interpreters: readonly Interpreter[];
  /** Environment of the runtimes, beside PATH, HOME and LANG. */
  readonly environment: Readonly<Record<string, string>>;
  /** Size of the one writable place of a container. */
  readonly scratchMB: number;
  /** Path of the launcher: build/native/lean. */
  readonly launcher: string;
  /** Folder that holds runtimes/ and pool/; the project's own where not given. */
  readonly repository?: string;
  /** Megabytes that stand for the whole machine when CPU shares are given out; without it every container has 1024. */
  readonly userMemoryMB?: number;
  readonly pidsMax?: number;
  readonly openFiles?: number;
  /** `none`: containers have the loopback interface alone. `nat`: they reach the outside, and nothing reaches them. */
  readonly network?: "none" | "nat";
  /** Only for `nat`. */
  readonly nat?: NetworkSettings;
  /** So many containers' networks are kept ready, once the first has been made. */
  readonly networksAhead?: number;
  /** So many containers of each kind are kept that only lack their program, or their proof, once the first has been made. */
  readonly containersAhead?: number;
  /** For setting up a container, not for its runtime to become ready. */
  readonly startTimeoutMs?: number;
}

/** As OpenWhisk's Docker containers have it (`--pids-limit 1024 --ulimit nofile=1024:1024`). */
const defaults = {
  pidsMax: 1024,
  openFiles: 1024,
  startTimeoutMs: 10_000,
  networksAhead: 16,
  containersAhead: 0,
};
const fullCpuShares = 1024;
/** Of a container that waits for its program. */
const blankMemoryMB = 32;
/** The kernel's range ends at 1000; the invoker's own is usually 0 or less. */
const oomScore = 500;
const filesPerScratchMB = 256;
/** The runtime is the launcher's only child: the second process of its pid namespace. */
const runtimePidInside = "2";
/** What the launcher gives to a runtime: up to LEAN_FD_CHANNEL in native/lean.h. */
const runtimeFds = 4;

/** Started where there is neither. */
interface How {
  readonly boot: Boot | undefined;
  readonly takeOver: TakeOver | undefined;
}

/** What only one container has. */
interface Particulars {
  readonly id: string;
  readonly uid: number;
  readonly address: string | undefined;
  readonly namespace: string;
  readonly joinFiles: readonly string[];
  readonly filter: string;
}
const nobody: Particulars = { id: "", uid: 0, address: undefined, namespace: "", joinFiles: [], filter: "" };

interface Family {
  readonly arguments: readonly string[];
  /** The code of an action that does nothing. */
  readonly rehearsal: string;
  readonly mounts: readonly RuntimeMount[];
}

class LeanFactory implements SandboxFactory {
  readonly #options: LeanFactoryOptions & typeof defaults & { readonly repository: string };
  readonly #interpreters: ReadonlyMap<string, Interpreter>;
  readonly #tree: CgroupTree;
  readonly #uids: Uids;
  readonly #network: Network | undefined;
  readonly #networks: MadeAhead<ContainerNetwork>;
  /** By kind. */
  readonly #blanks = new Map<string, MadeAhead<Blank>>();
  readonly #bootsAhead = new Map<string, BootAhead>();
  /** As it was wanted last: what is booted ahead may use as much. */
  readonly #memoryMB = new Map<string, number>();
  readonly #sameForAll: readonly string[];
  readonly #guard: Guard;
  readonly #filterFd: number;
  readonly #filterDigest: string;
  /** Containers of two lives never have the same name. */
  readonly #life = randomBytes(4).toString("hex");
  readonly #alive = new Set<Pick<Sandbox, "destroy">>();
  readonly #embryos = new Set<Blank>();
  /** Containers, and embryos. */
  readonly #beingMade = new Set<Promise<unknown>>();
  #made = 0;
  #replaced = 0;
  #isSaving: boolean = false;
  #closed: Promise<void> | undefined;

  constructor(options: LeanFactoryOptions) {
    this.#options = { ...defaults, repository: repositoryFolder, ...options };
    this.#interpreters = new Map(options.interpreters.map((one) => [one.kind, one]));
    const { network, nat } = this.#options;
    this.#uids = new Uids(this.#options);
    this.#sameForAll = systemOptions();
    const filter = compileFilter(this.#options.repository);
    this.#tree = new CgroupTree(options.instance, this.#life);
    this.#guard = new Guard(this.#tree.folders);
    this.#filterFd = openFilter(filter, options.instance);
    this.#filterDigest = digestOf(filter);
    this.#networks = new MadeAhead(this.#options.networksAhead, async () =>
      ContainerNetwork.make(this.#network?.reserve()),
    );
    if (network === "nat") this.#network = this.#openNetwork(nat);
  }

  ahead(): AheadCounts {
    const kinds = [...this.#blanks.values()];
    return {
      networks: { ...this.#networks.counts, ready: this.#networks.ready },
      containers: { ready: kinds.reduce((sum, { ready }) => sum + ready, 0), replaced: this.#replaced },
    };
  }

  embryos(): EmbryoCounts {
    const used = Array.from(this.#embryos, ({ parts }) => parts.cgroups.memoryUsedBytes());
    return { living: used.length, bytes: used.reduce((sum, bytes) => sum + bytes, 0) };
  }

  kinds(): readonly string[] {
    return [...this.#interpreters.keys()];
  }

  facts(kind: string): Facts {
    const interpreter = this.#interpreterOf(kind);
    const options = this.#launcherOptions(interpreter, nobody);
    // What lies elsewhere is for actions, or was mapped.
    const shown = (place: string): readonly string[] => shownBelow(options, place);
    const libraries = shown("/usr").flatMap((usr) => librariesBelow(usr, interpreter.family));
    return {
      container: digestOf(...options),
      filter: this.#filterDigest,
      runtime: digestOf(...shown("/runtime/").map(treeDigest)),
      libraries: digestOf(...libraries.map(treeDigest)),
      system: digestOf(...shown("/etc/").map(ownDigest), ...shown("/etc/python").map(treeDigest)),
    };
  }

  bootAhead(kind: string, boot: BootAhead | undefined): void {
    if (boot === undefined) this.#bootsAhead.delete(kind);
    else this.#bootsAhead.set(kind, boot);
    if (this.#closed === undefined) this.#blanks.get(kind)?.sweep();
  }

  saveMemory(isSaving: boolean): void {
    if (this.#isSaving === isSaving || this.#closed !== undefined) return;
    this.#isSaving = isSaving;
    for (const ready of [...this.#blanks.values(), this.#networks]) ready.pause(isSaving);
  }

  memoryGroup(): MemoryGroup {
    return this.#tree.memory;
  }

  async create(kind: string, memoryMB: number, boot?: Boot, takeOver?: TakeOver): Promise<Sandbox> {
    this.#requireOpen();
    const making = this.#make(this.#interpreterOf(kind), memoryMB, { boot, takeOver });
    this.#beingMade.add(making);
    try {
      return await making;
    } finally {
      this.#beingMade.delete(making);
    }
  }

  #requireOpen(): void {
    if (this.#closed !== undefined) throw new LeanError("closed", "no more containers are made");
  }

  #interpreterOf(kind: string): Interpreter {
    const interpreter = this.#interpreters.get(kind);
    if (interpreter !== undefined) return interpreter;
    throw new LeanError("unknown-kind", `no interpreter for ${kind}; there are ${this.kinds().join(", ")}`);
  }

  async removeLeftovers(): Promise<void> {
    const ends = await Promise.allSettled(this.#tree.otherLives().map(removeLeftover));
    removeFilters(this.#options.instance);
    // A network of our own has taken its place already.
    if (this.#network === undefined) removeNetwork(this.#options.instance);
    throwFirst(ends);
  }

  allowForwarding(): void {
    if (this.#closed === undefined) this.#network?.allowForwarding();
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  async #closeAll(): Promise<void> {
    const destroyAlive = (): Promise<void>[] => [...this.#alive].map((one) => one.destroy());
    // Who makes a container may wait for an embryo.
    const ended = await Promise.allSettled(destroyAlive());
    await Promise.allSettled(this.#beingMade);
    const ends = await Promise.allSettled([
      ...destroyAlive(),
      ...[...this.#blanks.values()].map((kind) => kind.close()),
    ]);
    closeSync(this.#filterFd);
    this.#tree.remove();
    await this.#networks.close();
    this.#network?.close();
    await this.#uids.close();
    await this.#guard.end();
    throwFirst([...ended, ...ends]);
  }

  async #make(interpreter: Interpreter, memoryMB: number, how: How): Promise<Sandbox> {
    this.#memoryMB.set(interpreter.kind, memoryMB);
    const ready = this.#blanksOf(interpreter);
    const blank = await ready.take().catch(async (error: unknown) => {
      // Somebody else may hold some ahead.
      if (!(isScarcity(error) && (await this.#emptyOthers(ready)))) throw error;
      return await ready.take();
    });
    ready.leave(blank);
    const fitting = await this.#fitting(blank, interpreter, how);
    const wasBooted = fitting.booted !== undefined;
    try {
      return await this.#start(fitting, interpreter, memoryMB, how);
    } catch (error) {
      // What is made ahead can end at any moment until somebody has it, and nothing of his has run in it then.
      if (this.#closed !== undefined || !(wasBooted || hasEnded(error))) throw error;
      this.#replaced++;
    }
    return await this.#start(await this.#makeBlank(interpreter), interpreter, memoryMB, how);
  }

  /** What is to be started cannot have been booted. */
  async #fitting(blank: Blank, interpreter: Interpreter, { takeOver }: How): Promise<Blank> {
    if (takeOver !== undefined || blank.booted === undefined) return blank;
    await blank.close();
    return await this.#makeBlank(interpreter);
  }

  #blanksOf(interpreter: Interpreter): MadeAhead<Blank> {
    const known = this.#blanks.get(interpreter.kind);
    if (known !== undefined) return known;
    const ready = new MadeAhead(this.#options.containersAhead, async (isWanted) => {
      const boot = isWanted ? undefined : this.#bootsAhead.get(interpreter.kind);
      const blank = await this.#makeBlank(interpreter, boot);
      // Not before it is there.
      void blank.launcher.ended.then(() => setImmediate(() => ready.drop(blank)));
      return blank;
    });
    if (this.#isSaving) ready.pause(true);
    this.#blanks.set(interpreter.kind, ready);
    return ready;
  }

  /** Whether there was anything. */
  async #emptyOthers(own: MadeAhead<Blank>): Promise<boolean> {
    const others = [...this.#blanks.values()].filter((ready) => ready !== own);
    return (await Promise.all(others.map((ready) => ready.empty()))).includes(true);
  }

  #cpuShares(memoryMB: number): number {
    const { userMemoryMB } = this.#options;
    return userMemoryMB === undefined ? fullCpuShares : cpuSharesFor(memoryMB, userMemoryMB);
  }

  /** All of a container that is the same whatever it will run and whoever it is for; booted already where `boot` is given. */
  async #makeBlank(interpreter: Interpreter, boot?: BootAhead): Promise<Blank> {
    const held = await this.#take();
    const onGone = (): void => this.#giveBack(held);
    const blank = await this.#launch(interpreter, held, {
      option: "--wait",
      memoryMB: blankMemoryMB,
      onGone,
    });
    try {
      await this.#inTime(blank, blank.launcher.vacant);
      if (boot !== undefined) await this.#bootBlank(blank, interpreter, boot);
      return blank;
    } catch (cause) {
      throw await this.#failed(blank, cause);
    }
  }

  async #bootBlank(blank: Blank, interpreter: Interpreter, boot: BootAhead): Promise<void> {
    const memoryMB = this.#memoryMB.get(interpreter.kind) ?? blankMemoryMB;
    const { cgroups } = blank.parts;
    cgroups.setMemoryMB(memoryMB);
    cgroups.setCpuShares(this.#cpuShares(memoryMB));
    const checkpoint = await boot.from(this.#placeIn(blank, interpreter, memoryMB));
    let proof: Promise<void> | undefined;
    try {
      await this.#inTime(blank, blank.launcher.started);
      await this.#rehearse(blank, interpreter, boot);
      proof = boot.prove(checkpoint);
      await this.#inTime(blank, proof);
      blank.booted = { checkpoint, runtimePid: findRuntime(cgroups), isOver: () => boot.isOver() };
    } catch (cause) {
      // Which ends a proof that is under way.
      blank.launcher.kill();
      await proof?.catch(() => undefined);
      checkpoint.release();
      throw cause;
    }
  }

  async #rehearse(blank: Blank, interpreter: Interpreter, boot: BootAhead): Promise<void> {
    const { rehearsal } = this.#family(interpreter.family);
    try {
      await this.#inTime(blank, rehearse(blank.openChannel(), rehearsal, this.#options.startTimeoutMs));
    } catch (cause) {
      const code = (await this.#wasKilled(blank, cause)) ? "process-gone" : "start";
      const failure = new LeanError(code, `at a rehearsal: ${cause}`, { cause });
      boot.failed(failure);
      throw failure;
    }
  }

  /** Which says nothing of what it runs, unlike any other end. */
  async #wasKilled({ launcher }: Blank, failure: unknown): Promise<boolean> {
    if (!hasEnded(failure)) return false;
    const end = await within(this.#options.startTimeoutMs, launcher.ended);
    return end?.cause === "signal" && end.status === osConstants.signals.SIGKILL;
  }

  #placeIn(blank: Blank, interpreter: Interpreter, memoryMB: number): Place {
    const { held, cgroups } = blank.parts;
    return {
      vacancy: {
        get initPid() {
          return blank.launcher.pid;
        },
        ...{ uid: held.uid, gid: held.uid },
        ...{ joinFiles: cgroups.joinFiles, given: runtimeFds },
      },
      wait: () => this.#wait(blank),
      conceive: async (make) => {
        const conceiving = this.#conceive(interpreter, memoryMB, make);
        this.#beingMade.add(conceiving);
        return await conceiving.finally(() => this.#beingMade.delete(conceiving));
      },
    };
  }

  async #wait(blank: Blank): Promise<WaitingProcess> {
    const { cgroups, started } = blank.parts;
    blank.launcher.orderRuntime();
    await this.#inTime(blank, blank.launcher.waiting);
    return { pid: findRuntime(cgroups), goFd: started.channelFd };
  }

  /**
   * A process of the kind that others can be forked from: in our own pid namespace, with its power, and a network that leads nowhere. Gives
   * what ends it.
   */
  async #conceive(
    interpreter: Interpreter,
    memoryMB: number,
    make: (waiting: WaitingProcess) => Promise<void>,
  ): Promise<() => Promise<void>> {
    this.#requireOpen();
    const network = await ContainerNetwork.make(undefined);
    const uid = await this.#uids.take().catch(async (error: unknown) => {
      await network.close();
      throw error;
    });
    const onGone = async (): Promise<void> => {
      this.#uids.giveBack(uid);
      await network.close();
    };
    const how = { option: "--embryo", memoryMB, onGone } as const;
    const blank = await this.#launch(interpreter, { uid, network }, how);
    let making: Promise<void> | undefined;
    const embryo = {
      destroy: async (): Promise<void> => {
        this.#embryos.delete(blank);
        // Which ends a call that is under way; that may use the descriptors until then.
        blank.launcher.kill();
        await making?.catch(() => undefined);
        await blank.close();
        this.#alive.delete(embryo);
      },
    };
    this.#alive.add(embryo);
    try {
      this.#requireOpen();
      await this.#inTime(blank, blank.launcher.waiting);
      making = make({ pid: findOnly(blank.parts.cgroups), goFd: blank.parts.started.channelFd });
      await this.#inTime(blank, making);
      await this.#inTime(blank, blank.launcher.started);
    } catch (cause) {
      await embryo.destroy();
      throw await this.#failed(blank, cause);
    }
    this.#embryos.add(blank);
    return embryo.destroy;
  }

  /** Starts its launcher. Rejects with LeanError; then nothing is left of it, nor of what it was to hold. */
  async #launch(
    interpreter: Interpreter,
    held: Held,
    how: { option: "--wait" | "--embryo"; memoryMB: number; onGone: () => void | Promise<void> },
  ): Promise<Blank> {
    const id = `${this.#life}-${++this.#made}`;
    const { option, memoryMB, onGone } = how;
    let cgroups: ContainerCgroups | undefined;
    try {
      const { pidsMax } = this.#options;
      const limits = { memoryMB, pidsMax, cpuShares: this.#cpuShares(memoryMB) };
      cgroups = new ContainerCgroups(this.#tree, id, limits);
      const argv = this.#launcherOptions(interpreter, {
        ...{ id, uid: held.uid, joinFiles: cgroups.joinFiles },
        ...{ address: held.network.address, namespace: held.network.namespace },
        filter: `/proc/${process.pid}/fd/${this.#filterFd}`,
      });
      const inOurPids = option === "--embryo";
      const started = await startLean(this.#options.launcher, [option, ...argv], { inOurPids });
      return new Blank({ id, kind: interpreter.kind, held, cgroups, started, onGone });
    } catch (cause) {
      await cgroups?.remove();
      await onGone();
      throw cause instanceof LeanError
        ? cause
        : new LeanError("start", `container ${id}: ${cause}`, { cause });
    }
  }

  async #take(): Promise<Held> {
    const uid = await this.#uids.take();
    try {
      return { uid, network: await this.#networks.take() };
    } catch (cause) {
      this.#uids.giveBack(uid);
      throw cause;
    }
  }

  #giveBack({ uid, network }: Held): void {
    this.#uids.giveBack(uid);
    this.#networks.giveBack(network);
  }

  /** Gives it its memory and its program. */
  async #start(
    blank: Blank,
    interpreter: Interpreter,
    memoryMB: number,
    { boot, takeOver }: How,
  ): Promise<Sandbox> {
    const { launcher, parts } = blank;
    const { id, kind, held, cgroups, started } = parts;
    let scratchFd: number | undefined;
    try {
      cgroups.setMemoryMB(memoryMB);
      cgroups.setCpuShares(this.#cpuShares(memoryMB));
      const { booted } = blank;
      if (booted === undefined) {
        if (boot !== undefined) await boot(this.#placeIn(blank, interpreter, memoryMB));
        else writeSync((await this.#wait(blank)).goFd, "!");
        await this.#inTime(blank, launcher.started);
      }
      const runtimePid = booted?.runtimePid ?? findRuntime(cgroups);
      scratchFd = openScratch(launcher);
      const onGone = (): void => {
        this.#alive.delete(sandbox);
        this.#giveBack(held);
      };
      const sandbox = new LeanSandbox({
        ...{ id, kind, runtimePid, started, launcher },
        ...{ cgroups, scratchFd, network: held.network, onGone },
      });
      // Not before what has ended meanwhile could be noticed.
      if (booted !== undefined) takeOver?.(booted.checkpoint, blank.openChannel());
      blank.booted = undefined;
      this.#alive.add(sandbox);
      return sandbox;
    } catch (cause) {
      if (scratchFd !== undefined) closeSync(scratchFd);
      throw await this.#failed(blank, cause);
    }
  }

  /** Removes it, and says why there is none. */
  async #failed(blank: Blank, cause: unknown): Promise<LeanError> {
    const words = await blank.remove();
    if (cause instanceof LeanError) return new LeanError(cause.code, cause.message + words, { cause });
    const end = await blank.launcher.ended;
    const why = end.cause === "failed" ? end.message : cause;
    return new LeanError("start", `container ${blank.parts.id}: ${why}${words}`, { cause });
  }

  /** Until the launcher has got so far. */
  async #inTime({ launcher, parts: { id } }: Blank, step: Promise<void>): Promise<void> {
    const { startTimeoutMs } = this.#options;
    const end = Promise.race([step.then(() => "done" as const), launcher.ended]);
    const first = await within(startTimeoutMs, end);
    if (first === "done") return;
    if (first === undefined)
      throw new LeanError("start", `container ${id} was not set up within ${startTimeoutMs} ms`);
    const hasFailed = first.cause === "failed";
    const how = hasFailed ? first.message : `${first.cause} ${first.status} ${first.message}`;
    const code = hasFailed || !launcher.isSetUp ? "start" : "process-gone";
    throw new LeanError(code, `container ${id} could not be set up: ${how}`);
  }

  #launcherOptions(
    interpreter: Interpreter,
    { id, uid, address, namespace, joinFiles, filter }: Particulars,
  ): readonly string[] {
    const { environment, openFiles, scratchMB } = this.#options;
    const net = { address, resolver: this.#network?.resolverFile };
    const family = this.#family(interpreter.family);
    const { image } = interpreter;
    const program = image === undefined ? interpreterInside(interpreter.path) : undefined;
    const usual = { PATH: searchPath, LANG: "C.UTF-8", ...image?.environment };
    const variables = { ...usual, HOME: workFolder, ...environment };
    const { options, missing } = runtimeOptions(
      this.#options.repository,
      interpreter.family,
      family.mounts,
      program,
    );
    if (missing.length > 0)
      throw new LeanError(
        "runtime-files",
        `${missing.join(", ")} not found: run npm install and npm run build`,
      );
    return [
      ...(image?.options ?? this.#sameForAll),
      ...identityOptions({ uid, hostname: id, ...net }, image && identityFolder),
      ...options,
      ...joinFiles.flatMap((file) => ["--join", file]),
      ...Object.entries(variables).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
      ...["--net", namespace],
      ...["--filter", filter],
      ...["--uid", `${uid}`, "--gid", `${uid}`, "--hostname", id, "--cwd", workFolder],
      ...["--scratch-mb", `${scratchMB}`, "--scratch-inodes", `${scratchMB * filesPerScratchMB}`],
      ...["--nofile", `${openFiles}`, "--oom-score", `${oomScore}`],
      ...["--", program?.to ?? interpreter.path, ...family.arguments],
    ];
  }

  #family(name: string): Family {
    const file = join(this.#options.repository, "runtimes", name, "runtime.json");
    try {
      return JSON.parse(readFileSync(file, "utf8")) as Family;
    } catch (cause) {
      throw new LeanError("runtime-files", `cannot read ${file}`, { cause });
    }
  }

  #openNetwork(settings: NetworkSettings = {}): Network {
    try {
      return new Network(this.#options.instance, settings);
    } catch (cause) {
      this.close().catch(() => undefined);
      throw cause;
    }
  }
}

/** After all has been tried. */
function throwFirst(ends: readonly PromiseSettledResult<unknown>[]): void {
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

/** True: nothing is wrong with how it was made. */
function hasEnded(error: unknown): boolean {
  const codes = [error, error instanceof Error ? error.cause : undefined].map((one) =>
    one instanceof LeanError || one instanceof RestorerError ? one.code : undefined,
  );
  return codes.includes("process-gone");
}

function openScratch(launcher: Launcher): number {
  try {
    return openSync(scratchPath(launcher.pid), constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    throw new LeanError("process-gone", "the launcher has ended", { cause });
  }
}

/** Empty where it has gone. */
function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "latin1");
  } catch {
    return "";
  }
}

/** By the time we look it may have made children already. */
function findRuntime(cgroups: ContainerCgroups): number {
  const found = cgroups.processes().find((pid) => {
    const status = statusOf(pid);
    return /^NSpid:.*\s(\d+)$/m.exec(status)?.[1] === runtimePidInside;
  });
  if (found === undefined) throw new LeanError("process-gone", "the runtime ended at once");
  return found;
}

function findOnly(cgroups: ContainerCgroups): number {
  const [found] = cgroups.processes();
  if (found === undefined) throw new LeanError("start", "the embryo ended at once");
  return found;
}

/** Throws LeanError where cgroups cannot be made, or files of the installation are missing. */
export function createLeanFactory(options: LeanFactoryOptions): SandboxFactory {
  return new LeanFactory(options);
}
