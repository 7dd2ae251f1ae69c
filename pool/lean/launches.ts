// Starts launchers: what a container of a kind is made of, and which of it is its own.

import { closeSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startLean } from "../../restorer/index.ts";
import { digestOf, type Facts, ownDigest, treeDigest } from "../fingerprint.ts";
import { Blank, type Held } from "./blank.ts";
import type { CgroupTree } from "./cgroup-tree.ts";
import { ContainerCgroups, cpuSharesFor } from "./cgroups.ts";
import { LeanError } from "./errors.ts";
import { openFilter } from "./filter-file.ts";
import type { Interpreter } from "./interpreters.ts";
import type { Settled } from "./options.ts";
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

const fullCpuShares = 1024;
/** The kernel's range ends at 1000; the invoker's own is usually 0 or less. */
const oomScore = 500;
const filesPerScratchMB = 256;

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

interface LaunchHow {
  /** `--wait`: for a runtime to be ordered. `--embryo`: a process that waits is made at once, in our own pid namespace. */
  readonly option: "--wait" | "--embryo";
  readonly memoryMB: number;
  readonly onGone: () => void | Promise<void>;
}

/** What the containers of a factory have in common. */
interface Common {
  readonly tree: CgroupTree;
  /** The first part of their names. */
  readonly life: string;
  /** Of system calls, compiled. */
  readonly filter: Buffer;
  /** Their `resolv.conf`; undefined where they have no network. */
  readonly resolver: () => string | undefined;
}

export class Launches {
  readonly #options: Settled;
  readonly #tree: CgroupTree;
  readonly #life: string;
  readonly #resolver: () => string | undefined;
  readonly #sameForAll = systemOptions();
  readonly #filterFd: number;
  readonly #filterDigest: string;
  #made = 0;

  constructor(options: Settled, { tree, life, filter, resolver }: Common) {
    this.#options = options;
    this.#tree = tree;
    this.#life = life;
    this.#resolver = resolver;
    this.#filterFd = openFilter(filter, options.instance);
    this.#filterDigest = digestOf(filter);
  }

  /** Once nothing is started any more. */
  close(): void {
    closeSync(this.#filterFd);
  }

  /** What is the same in all containers of the interpreter's kind. Throws LeanError. */
  facts(interpreter: Interpreter): Facts {
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

  /** The code of an action that does nothing. Throws LeanError. */
  rehearsalOf({ family }: Interpreter): string {
    return this.#family(family).rehearsal;
  }

  /** Starts a launcher for what holds these. Rejects with LeanError; then nothing is left of it, nor of what it was to hold. */
  async launch(
    interpreter: Interpreter,
    held: Held,
    { option, memoryMB, onGone }: LaunchHow,
  ): Promise<Blank> {
    const id = `${this.#life}-${++this.#made}`;
    const { pidsMax, startTimeoutMs } = this.#options;
    let cgroups: ContainerCgroups | undefined;
    try {
      const limits = { memoryMB, pidsMax, cpuShares: this.#cpuShares(memoryMB) };
      cgroups = new ContainerCgroups(this.#tree, id, limits);
      const argv = this.#launcherOptions(interpreter, {
        ...{ id, uid: held.uid, joinFiles: cgroups.joinFiles },
        ...{ address: held.network.address, namespace: held.network.namespace },
        filter: `/proc/${process.pid}/fd/${this.#filterFd}`,
      });
      const inOurPids = option === "--embryo";
      const started = await startLean(this.#options.launcher, [option, ...argv], { inOurPids });
      return new Blank({ id, kind: interpreter.kind, held, cgroups, started, startTimeoutMs, onGone });
    } catch (cause) {
      await cgroups?.remove();
      await onGone();
      throw cause instanceof LeanError
        ? cause
        : new LeanError("start", `container ${id}: ${cause}`, { cause });
    }
  }

  /** Gives it that much memory, and the share of the processors that goes with it. */
  limit({ parts: { cgroups } }: Blank, memoryMB: number): void {
    cgroups.setMemoryMB(memoryMB);
    cgroups.setCpuShares(this.#cpuShares(memoryMB));
  }

  #cpuShares(memoryMB: number): number {
    const { userMemoryMB } = this.#options;
    return userMemoryMB === undefined ? fullCpuShares : cpuSharesFor(memoryMB, userMemoryMB);
  }

  #launcherOptions(
    interpreter: Interpreter,
    { id, uid, address, namespace, joinFiles, filter }: Particulars,
  ): readonly string[] {
    const { environment, openFiles, scratchMB } = this.#options;
    const net = { address, resolver: this.#resolver() };
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
}
