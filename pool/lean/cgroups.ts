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

function numberIn(text: string, key: string): number {
  const line = text.split("\n").find((entry) => entry.startsWith(`${key} `));
  return line === undefined ? 0 : Number(line.slice(key.length + 1));
}

/** Made with the container, removed after it. Every method throws when the kernel refuses. */
export class ContainerCgroups {
  readonly #memory: { readonly version: 1 | 2; readonly folder: string };
  readonly #pids: string;
  readonly #folders: readonly string[];
  readonly #pidsMax: number;
  readonly #buffer = Buffer.alloc(32);
  #memoryMB = 0;
  #pidsCurrent: number | undefined;

  /** Makes the folders and sets the limits; leaves nothing behind when it throws. */
  constructor(tree: CgroupTree, id: string, limits: CgroupLimits) {
    this.#memory = tree.place("memory", id);
    this.#pids = tree.place("pids", id).folder;
    this.#folders = [...new Set(controllers.map((name: Controller) => tree.place(name, id).folder))];
    this.#pidsMax = limits.pidsMax;
    try {
      for (const folder of this.#folders) mkdirSync(folder);
      this.setMemoryMB(limits.memoryMB);
      this.setPidsMax(limits.pidsMax);
      this.#setCpuShares(tree.place("cpu", id), limits.cpuShares);
      this.#pidsCurrent = openSync(join(this.#pids, "pids.current"), "r");
    } catch (cause) {
      for (const folder of this.#folders) if (existsSync(folder)) rmdirSync(folder);
      throw new LeanError("cgroup", `cannot make the cgroups of container ${id}`, { cause });
    }
  }

  /** The files by which a process joins. */
  get joinFiles(): readonly string[] {
    return this.#folders.map((folder) => join(folder, "cgroup.procs"));
  }

  get memoryMB(): number {
    return this.#memoryMB;
  }

  /** Memory and swap together. Version 1 wants the smaller of its two limits to be changed first when both shrink. */
  setMemoryMB(memoryMB: number): void {
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
      for (const file of isGrowing ? files.reverse() : files) put(at(file), bytes);
    }
    this.#memoryMB = memoryMB;
  }

  memoryUsedBytes(): number {
    const file = this.#memory.version === 2 ? "memory.current" : "memory.usage_in_bytes";
    return Number(readFileSync(join(this.#memory.folder, file), "utf8"));
  }

  /** How many processes of this container have been killed for want of memory. */
  oomKills(): number {
    const file = this.#memory.version === 2 ? "memory.events" : "memory.oom_control";
    return numberIn(readFileSync(join(this.#memory.folder, file), "utf8"), "oom_kill");
  }

  /** How many threads there are, of all processes, zombies included. */
  tasks(): number {
    if (this.#pidsCurrent === undefined) throw new LeanError("closed", "the cgroups have been removed");
    const length = readSync(this.#pidsCurrent, this.#buffer, 0, this.#buffer.length, 0);
    return Number(this.#buffer.toString("latin1", 0, length));
  }

  /** Ids of the living processes. The file is opened anew each time: version 1 keeps the list with the open file. */
  processes(): readonly number[] {
    return readFileSync(join(this.#pids, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
  }

  /** A limit below what there is forbids new tasks and leaves the present ones. */
  setPidsMax(pidsMax: number = this.#pidsMax): void {
    put(join(this.#pids, "pids.max"), String(pidsMax));
  }

  /** Removes the folders; waits for processes that are already dying. Idempotent. */
  async remove(): Promise<void> {
    if (this.#pidsCurrent !== undefined) closeSync(this.#pidsCurrent);
    this.#pidsCurrent = undefined;
    for (const folder of this.#folders) await removeCgroup(folder);
  }

  #setCpuShares(cpu: { readonly version: 1 | 2; readonly folder: string }, shares: number): void {
    if (cpu.version === 2) put(join(cpu.folder, "cpu.weight"), String(weightOfShares(shares)));
    else put(join(cpu.folder, "cpu.shares"), String(shares));
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
