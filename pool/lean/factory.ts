// Makes lean containers: a runtime of this machine in namespaces, cgroups and a file system of its own.

import { randomBytes } from "node:crypto";
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { type Place, scratchPath } from "../../restorer/index.ts";
import type { Facts } from "../fingerprint.ts";
import type { MemoryGroup } from "../memory.ts";
import type { Blank, Held } from "./blank.ts";
import { CgroupTree } from "./cgroup-tree.ts";
import { removeLeftover } from "./cgroups.ts";
import { ContainerNetwork } from "./container-network.ts";
import { Embryos } from "./embryos.ts";
import { hasEnded, isScarcity, LeanError } from "./errors.ts";
import { compileFilter, removeFilters } from "./filter-file.ts";
import { Guard } from "./guard.ts";
import type { Interpreter } from "./interpreters.ts";
import type { Launcher } from "./launcher.ts";
import { Launches } from "./launches.ts";
import { MadeAhead } from "./made-ahead.ts";
import { Network, type NetworkSettings, removeNetwork } from "./network.ts";
import { type LeanFactoryOptions, type Settled, settled } from "./options.ts";
import { rehearse } from "./rehearsal.ts";
import { LeanSandbox, type Sandbox } from "./sandbox.ts";
import type { AheadCounts, Boot, BootAhead, EmbryoCounts, SandboxFactory, TakeOver } from "./types.ts";
import { Uids } from "./uids.ts";

/** Of a container that waits for its program. */
const blankMemoryMB = 32;
/** What the launcher gives to a runtime: up to LEAN_FD_CHANNEL in native/lean.h. */
const runtimeFds = 4;

/** Started where there is neither. */
interface How {
  readonly boot: Boot | undefined;
  readonly takeOver: TakeOver | undefined;
}

class LeanFactory implements SandboxFactory {
  readonly #options: Settled;
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
  readonly #guard: Guard;
  readonly #launches: Launches;
  readonly #embryos: Embryos;
  readonly #alive = new Set<Sandbox>();
  /** Containers, and embryos. */
  readonly #beingMade = new Set<Promise<unknown>>();
  #replaced = 0;
  #isSaving: boolean = false;
  #closed: Promise<void> | undefined;

  constructor(options: LeanFactoryOptions) {
    this.#options = settled(options);
    this.#interpreters = new Map(options.interpreters.map((one) => [one.kind, one]));
    const { network, nat } = this.#options;
    this.#uids = new Uids(this.#options);
    const filter = compileFilter(this.#options.repository);
    // Containers of two lives never have the same name.
    const life = randomBytes(4).toString("hex");
    this.#tree = new CgroupTree(options.instance, life);
    this.#guard = new Guard(this.#tree.folders);
    this.#launches = new Launches(this.#options, {
      ...{ tree: this.#tree, life, filter },
      resolver: () => this.#network?.resolverFile,
    });
    this.#embryos = new Embryos(this.#launches, this.#uids);
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
    return this.#embryos.counts;
  }

  kinds(): readonly string[] {
    return [...this.#interpreters.keys()];
  }

  facts(kind: string): Facts {
    return this.#launches.facts(this.#interpreterOf(kind));
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
    return await this.#tracked(this.#make(this.#interpreterOf(kind), memoryMB, { boot, takeOver }));
  }

  async #tracked<Made>(making: Promise<Made>): Promise<Made> {
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
    const destroyAlive = (): Promise<void>[] => [
      ...Array.from(this.#alive, (one) => one.destroy()),
      ...this.#embryos.close(),
    ];
    // Who makes a container may wait for an embryo.
    const ended = await Promise.allSettled(destroyAlive());
    await Promise.allSettled(this.#beingMade);
    const ends = await Promise.allSettled([
      ...destroyAlive(),
      ...[...this.#blanks.values()].map((kind) => kind.close()),
    ]);
    this.#launches.close();
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

  /** All of a container that is the same whatever it will run and whoever it is for; booted already where `boot` is given. */
  async #makeBlank(interpreter: Interpreter, boot?: BootAhead): Promise<Blank> {
    const held = await this.#take();
    const onGone = (): void => this.#giveBack(held);
    const how = { option: "--wait", memoryMB: blankMemoryMB, onGone } as const;
    const blank = await this.#launches.launch(interpreter, held, how);
    try {
      await blank.inTime(blank.launcher.vacant);
      if (boot !== undefined) await this.#bootBlank(blank, interpreter, boot);
      return blank;
    } catch (cause) {
      throw await blank.failed(cause);
    }
  }

  async #bootBlank(blank: Blank, interpreter: Interpreter, boot: BootAhead): Promise<void> {
    const memoryMB = this.#memoryMB.get(interpreter.kind) ?? blankMemoryMB;
    this.#launches.limit(blank, memoryMB);
    const checkpoint = await boot.from(this.#placeIn(blank, interpreter, memoryMB));
    try {
      await blank.inTime(blank.launcher.started);
      await this.#rehearse(blank, interpreter, boot);
      await blank.inTime(boot.prove(checkpoint));
      blank.booted = { checkpoint, runtimePid: blank.findRuntime(), isOver: () => boot.isOver() };
    } catch (cause) {
      // Which ends a proof that is under way.
      blank.launcher.kill();
      await boot.discard(checkpoint);
      throw cause;
    }
  }

  async #rehearse(blank: Blank, interpreter: Interpreter, boot: BootAhead): Promise<void> {
    const rehearsal = this.#launches.rehearsalOf(interpreter);
    try {
      await blank.inTime(rehearse(blank.openChannel(), rehearsal, this.#options.startTimeoutMs));
    } catch (cause) {
      const code = (await blank.wasKilled(cause)) ? "process-gone" : "start";
      const failure = new LeanError(code, `at a rehearsal: ${cause}`, { cause });
      boot.failed(failure);
      throw failure;
    }
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
      wait: () => blank.wait(),
      conceive: (make) => this.#tracked(this.#embryos.conceive(interpreter, memoryMB, make)),
    };
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
      this.#launches.limit(blank, memoryMB);
      const { booted } = blank;
      if (booted === undefined) {
        if (boot !== undefined) await boot(this.#placeIn(blank, interpreter, memoryMB));
        else writeSync((await blank.wait()).goFd, "!");
        await blank.inTime(launcher.started);
      }
      const runtimePid = booted?.runtimePid ?? blank.findRuntime();
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
      throw await blank.failed(cause);
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

function openScratch(launcher: Launcher): number {
  try {
    return openSync(scratchPath(launcher.pid), constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    throw new LeanError("process-gone", "the launcher has ended", { cause });
  }
}

/** Throws LeanError where cgroups cannot be made, or files of the installation are missing. */
export function createLeanFactory(options: LeanFactoryOptions): SandboxFactory {
  return new LeanFactory(options);
}
