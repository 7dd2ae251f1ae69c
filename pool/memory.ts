// How much memory is really left: the machine's, and that of the cgroups with a limit that the invoker and its containers are in.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type CgroupMount, parseMounts } from "./lean/cgroup-tree.ts";

/** Something that memory is taken from. */
export interface MemoryRoom {
  readonly totalMB: number;
  /** What could be taken without anybody having to wait for it, or to be killed. */
  readonly availableMB: number;
}

/** A memory cgroup. */
export interface MemoryGroup {
  readonly version: 1 | 2;
  readonly folder: string;
  /** The last one above it that is looked at. */
  readonly top: string;
}

/** How short memory is. */
export interface Shortage {
  /** True: there is less than there has to be at least. */
  readonly isShort: boolean;
  /** Of the room that lacks most. */
  readonly availableMB: number;
  /** Until there is enough again, which is more than the least. */
  readonly missingMB: number;
}

const kBPerMB = 1024;
const bytesPerMB = 1024 * 1024;
/** A small room need not have more of itself left. */
const leastShare = 1 / 8;
/** Of the least: with so much, what is made again does not lead back at once. */
const enough = 1.5;

/** `leastMB`: so much is to be left in each room. */
export function shortageOf(rooms: readonly MemoryRoom[], leastMB: number): Shortage {
  const lacks = rooms.map(({ totalMB, availableMB }) => {
    const least = Math.min(leastMB, totalMB * leastShare);
    const missingMB = Math.max(0, least * enough - availableMB);
    return { isShort: availableMB < least, availableMB, missingMB };
  });
  lacks.sort((one, other) => other.missingMB - one.missingMB || one.availableMB - other.availableMB);
  const { availableMB = Number.POSITIVE_INFINITY, missingMB = 0 } = lacks[0] ?? {};
  return { isShort: lacks.some(({ isShort }) => isShort), availableMB, missingMB };
}

/** proc_meminfo(5). Undefined where it says nothing of what is available (before Linux 3.14). */
export function parseMeminfo(text: string): MemoryRoom | undefined {
  const of = (name: string): number =>
    Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(text)?.[1]) / kBPerMB;
  const room = { totalMB: of("MemTotal"), availableMB: of("MemAvailable") };
  return Number.isNaN(room.totalMB + room.availableMB) ? undefined : room;
}

/** Undefined where it cannot be read: a machine short of memory may have none for that either. */
export function roomOfMachine(path = "/proc/meminfo"): MemoryRoom | undefined {
  try {
    return parseMeminfo(readFileSync(path, "latin1"));
  } catch {
    return undefined;
  }
}

/** Above `memory.high` the kernel kills nobody, but has each wait who wants more. */
const files = {
  1: {
    ...{ limits: ["memory.limit_in_bytes"], used: "memory.usage_in_bytes" },
    takenBack: ["total_inactive_file", "total_active_file"],
  },
  2: {
    ...{ limits: ["memory.max", "memory.high"], used: "memory.current" },
    takenBack: ["inactive_file", "active_file", "slab_reclaimable"],
  },
} as const;

/** Version 2 says "max" where there is none, version 1 a number that no machine has. NaN also where there is no such file. */
function limitIn(path: string): number {
  try {
    return Number(readFileSync(path, "latin1")) / bytesPerMB;
  } catch {
    return Number.NaN;
  }
}

/**
 * What is left of a cgroup's limit, the lower one where it has two, with what the kernel takes back before it kills: cached files, but none of shared
 * memory. Undefined where there is no limit below `mostMB`, or no such cgroup any more.
 */
export function roomOfGroup(
  { version, folder }: Pick<MemoryGroup, "version" | "folder">,
  mostMB: number,
): MemoryRoom | undefined {
  const { limits, used, takenBack } = files[version];
  const limitsMB = limits.map((name) => limitIn(join(folder, name))).filter((limitMB) => limitMB < mostMB);
  // The root has no such files.
  if (limitsMB.length === 0) return undefined;
  const totalMB = Math.min(...limitsMB);
  try {
    const usedMB = Number(readFileSync(join(folder, used), "latin1")) / bytesPerMB;
    const stat = readFileSync(join(folder, "memory.stat"), "latin1");
    const bytes = takenBack.map((name) => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(stat)?.[1] ?? 0));
    const freedMB = bytes.reduce((sum, one) => sum + one, 0) / bytesPerMB;
    return { totalMB, availableMB: Math.max(0, totalMB - usedMB + freedMB) };
  } catch {
    // It can be removed at any time.
    return undefined;
  }
}

/** The memory cgroup that a process is in, by `/proc/PID/cgroup`, where it can be seen from here. */
export function parseOwnGroup(text: string, mounts: readonly CgroupMount[]): MemoryGroup | undefined {
  const classic = mounts.find(({ version, options }) => version === 1 && options.includes("memory"));
  const mount = classic ?? mounts.find(({ version }) => version === 2);
  if (mount === undefined) return undefined;
  const lines = text.split("\n").map((line) => /^\d+:([^:]*):(.*)$/.exec(line) ?? []);
  const isOurs = (names: string): boolean =>
    mount.version === 2 ? names === "" : names.split(",").includes("memory");
  const [, , path = "/"] = lines.find(([, names]) => names !== undefined && isOurs(names)) ?? [];
  const { version, mountPoint: top, root } = mount;
  const isBelow = root !== "/" && (path === root || path.startsWith(`${root}/`));
  const relative = isBelow ? path.slice(root.length) : path;
  return { version, folder: join(top, relative), top };
}

/** With all that it is in. */
function chainOf({ version, folder, top }: MemoryGroup): readonly MemoryGroup[] {
  const chain: MemoryGroup[] = [];
  for (let one = folder; one.startsWith(top) && one.length >= top.length; one = dirname(one)) {
    chain.push({ version, folder: one, top });
    if (one === top || one === "/") break;
  }
  return chain;
}

/** Reads this machine's, at each call. `containers`: the cgroup that all of them are in. */
export function memoryHere(containers?: MemoryGroup): () => readonly MemoryRoom[] {
  const mounts = parseMounts(readFileSync("/proc/self/mountinfo", "utf8"));
  const own = parseOwnGroup(readFileSync("/proc/self/cgroup", "utf8"), mounts);
  const chains = [own, containers].flatMap((group) => (group === undefined ? [] : chainOf(group)));
  const groups = [...new Map(chains.map((group) => [group.folder, group])).values()];
  return () => {
    const machine = roomOfMachine();
    const mostMB = machine?.totalMB ?? Number.POSITIVE_INFINITY;
    const rooms = [machine, ...groups.map((group) => roomOfGroup(group, mostMB))];
    return rooms.filter((room) => room !== undefined);
  };
}
