// What Docker is asked for when a container is made, as stock's `docker run` asks for it.

import type { ContainerBody } from "./engine.ts";
import { DockerError } from "./errors.ts";

/** `whisk.container-factory.container-args`, `whisk.container-pool`: the same for all containers. */
export interface DockerArguments {
  readonly network: string;
  readonly dnsServers: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
  /** `__OW_API_HOST` and the extra variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** Options of `docker run` without their dashes; each replaces what would be given otherwise. */
  readonly extraArgs: Readonly<Record<string, readonly string[]>>;
  readonly userMemoryMB: number;
  readonly userCpus?: number | undefined;
  /** False: Docker's own log driver, or that of the extra arguments; nothing is collected (`LogDriverLogStoreProvider`). */
  readonly collectsLogs: boolean;
}

const bytesPerMB = 1024 * 1024;
const nanosPerCpu = 1e9;
const fullShares = 1024;
const leastShares = 2;
const leastCpus = 0.01;

type HostConfig = NonNullable<ContainerBody["HostConfig"]> & { CgroupnsMode?: string };

/** How many of such a size fit; stock's measure of a container's part of the machine. */
function partsOf(memoryMB: number, userMemoryMB: number): number {
  return Math.max(1, Math.floor(userMemoryMB / memoryMB));
}

export function cpuShares(memoryMB: number, userMemoryMB: number): number {
  return Math.max(Math.floor(fullShares / partsOf(memoryMB, userMemoryMB)), leastShares);
}

/** To five decimals. */
export function cpuLimit(memoryMB: number, userMemoryMB: number, userCpus: number): number {
  return Math.max(Number((userCpus / partsOf(memoryMB, userMemoryMB)).toFixed(5)), leastCpus);
}

/** `wsk<uniqueName><N>_<counter>_<namespace>_<action>`; other characters than letters, digits and `_` are left out. */
export function containerName(prefix: string, counter: number, label: string): string {
  return `${namePrefix(prefix)}${counter}_${plain(label)}`;
}

/** By which containers of a former life are found. */
export function namePrefix(prefix: string): string {
  return `${plain(prefix)}_`;
}

function plain(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_]/g, "");
}

/** True: whoever asks for the image means the newest there is. */
export function isLatest(image: string): boolean {
  const [, tag = "latest"] = (image.split("/").at(-1) ?? "").split(":");
  return tag === "latest";
}

/** The body of Docker's `POST /containers/create`. Throws DockerError `arguments`. */
export function containerBody(image: string, memoryMB: number, args: DockerArguments): ContainerBody {
  const { userMemoryMB, userCpus } = args;
  const host: HostConfig = {
    CpuShares: cpuShares(memoryMB, userMemoryMB),
    Memory: memoryMB * bytesPerMB,
    MemorySwap: memoryMB * bytesPerMB,
    NetworkMode: args.network,
    Dns: [...args.dnsServers],
    DnsSearch: [...args.dnsSearch],
    DnsOptions: [...args.dnsOptions],
    CapDrop: ["NET_RAW", "NET_ADMIN"],
    Ulimits: [{ Name: "nofile", Soft: 1024, Hard: 1024 }],
    PidsLimit: 1024,
    ...(userCpus !== undefined && {
      NanoCpus: Math.round(cpuLimit(memoryMB, userMemoryMB, userCpus) * nanosPerCpu),
    }),
    ...(args.collectsLogs && { LogConfig: { Type: "json-file", Config: {} } }),
  };
  const body: ContainerBody = {
    Image: image,
    Env: Object.entries(args.environment).map(([name, value]) => `${name}=${value}`),
    HostConfig: host,
  };
  const unfit = unfitArguments(args.extraArgs);
  if (unfit.length > 0) {
    throw new DockerError("arguments", `extra-args: ${unfit.map(({ why }) => why).join("; ")}`);
  }
  for (const [name, values] of Object.entries(args.extraArgs)) apply(name, values, body, host);
  return body;
}

/**
 * Of `extra-args`; `value` is absent where the name itself is at fault: known to nobody, or meant for the `docker` program alone
 * (such as `rm`, `publish`).
 */
export interface UnfitArgument {
  readonly name: string;
  readonly value?: string;
  /** With the remedy. */
  readonly why: string;
}

export function unfitArguments(extraArgs: DockerArguments["extraArgs"]): readonly UnfitArgument[] {
  return Object.entries(extraArgs).flatMap(([name, values]) => {
    const reading = readingOf(name);
    if (reading === undefined)
      return [{ name, why: `--${name} cannot be given to Docker's API; leave it out` }];
    const { fits, shape } = shapes.get(reading) ?? anyText;
    return values.flatMap((value) => (fits(value) ? [] : [{ name, value, why: `--${name} takes ${shape}` }]));
  });
}

/** Of values that fit. */
type Reading = (values: readonly string[]) => unknown;

const list: Reading = (values) => [...values];
const text: Reading = (values) => values.at(-1) ?? "";
const flag: Reading = (values) => values.at(-1) !== "false";
const pairs: Reading = (values) => Object.fromEntries(values.map((value) => splitAt("=", value)));
const mounts: Reading = (values) => Object.fromEntries(values.map((value) => splitAt(":", value)));
const integer: Reading = (values) => Number(values.at(-1));
const cpus: Reading = (values) => Math.round(Number(values.at(-1)) * nanosPerCpu);

const sizeUnits = ["b", "k", "m", "g", "t", "p"];
const size = /^(-?\d*\.?\d+) ?([bkmgtp]?)i?b?$/i;
/** As Docker reads sizes (go-units, size.go): `512m`, `1.5 GiB`, and -1 for none. */
const bytes: Reading = (values) => {
  const [, digits, unit = "b"] = size.exec(values.at(-1) ?? "") ?? [];
  return Math.round(Number(digits) * 1024 ** sizeUnits.indexOf(unit.toLowerCase() || "b"));
};

const limits = /^(\w+)=(-?\d+)(?::(-?\d+))?$/;
/** `nofile=1024:2048`, or one number for both limits. */
const ulimits: Reading = (values) =>
  values.map((value) => {
    const [, Name, soft, hard = soft] = limits.exec(value) ?? [];
    return { Name, Soft: Number(soft), Hard: Number(hard) };
  });

const isNumber = (value: string): boolean => value.trim() !== "" && Number.isFinite(Number(value));
const anyText = { fits: (_: string): boolean => true, shape: "any text" };
/** Which values fit a reading; absent: all. */
const shapes: ReadonlyMap<Reading, typeof anyText> = new Map([
  [integer, { fits: (value) => isNumber(value) && Number.isInteger(Number(value)), shape: "a whole number" }],
  [cpus, { fits: isNumber, shape: "a number" }],
  [bytes, { fits: (value) => size.test(value), shape: "a size, such as 512m" }],
  [
    ulimits,
    { fits: (value) => limits.test(value), shape: "a name and its limits, such as nofile=1024:2048" },
  ],
]);

function splitAt(separator: string, value: string): [string, string] {
  const place = value.indexOf(separator);
  return place < 0 ? [value, ""] : [value.slice(0, place), value.slice(place + 1)];
}

/** Options of `docker run` that have a field in HostConfig. */
const hostFields: { readonly [name: string]: readonly [keyof HostConfig, Reading] } = {
  "add-host": ["ExtraHosts", list],
  "blkio-weight": ["BlkioWeight", integer],
  "cap-add": ["CapAdd", list],
  "cap-drop": ["CapDrop", list],
  "cgroup-parent": ["CgroupParent", text],
  cgroupns: ["CgroupnsMode", text],
  "cpu-period": ["CpuPeriod", integer],
  "cpu-quota": ["CpuQuota", integer],
  "cpu-shares": ["CpuShares", integer],
  cpus: ["NanoCpus", cpus],
  "cpuset-cpus": ["CpusetCpus", text],
  "cpuset-mems": ["CpusetMems", text],
  "device-cgroup-rule": ["DeviceCgroupRules", list],
  dns: ["Dns", list],
  "dns-opt": ["DnsOptions", list],
  "dns-option": ["DnsOptions", list],
  "dns-search": ["DnsSearch", list],
  "group-add": ["GroupAdd", list],
  init: ["Init", flag],
  ipc: ["IpcMode", text],
  memory: ["Memory", bytes],
  "memory-reservation": ["MemoryReservation", bytes],
  "memory-swap": ["MemorySwap", bytes],
  "memory-swappiness": ["MemorySwappiness", integer],
  net: ["NetworkMode", text],
  network: ["NetworkMode", text],
  "oom-kill-disable": ["OomKillDisable", flag],
  "oom-score-adj": ["OomScoreAdj", integer],
  pid: ["PidMode", text],
  "pids-limit": ["PidsLimit", integer],
  privileged: ["Privileged", flag],
  "read-only": ["ReadonlyRootfs", flag],
  runtime: ["Runtime", text],
  "security-opt": ["SecurityOpt", list],
  "shm-size": ["ShmSize", bytes],
  "storage-opt": ["StorageOpt", pairs],
  sysctl: ["Sysctls", pairs],
  tmpfs: ["Tmpfs", mounts],
  ulimit: ["Ulimits", ulimits],
  userns: ["UsernsMode", text],
  uts: ["UTSMode", text],
  volume: ["Binds", list],
  "volumes-from": ["VolumesFrom", list],
};

/** Those that have one beside it. */
const bodyFields: { readonly [name: string]: readonly [keyof ContainerBody, Reading] } = {
  domainname: ["Domainname", text],
  entrypoint: ["Entrypoint", list],
  hostname: ["Hostname", text],
  label: ["Labels", pairs],
  "mac-address": ["MacAddress", text],
  "stop-signal": ["StopSignal", text],
  user: ["User", text],
  workdir: ["WorkingDir", text],
};

/** Those that are put together with what else is said of the same. */
const otherFields: { readonly [name: string]: Reading } = { "log-driver": text, "log-opt": pairs, env: list };

function readingOf(name: string): Reading | undefined {
  if (Object.hasOwn(hostFields, name)) return hostFields[name]?.[1];
  if (Object.hasOwn(bodyFields, name)) return bodyFields[name]?.[1];
  return Object.hasOwn(otherFields, name) ? otherFields[name] : undefined;
}

function apply(name: string, values: readonly string[], body: ContainerBody, host: HostConfig): void {
  const hostField = hostFields[name];
  const bodyField = bodyFields[name];
  if (hostField !== undefined) Object.assign(host, { [hostField[0]]: hostField[1](values) });
  else if (bodyField !== undefined) Object.assign(body, { [bodyField[0]]: bodyField[1](values) });
  else if (name === "env") body.Env?.push(...values);
  else {
    const { Type, Config } = host.LogConfig ?? { Type: "", Config: {} };
    host.LogConfig =
      name === "log-driver"
        ? { Type: values.at(-1) ?? Type, Config }
        : { Type, Config: { ...Config, ...(pairs(values) as object) } };
  }
}
