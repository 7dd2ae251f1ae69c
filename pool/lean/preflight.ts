// What this machine lacks for lean containers: all of it at once, each with its remedy.

import { accessSync, constants, readdirSync, readFileSync, statSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { nativeFolder } from "../../restorer/index.ts";
import { controllerRemedy, controllers, hierarchiesHere } from "./cgroup-tree.ts";
import { families } from "./interpreters.ts";
import type { NameServers } from "./name-servers.ts";
import { type Finding, networkFindings } from "./network-preflight.ts";
import { repositoryFolder } from "./repository.ts";

export type { Finding } from "./network-preflight.ts";

/** mount_setattr(2), by which a container's view of the host becomes read-only with all that is mounted below. */
const oldestKernel = [5, 12] as const;

/** linux/capability.h: what setting up, watching and rewinding containers takes. */
const needed = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_FOWNER: 3,
  CAP_KILL: 5,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_SETPCAP: 8,
  CAP_NET_ADMIN: 12,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_ADMIN: 21,
} as const;

const namespaces = ["pid", "mnt", "ipc", "uts", "net", "cgroup"] as const;
const programs = ["lean", "guard", "librewind.so"] as const;

/** Capabilities that the mask of `/proc/PID/status` (CapEff, hexadecimal) does not hold. */
export function missingCapabilities(mask: string): readonly string[] {
  const held = BigInt(`0x${mask}`);
  return Object.entries(needed).flatMap(([name, bit]) => ((held >> BigInt(bit)) & 1n ? [] : [name]));
}

/** Whether a release such as `6.1.0-13-amd64` is recent enough. */
export function isKernelRecent(text: string): boolean {
  const [major = 0, minor = 0] = text.split(".").map((part) => Number.parseInt(part, 10));
  return major > oldestKernel[0] || (major === oldestKernel[0] && minor >= oldestKernel[1]);
}

function isThere(path: string, mode: number = constants.F_OK): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

function lackingPrivileges(): readonly Finding[] {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1] ?? "0";
  const lacking = missingCapabilities(mask);
  if (lacking.length === 0) return [];
  return [{ missing: lacking.join(", "), remedy: "start rewhisk as root with these capabilities" }];
}

function lackingKernel(): readonly Finding[] {
  const findings: Finding[] = [];
  if (!isKernelRecent(release()))
    findings.push({
      missing: `Linux ${oldestKernel.join(".")} (this is ${release()})`,
      remedy: "boot a newer kernel",
    });
  const absent = namespaces.filter((name) => !isThere(`/proc/self/ns/${name}`));
  if (absent.length > 0)
    findings.push({
      missing: `namespaces ${absent.join(", ")}`,
      remedy: "a kernel with CONFIG_NAMESPACES and these kinds of it",
    });
  if (!isThere("/proc/sys/kernel/seccomp/actions_avail"))
    findings.push({ missing: "seccomp filters", remedy: "a kernel with CONFIG_SECCOMP_FILTER" });
  return findings;
}

function lackingCgroups(): readonly Finding[] {
  const here = hierarchiesHere();
  const absent = controllers.filter((name) => !here.has(name));
  const findings: Finding[] = [];
  if (absent.length > 0)
    findings.push({ missing: `cgroup controllers ${absent.join(", ")}`, remedy: controllerRemedy });
  const bases = [...new Set([...here.values()].map(({ base }) => base))];
  const closed = bases.filter((base) => !isThere(base, constants.W_OK));
  if (closed.length > 0)
    findings.push({ missing: `write access to ${closed.join(", ")}`, remedy: controllerRemedy });
  return findings;
}

function lackingPrograms(): readonly Finding[] {
  return programs
    .filter((name) => !isThere(join(nativeFolder, name), constants.R_OK))
    .map((name) => ({ missing: join(nativeFolder, name), remedy: "build it: npm run build" }));
}

/** Those of these folders, and of what lies in them, that their owner alone can read, as in a checkout made with umask 077. */
export function closedToOthers(folders: readonly string[]): readonly string[] {
  const entries = (folder: string): string[] => readdirSync(folder).map((name) => join(folder, name));
  return folders.flatMap((folder) => [folder, ...entries(folder)]).filter((path) => !isOpen(path));
}

function isOpen(path: string): boolean {
  const stat = statSync(path);
  const wanted = stat.isDirectory() ? constants.S_IROTH | constants.S_IXOTH : constants.S_IROTH;
  return (stat.mode & wanted) === wanted;
}

function lackingRights(): readonly Finding[] {
  const closed = closedToOthers(families.map((family) => join(repositoryFolder, "runtimes", family)));
  if (closed.length === 0) return [];
  const missing = `right to read ${closed[0]}, which the containers' users need`;
  return [{ missing, remedy: `chmod -R go+rX ${repositoryFolder}` }];
}

/** Nothing is changed by looking. An empty list: containers can be made; with `nat`, those that reach the outside. */
export function preflight(nat?: NameServers): Promise<readonly Finding[]> {
  return Promise.resolve([
    ...lackingKernel(),
    ...lackingPrivileges(),
    ...lackingCgroups(),
    ...lackingPrograms(),
    ...lackingRights(),
    ...(nat === undefined ? [] : networkFindings(nat)),
  ]);
}
