// Makes lean containers: a runtime of this machine in namespaces, cgroups and a file system of its own.

import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type LeanStart, scratchPath, startLean, syscallNumber } from "../../restorer/index.ts";
import { CgroupTree } from "./cgroup-tree.ts";
import { ContainerCgroups, cpuSharesFor, removeLeftover } from "./cgroups.ts";
import { LeanError } from "./errors.ts";
import { Guard } from "./guard.ts";
import type { Interpreter } from "./interpreters.ts";
import { Launcher } from "./launcher.ts";
import { repositoryFolder } from "./repository.ts";
import {
  identityOptions,
  interpreterInside,
  type RuntimeMount,
  runtimeOptions,
  searchPath,
  systemOptions,
  workFolder,
} from "./rootfs.ts";
import { LeanSandbox, type Sandbox } from "./sandbox.ts";
import { compileProfile, type Profile } from "./seccomp.ts";
import { UidRange } from "./uids.ts";

export type { Exit, Sandbox } from "./sandbox.ts";

export interface SandboxFactory {
  /** Throws LeanError; nothing is left behind then. */
  create(kind: string, memoryMB: number): Promise<Sandbox>;
  kinds(): readonly string[];
  /** Of a former life with the same instance name: kills what still runs and removes its cgroups and files. */
  removeLeftovers(): Promise<void>;
  /** Destroys all containers and refuses to make more. Idempotent. */
  close(): Promise<void>;
}

export interface LeanFactoryOptions {
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
  readonly firstUid?: number;
  readonly uidCount?: number;
  /** For setting up a container, not for its runtime to become ready. */
  readonly startTimeoutMs?: number;
}

/** As OpenWhisk's Docker containers have it (`--pids-limit 1024 --ulimit nofile=1024:1024`). */
const defaults = {
  pidsMax: 1024,
  openFiles: 1024,
  firstUid: 600_000,
  uidCount: 4096,
  startTimeoutMs: 10_000,
};
const fullCpuShares = 1024;
/** The kernel's range ends at 1000; the invoker's own is usually 0 or less. */
const oomScore = 500;
const filesPerScratchMB = 256;
/** The runtime is the launcher's only child: the second process of its pid namespace. */
const runtimePidInside = "2";

interface Family {
  readonly arguments: readonly string[];
  readonly mounts: readonly RuntimeMount[];
}

class LeanFactory implements SandboxFactory {
  readonly #options: LeanFactoryOptions & typeof defaults & { readonly repository: string };
  readonly #interpreters: ReadonlyMap<string, Interpreter>;
  readonly #tree: CgroupTree;
  readonly #uids: UidRange;
  readonly #sameForAll: readonly string[];
  readonly #guard: Guard;
  readonly #filterFd: number;
  /** Containers of two lives never have the same name. */
  readonly #life = randomBytes(4).toString("hex");
  readonly #alive = new Set<Sandbox>();
  readonly #beingMade = new Set<Promise<Sandbox>>();
  #made = 0;
  #closed: Promise<void> | undefined;

  constructor(options: LeanFactoryOptions) {
    this.#options = { ...defaults, repository: repositoryFolder, ...options };
    this.#interpreters = new Map(options.interpreters.map((one) => [one.kind, one]));
    this.#uids = new UidRange(this.#options.firstUid, this.#options.uidCount);
    this.#sameForAll = systemOptions();
    const filter = this.#compileFilter();
    this.#tree = new CgroupTree(options.instance, this.#life);
    this.#guard = new Guard(this.#tree.folders);
    this.#filterFd = openFilter(filter, filterPrefix(options.instance));
  }

  kinds(): readonly string[] {
    return [...this.#interpreters.keys()];
  }

  async create(kind: string, memoryMB: number): Promise<Sandbox> {
    if (this.#closed !== undefined) throw new LeanError("closed", "no more containers are made");
    const interpreter = this.#interpreters.get(kind);
    if (interpreter === undefined)
      throw new LeanError("unknown-kind", `no interpreter for ${kind}; there are ${this.kinds().join(", ")}`);
    const making = this.#make(interpreter, memoryMB);
    this.#beingMade.add(making);
    try {
      return await making;
    } finally {
      this.#beingMade.delete(making);
    }
  }

  async removeLeftovers(): Promise<void> {
    for (const folder of this.#tree.otherLives()) await removeLeftover(folder);
    const filter = filterPrefix(this.#options.instance);
    for (const name of readdirSync(tmpdir()))
      if (name.startsWith(filter)) rmSync(join(tmpdir(), name), { force: true });
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  async #closeAll(): Promise<void> {
    await Promise.allSettled(this.#beingMade);
    await Promise.all([...this.#alive].map((sandbox) => sandbox.destroy()));
    closeSync(this.#filterFd);
    this.#tree.remove();
    await this.#guard.end();
  }

  async #make(interpreter: Interpreter, memoryMB: number): Promise<Sandbox> {
    const id = `${this.#life}-${++this.#made}`;
    const { userMemoryMB, pidsMax } = this.#options;
    const cpuShares = userMemoryMB === undefined ? fullCpuShares : cpuSharesFor(memoryMB, userMemoryMB);
    const uid = this.#uids.take();
    let cgroups: ContainerCgroups | undefined;
    let started: LeanStart | undefined;
    try {
      cgroups = new ContainerCgroups(this.#tree, id, { memoryMB, pidsMax, cpuShares });
      const argv = this.#launcherOptions(interpreter, { id, uid, cgroups });
      started = startLean(this.#options.launcher, argv);
    } catch (cause) {
      await cgroups?.remove();
      this.#uids.giveBack(uid);
      throw cause instanceof LeanError
        ? cause
        : new LeanError("start", `container ${id}: ${cause}`, { cause });
    }
    return await this.#await(started, { id, kind: interpreter.kind, uid, cgroups });
  }

  /** From the start of the launcher to that of the runtime. */
  async #await(
    started: LeanStart,
    { id, kind, uid, cgroups }: { id: string; kind: string; uid: number; cgroups: ContainerCgroups },
  ): Promise<Sandbox> {
    const launcher = new Launcher(started);
    try {
      await this.#awaitRuntime(id, launcher);
      const runtimePid = findRuntime(cgroups);
      const scratchFd = openSync(scratchPath(started.initPid), constants.O_RDONLY | constants.O_DIRECTORY);
      const onGone = (): void => {
        this.#alive.delete(sandbox);
        this.#uids.giveBack(uid);
      };
      const sandbox = new LeanSandbox({
        id,
        kind,
        runtimePid,
        started,
        launcher,
        cgroups,
        scratchFd,
        onGone,
      });
      this.#alive.add(sandbox);
      return sandbox;
    } catch (cause) {
      launcher.kill();
      const end = await launcher.ended;
      for (const fd of [started.channelFd, started.stdoutFd, started.stderrFd]) closeSync(fd);
      await cgroups.remove();
      this.#uids.giveBack(uid);
      if (cause instanceof LeanError) throw cause;
      throw new LeanError("start", `container ${id}: ${end.message || cause}`, { cause });
    }
  }

  async #awaitRuntime(id: string, launcher: Launcher): Promise<void> {
    const { startTimeoutMs } = this.#options;
    const waiting = new AbortController();
    const tooLate = sleep(startTimeoutMs, "too late" as const, { signal: waiting.signal });
    try {
      const first = await Promise.race([
        launcher.started.then(() => "started" as const),
        launcher.ended,
        tooLate,
      ]);
      if (first === "started") return;
      if (first === "too late")
        throw new LeanError("start", `container ${id} was not set up within ${startTimeoutMs} ms`);
      const how =
        first.cause === "failed" ? first.message : `${first.cause} ${first.status} ${first.message}`;
      throw new LeanError("start", `container ${id} could not be set up: ${how}`);
    } finally {
      tooLate.catch(() => undefined);
      waiting.abort();
    }
  }

  #launcherOptions(
    interpreter: Interpreter,
    { id, uid, cgroups }: { id: string; uid: number; cgroups: ContainerCgroups },
  ): readonly string[] {
    const { environment, openFiles, scratchMB } = this.#options;
    const family = this.#family(interpreter.family);
    const program = interpreterInside(interpreter.path);
    const variables = { PATH: searchPath, HOME: workFolder, LANG: "C.UTF-8", ...environment };
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
      ...this.#sameForAll,
      ...identityOptions({ uid, hostname: id }),
      ...options,
      ...cgroups.joinFiles.flatMap((file) => ["--join", file]),
      ...Object.entries(variables).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
      ...["--filter", `/proc/${process.pid}/fd/${this.#filterFd}`],
      ...["--uid", `${uid}`, "--gid", `${uid}`, "--hostname", id, "--cwd", workFolder],
      ...["--scratch-mb", `${scratchMB}`, "--scratch-inodes", `${scratchMB * filesPerScratchMB}`],
      ...["--nofile", `${openFiles}`, "--oom-score", `${oomScore}`],
      ...["--", program.to, ...family.arguments],
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

  #compileFilter(): Buffer {
    const file = join(this.#options.repository, "pool/lean/seccomp.json");
    return compileProfile(JSON.parse(readFileSync(file, "utf8")) as Profile, syscallNumber);
  }
}

/** By which a file is found that a life left which was killed between making and unlinking it. */
function filterPrefix(instance: string): string {
  return `rewhisk-filter-${instance}.`;
}

/** A file without a name: launchers read it by way of /proc, and nothing is left of it when we are gone. */
function openFilter(program: Buffer, prefix: string): number {
  const path = join(tmpdir(), prefix + randomBytes(8).toString("hex"));
  const fd = openSync(path, "wx+", 0o600);
  unlinkSync(path);
  writeSync(fd, program);
  return fd;
}

/** By the time we look it may have made children already. */
function findRuntime(cgroups: ContainerCgroups): number {
  const found = cgroups.processes().find((pid) => {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    return /^NSpid:.*\s(\d+)$/m.exec(status)?.[1] === runtimePidInside;
  });
  if (found === undefined) throw new LeanError("start", "the runtime ended at once");
  return found;
}

/** Throws LeanError where cgroups cannot be made, or files of the installation are missing. */
export function createLeanFactory(options: LeanFactoryOptions): SandboxFactory {
  return new LeanFactory(options);
}
