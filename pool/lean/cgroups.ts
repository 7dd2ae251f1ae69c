// The cgroups of one container: what limits it, what it uses, which processes are in it.

import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmdirSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type CgroupTree, type Controller, controllers, put } from "./cgroup-tree.ts";
import { LeanError } from "./errors.ts";

export interface CgroupLimits {
  readonly memoryMB: number;
  readonly pidsMax: number;
  /** In the unit of `docker run --cpu-shares`: 1024 is one full share. */
  readonly cpuShares: number;
}

const bytesPerMB = 1024 * 1024;
const noTasks = Buffer.from("0");
/** What is read of a file at a time: more than any of them has. */
const text = Buffer.alloc(512);
const removalTries = 200;
const removalPauseMs = 5;

/** OpenWhisk's share of the CPU for a container: all of them together have 1024. */
export function cpuSharesFor(memoryMB: number, userMemoryMB: number): number {
  return Math.max(2, Math.round((1024 * memoryMB) / userMemoryMB));
}

/** The weight (1 to 10000) that version 2 has for the shares (2 to 262144) of version 1; as runc converts. */
export function weightOfShares(shares: number): number {
  return 1 + Math.floor(((Math.min(Math.max(shares, 2), 262_144) - 2) * 9999) / 262_142);
}

/** In version 1 a thread that moves itself need not wait, as for a process the kernel does: milliseconds, and all who change cgroups with it. */
function joinFileOf({ version, folder }: { readonly version: 1 | 2; readonly folder: string }): string {
  return join(folder, version === 1 ? "tasks" : "cgroup.procs");
}

/** Of a file that is held open, as it is now. */
function readHeld(fd: number): string {
  return text.toString("latin1", 0, readSync(fd, text, 0, text.length, 0));
}

/** What every activation or rewind uses. */
interface HeldFiles {
  readonly oomKills: number;
  readonly tasks: number;
  readonly tasksMax: number;
}

/** Made with the container, removed after it. Every method throws when the kernel refuses. */
export class ContainerCgroups {
  readonly #memory: { readonly version: 1 | 2; readonly folder: string };
  readonly #cpu: { readonly version: 1 | 2; readonly folder: string };
  readonly #pids: string;
  readonly #folders: readonly string[];
  readonly #joinFiles: readonly string[];
  readonly #pidsMax: Buffer;
  #memoryMB = 0;
  #cpuShares = 0;
  #oomKills = 0;
  #held: HeldFiles | undefined;

  /** Makes the folders and sets the limits; leaves nothing behind when it throws. */
  constructor(tree: CgroupTree, id: string, limits: CgroupLimits) {
    this.#memory = tree.place("memory", id);
    this.#cpu = tree.place("cpu", id);
    this.#pids = tree.place("pids", id).folder;
    const places = controllers.map((name: Controller) => tree.place(name, id));
    this.#folders = [...new Set(places.map(({ folder }) => folder))];
    this.#joinFiles = [...new Set(places.map(joinFileOf))];
    this.#pidsMax = Buffer.from(String(limits.pidsMax));
    try {
      for (const folder of this.#folders) mkdirSync(folder);
      this.setMemoryMB(limits.memoryMB);
      this.setCpuShares(limits.cpuShares);
      this.#held = this.#openFiles();
      this.allowTasks();
    } catch (cause) {
      this.#closeFiles();
      for (const folder of this.#folders) if (existsSync(folder)) rmdirSync(folder);
      throw new LeanError("cgroup", `cannot make the cgroups of container ${id}`, { cause });
    }
  }

  /** The files by which a process of one thread joins. */
  get joinFiles(): readonly string[] {
    return this.#joinFiles;
  }

  get memoryMB(): number {
    return this.#memoryMB;
  }

  /** Memory and swap together. Version 1 wants the smaller of its two limits to be changed first when both shrink. */
  setMemoryMB(memoryMB: number): void {
    if (memoryMB === this.#memoryMB) return;
    const bytes = String(memoryMB * bytesPerMB);
    const at = (file: string): string => join(this.#memory.folder, file);
    if (this.#memory.version === 2) {
      put(at("memory.max"), bytes);
      if (this.#memoryMB === 0 && existsSync(at("memory.swap.max"))) put(at("memory.swap.max"), "0");
    } else {
      const files = ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"].filter((file) =>
        existsSync(at(file)),
      );
      const isGrowing = this.#memoryMB !== 0 && memoryMB > this.#memoryMB;
      try {
        for (const file of isGrowing ? files.reverse() : files) put(at(file), bytes);
      } catch (error) {
        // With swap the first may shrink where the second cannot: what is said to be the limit is to be it.
        if (this.#memoryMB !== 0 && !isGrowing)
          put(at("memory.limit_in_bytes"), String(this.#memoryMB * bytesPerMB));
        throw error;
      }
    }
    this.#memoryMB = memoryMB;
  }

  setCpuShares(shares: number): void {
    if (shares === this.#cpuShares) return;
    const { version, folder } = this.#cpu;
    if (version === 2) put(join(folder, "cpu.weight"), String(weightOfShares(shares)));
    else put(join(folder, "cpu.shares"), String(shares));
    this.#cpuShares = shares;
  }

  memoryUsedBytes(): number {
    const file = this.#memory.version === 2 ? "memory.current" : "memory.usage_in_bytes";
    return Number(readFileSync(join(this.#memory.folder, file), "utf8"));
  }

  /** How many processes of this container have been killed for want of memory; as last seen, where its cgroups are gone. */
  oomKills(): number {
    const fd = this.#held?.oomKills;
    const told = fd === undefined ? undefined : unlessGone(() => readHeld(fd));
    if (told !== undefined) this.#oomKills = Number(/^oom_kill (\d+)$/m.exec(told)?.[1] ?? 0);
    return this.#oomKills;
  }

  /** How many threads there are, of all processes, zombies included. */
  tasks(): number {
    return Number(readHeld(this.#files().tasks));
  }

  /** Ids of the living processes. The file is opened anew each time: version 1 keeps the list with the open file. */
  processes(): readonly number[] {
    return readFileSync(join(this.#pids, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
  }

  /** No thread and no process is made any more; those that there are stay. */
  forbidTasks(): void {
    writeSync(this.#files().tasksMax, noTasks, 0, noTasks.length, 0);
  }

  /** As many as the limit says. */
  allowTasks(): void {
    writeSync(this.#files().tasksMax, this.#pidsMax, 0, this.#pidsMax.length, 0);
  }

  /** Removes the folders; waits for processes that are already dying. Idempotent. */
  async remove(): Promise<void> {
    this.#closeFiles();
    for (const folder of this.#folders) await removeCgroup(folder);
  }

  /** All of them, or none. */
  #openFiles(): HeldFiles {
    const events = this.#memory.version === 2 ? "memory.events" : "memory.oom_control";
    const opened: number[] = [];
    const open = (folder: string, file: string, flags: "r" | "r+"): number => {
      const fd = openSync(join(folder, file), flags);
      opened.push(fd);
      return fd;
    };
    try {
      return {
        oomKills: open(this.#memory.folder, events, "r"),
        tasks: open(this.#pids, "pids.current", "r"),
        tasksMax: open(this.#pids, "pids.max", "r+"),
      };
    } catch (cause) {
      for (const fd of opened) closeSync(fd);
      throw cause;
    }
  }

  #files(): HeldFiles {
    if (this.#held === undefined) throw new LeanError("closed", "the cgroups have been removed");
    return this.#held;
  }

  #closeFiles(): void {
    for (const fd of Object.values(this.#held ?? {}) as number[]) closeSync(fd);
    this.#held = undefined;
  }
}

function removedNow(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return true;
    if (code === "EBUSY") return false;
    throw error;
  }
}

/** Removes a cgroup whose processes are dead or dying. Throws LeanError when it still has some after a second. */
export async function removeCgroup(folder: string): Promise<void> {
  for (let tries = 0; tries < removalTries; tries++) {
    if (removedNow(folder)) return;
    await sleep(removalPauseMs);
  }
  throw new LeanError("removal", `cgroup ${folder} still holds processes`);
}

/** Kills what is left in a cgroup and those below it, and removes them. Somebody else may be doing the same. */
export async function removeLeftover(folder: string): Promise<void> {
  for (const inner of innerFolders(folder)) await removeLeftover(inner);
  for (const pid of processesIn(folder)) killIfThere(pid);
  await removeCgroup(folder);
}

function innerFolders(folder: string): readonly string[] {
  const entries = unlessGone(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}

function processesIn(folder: string): readonly number[] {
  const list = unlessGone(() => readFileSync(join(folder, "cgroup.procs"), "utf8")) ?? "";
  return list.split("\n").filter(Boolean).map(Number);
}

/** ENODEV is what reading gives of a cgroup that was removed after the file was opened. */
function unlessGone<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!["ENOENT", "ENODEV"].includes(code)) throw error;
    return undefined;
  }
}

/** SIGKILL; a process that is gone already is fine. */
export function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
