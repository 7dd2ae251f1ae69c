// Where on this machine the cgroups of containers go: version 1, version 2, or some controllers of each.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { LeanError } from "./errors.ts";

export const controllers = ["memory", "pids", "cpu"] as const;
export type Controller = (typeof controllers)[number];

/** A hierarchy that has a controller, and the folder in it below which rewhisk makes its own. */
export interface Hierarchy {
  readonly version: 1 | 2;
  readonly base: string;
}

/** One mount of type cgroup or cgroup2, from `/proc/self/mountinfo`. */
export interface CgroupMount {
  readonly version: 1 | 2;
  readonly mountPoint: string;
  /** Which part of the hierarchy is mounted; "/" for all of it. */
  readonly root: string;
  /** Version 1: its controllers. */
  readonly options: readonly string[];
}

/** The processes of ours that would stand in the way of child cgroups with controllers (version 2) are moved here. */
const hostLeaf = "rewhisk-host";

/** proc_pid_mountinfo(5): ... root mountPoint options [optional]... - type source superOptions */
export function parseMounts(mountinfo: string): readonly CgroupMount[] {
  return mountinfo.split("\n").flatMap((line): CgroupMount[] => {
    const [front = "", back = ""] = line.split(" - ");
    const [type = "", , superOptions = ""] = back.split(" ");
    if (type !== "cgroup" && type !== "cgroup2") return [];
    const [, , , root = "/", mountPoint = ""] = front.split(" ");
    const version = type === "cgroup" ? 1 : 2;
    return [{ version, mountPoint: unescapePath(mountPoint), root, options: superOptions.split(",") }];
  });
}

function unescapePath(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Our own version 2 cgroup from `/proc/self/cgroup`: "0::/path". */
export function parseOwnCgroup(text: string): string {
  const line = text.split("\n").find((entry) => entry.startsWith("0::"));
  return line?.slice(3) ?? "/";
}

/**
 * Below which folder of a version 2 hierarchy we may make cgroups. A systemd service (which must have `Delegate=yes`) and a
 * container with its own part of the tree stay within what they were given; otherwise, as Docker's cgroupfs driver does,
 * it is the root: a login session's cgroup holds processes that are not ours to move.
 */
export function chooseUnifiedBase(mount: CgroupMount, own: string): string {
  const relative = own.startsWith(mount.root) ? own.slice(mount.root === "/" ? 0 : mount.root.length) : "/";
  const withoutLeaf = relative.endsWith(`/${hostLeaf}`) ? relative.slice(0, -hostLeaf.length - 1) : relative;
  return withoutLeaf.endsWith(".service") ? join(mount.mountPoint, withoutLeaf) : mount.mountPoint;
}

/** The hierarchy of each controller; missing where it is neither mounted as version 1 nor offered by version 2. */
export function findHierarchies(
  mounts: readonly CgroupMount[],
  own: string,
  offered: (base: string) => readonly string[],
): ReadonlyMap<Controller, Hierarchy> {
  const found = new Map<Controller, Hierarchy>();
  const unified = mounts.find(({ version }) => version === 2);
  const unifiedBase = unified && chooseUnifiedBase(unified, own);
  const inUnified = unifiedBase === undefined ? [] : offered(unifiedBase);
  for (const controller of controllers) {
    const classic = mounts.find(({ version, options }) => version === 1 && options.includes(controller));
    if (classic) found.set(controller, { version: 1, base: classic.mountPoint });
    else if (unifiedBase !== undefined && inUnified.includes(controller))
      found.set(controller, { version: 2, base: unifiedBase });
  }
  return found;
}

function readControllers(base: string): readonly string[] {
  const file = join(base, "cgroup.controllers");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split(" ") : [];
}

/** The hierarchies of this machine. */
export function hierarchiesHere(): ReadonlyMap<Controller, Hierarchy> {
  const mounts = parseMounts(readFileSync("/proc/self/mountinfo", "utf8"));
  const own = parseOwnCgroup(readFileSync("/proc/self/cgroup", "utf8"));
  return findHierarchies(mounts, own, readControllers);
}

/** Writes to one of the kernel's files, which is there or else an error. */
export function put(file: string, text: string): void {
  writeFileSync(file, text, { flag: "r+" });
}

/** Version 2: a cgroup with processes of its own cannot hand on controllers, unless it is the hierarchy's root. */
function moveOwnProcesses(base: string): void {
  if (!existsSync(join(base, "cgroup.type"))) return;
  const leaf = join(base, hostLeaf);
  for (const pid of readFileSync(join(base, "cgroup.procs"), "utf8").split("\n").filter(Boolean)) {
    mkdirSync(leaf, { recursive: true });
    put(join(leaf, "cgroup.procs"), pid);
  }
}

function handOn(folder: string, wanted: readonly Controller[]): void {
  put(join(folder, "cgroup.subtree_control"), wanted.map((name) => `+${name}`).join(" "));
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!["EBUSY", "ENOTEMPTY", "ENOENT"].includes(code)) throw error;
  }
}

/**
 * The folders of one life of an instance, one for each hierarchy, made and ready for containers' folders below:
 * `rewhisk/INSTANCE/LIFE`. With a folder of its own a life is not disturbed by whoever clears up after an earlier one.
 */
export class CgroupTree {
  readonly #folders = new Map<Controller, { readonly version: 1 | 2; readonly folder: string }>();

  /** Throws LeanError where a controller is missing or a folder cannot be made. */
  constructor(
    instance: string,
    life: string,
    hierarchies: ReadonlyMap<Controller, Hierarchy> = hierarchiesHere(),
  ) {
    const missing = controllers.filter((controller) => !hierarchies.has(controller));
    if (missing.length > 0)
      throw new LeanError("cgroup", `no cgroup controller ${missing.join(", ")}: ${controllerRemedy}`);
    const inUnified = controllers.filter((controller) => hierarchies.get(controller)?.version === 2);
    try {
      for (const [controller, { version, base }] of hierarchies) {
        const folder = join(base, "rewhisk", instance, life);
        mkdirSync(folder, { recursive: true });
        this.#folders.set(controller, { version, folder });
      }
      const unifiedBase = inUnified[0] && hierarchies.get(inUnified[0])?.base;
      if (unifiedBase !== undefined) {
        moveOwnProcesses(unifiedBase);
        for (const folder of [
          unifiedBase,
          join(unifiedBase, "rewhisk"),
          join(unifiedBase, "rewhisk", instance),
          join(unifiedBase, "rewhisk", instance, life),
        ])
          handOn(folder, inUnified);
      }
    } catch (cause) {
      throw new LeanError("cgroup", `cannot prepare cgroups: ${controllerRemedy}`, { cause });
    }
  }

  /** The folder of a container, not made here. */
  place(controller: Controller, id: string): { readonly version: 1 | 2; readonly folder: string } {
    const { version, folder } = this.#folder(controller);
    return { version, folder: join(folder, id) };
  }

  #folder(controller: Controller): { readonly version: 1 | 2; readonly folder: string } {
    const found = this.#folders.get(controller);
    if (found === undefined) throw new LeanError("cgroup", `no cgroup controller ${controller}`);
    return found;
  }

  /** The life's, in the hierarchy that limits memory. */
  get memory(): { readonly version: 1 | 2; readonly folder: string; readonly top: string } {
    const { version, folder } = this.#folder("memory");
    return { version, folder, top: dirname(dirname(dirname(folder))) };
  }

  /** One for each hierarchy. */
  get folders(): readonly string[] {
    return [...new Set([...this.#folders.values()].map(({ folder }) => folder))];
  }

  /** Folders of the same instance's other lives. */
  otherLives(): readonly string[] {
    return this.folders.flatMap((own) =>
      readdirSync(dirname(own), { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && entry.name !== basename(own))
        .map(({ name }) => join(dirname(own), name)),
    );
  }

  /** Removes the life's folders, and those above unless others are in them. What holds a container stays. */
  remove(): void {
    for (const folder of this.folders)
      for (const empty of [folder, dirname(folder), dirname(dirname(folder))]) removeIfEmpty(empty);
  }
}

export const controllerRemedy =
  "run as root with the controllers memory, pids and cpu (version 1 or 2) writable under /sys/fs/cgroup; as a systemd service with Delegate=yes";
