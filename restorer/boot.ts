// Booting: a waiting process becomes another one of a checkpointed process, whose image both have.

import { closeSync } from "node:fs";
import { fromNative, RestorerError } from "./errors.ts";
import { openLauncher } from "./lean.ts";
import {
  type NativeError,
  type NativeSummary,
  type ProcessHandle,
  rwBoot,
  rwBootFrom,
  rwEmbryo,
  rwTemplate,
  rwTemplateLoad,
  rwTemplateSave,
} from "./native.ts";
import { Shared } from "./shared.ts";

/** A process that has one thread, and executes the template's program as soon as it can read a byte. */
export interface WaitingProcess {
  /** In the host's pid namespace. */
  readonly pid: number;
  /** The host's descriptor of what it reads from. */
  readonly goFd: number;
}

/** A container without a runtime, whose launcher waits for one. */
export interface Vacancy {
  /** Its launcher's at the moment of asking: to be used before anything is awaited. Throws where the launcher has been collected. */
  readonly initPid: number;
  /** Of the runtime. */
  readonly uid: number;
  readonly gid: number;
  /** By which a process joins its cgroups: `tasks` of version 1, `cgroup.procs` of version 2. */
  readonly joinFiles: readonly string[];
  /** So many of the launcher's descriptors, from the first on, are the runtime's as well. */
  readonly given: number;
}

/** Where a runtime can be booted in one way or the other. */
export interface Place {
  readonly vacancy: Vacancy;
  /** Has the launcher make a process that waits. The place is no longer vacant then. */
  readonly wait: () => Promise<WaitingProcess>;
  /**
   * Makes a process elsewhere, of the same program, which waits; gives it to `make`, and what ends it to the caller. Where `make`
   * throws, nothing is left of the process, and the error has that one's as its cause.
   */
  readonly conceive: (make: (waiting: WaitingProcess) => Promise<void>) => Promise<() => Promise<void>>;
}

export type Waiting = WaitingProcess | Place;

interface Booted {
  readonly handle: ProcessHandle;
  readonly summary: NativeSummary;
  /** To be called once, when no process of the container is left. */
  readonly onGone?: () => void;
}

/** The image of a checkpoint, which lives as long as it is booted from, whatever becomes of the process. */
export class Template {
  readonly #shared: Shared;
  /** Of what runtimes share their memory with; undefined where there is none, and they have memory of their own. */
  #embryo: Promise<Embryo | undefined> | undefined;
  #whyCopied: Error | undefined;

  private constructor(handle: ProcessHandle) {
    this.#shared = new Shared(handle, "the template");
  }

  /** No call may be under way on the process. Throws RestorerError. */
  static of(process: ProcessHandle): Template {
    const error = {} as NativeError;
    const template: [ProcessHandle | null] = [null];
    if (rwTemplate(process, template, error) === 0 && template[0]) return new Template(template[0]);
    throw fromNative("template", error);
  }

  /** One that `save` has written. The bytes must not change meanwhile. Rejects with RestorerError. */
  static async load(bytes: Buffer): Promise<Template> {
    const error = {} as NativeError;
    const template: [ProcessHandle | null] = [null];
    const failed = await rwTemplateLoad(bytes, bytes.length, template, error);
    if (failed === 0 && template[0]) return new Template(template[0]);
    throw fromNative("load a template", error);
  }

  /** Writes it to a file, from where that is: to be loaded by the same build on the same machine. Rejects with RestorerError. */
  save(fd: number): Promise<void> {
    return this.#shared.use(async (handle) => {
      const error = {} as NativeError;
      if ((await rwTemplateSave(handle, fd, error)) !== 0) throw fromNative("save a template", error);
    });
  }

  /** Why runtimes that could share their memory have memory of their own from now on. */
  get whyCopied(): Error | undefined {
    return this.#whyCopied;
  }

  /** Any number at once. Throws RestorerError; then the process has been killed, where it could be stopped at all. */
  async boot(waiting: Waiting, options: { readonly verify: boolean }): Promise<Booted> {
    if ("pid" in waiting) return await this.#bootProcess(waiting, options);
    const { vacancy, wait, conceive } = waiting;
    this.#embryo ??= this.#conceive(conceive);
    const embryo = await this.#embryo;
    try {
      if (embryo !== undefined) return await embryo.boot(vacancy, options);
    } catch (failure) {
      if (!(failure instanceof RestorerError && failure.code === "lost-thread")) throw failure;
      this.#embryo = Promise.resolve(undefined);
      this.#whyCopied ??= failure;
      embryo?.release();
    }
    return await this.#bootProcess(await wait(), options);
  }

  /** Makes the process one that others are forked from; `end` ends it. Throws RestorerError, as `boot` does. */
  embryo({ pid, goFd }: WaitingProcess, end: () => Promise<void>): Promise<Embryo> {
    return this.#shared.use(async (handle) => {
      const error = {} as NativeError;
      const embryo: [ProcessHandle | null] = [null];
      const failed = await rwEmbryo(handle, pid, goFd, embryo, error);
      if (failed === 0 && embryo[0]) return new Embryo(embryo[0], end);
      throw fromNative(`embryo of process ${pid}`, error);
    });
  }

  /** Of which nobody is born any more: a boot that hangs would hold a thread that all calls share, until it ends. */
  endEmbryo(): void {
    this.#embryo?.then((embryo) => embryo?.end()).catch(() => undefined);
    this.#embryo = Promise.resolve(undefined);
  }

  /** Frees the image as soon as no boot needs it, and ends the embryo with the last that was born of it. Idempotent. */
  release(): void {
    this.#shared.release();
    this.#embryo?.then((embryo) => embryo?.release()).catch(() => undefined);
    this.#embryo = Promise.resolve(undefined);
  }

  #bootProcess({ pid, goFd }: WaitingProcess, { verify }: { readonly verify: boolean }): Promise<Booted> {
    return this.#shared.use(async (handle) => {
      const error = {} as NativeError;
      const summary = {} as NativeSummary;
      const booted: [ProcessHandle | null] = [null];
      const failed = await rwBoot(handle, pid, goFd, verify ? 1 : 0, booted, summary, error);
      if (failed === 0 && booted[0]) return { handle: booted[0], summary };
      throw fromNative(`boot of process ${pid}`, error);
    });
  }

  async #conceive(conceive: Place["conceive"]): Promise<Embryo | undefined> {
    let embryo: Embryo | undefined;
    let end: (() => Promise<void>) | undefined;
    try {
      end = await conceive(async (waiting) => {
        embryo = await this.embryo(waiting, async () => end?.());
      });
    } catch (failure) {
      embryo?.release();
      this.#whyCopied = failure instanceof Error ? failure : new Error(String(failure));
      return undefined;
    }
    return embryo;
  }
}

/** A process that has a template's memory and never runs. */
export class Embryo {
  readonly #shared: Shared;
  readonly #end: () => Promise<void>;
  /** Of those that were born of it, and are being born. */
  #living = 0;
  #isReleased: boolean = false;

  constructor(handle: ProcessHandle, end: () => Promise<void>) {
    this.#shared = new Shared(handle, "the embryo");
    this.#end = end;
  }

  /** Any number at once. Throws RestorerError: `lost-thread` where the embryo has ended. Nothing is left of the new process then. */
  async boot(vacancy: Vacancy, options: { readonly verify: boolean }): Promise<Booted> {
    const onGone = (): void => {
      this.#living--;
      this.#endIfLast();
    };
    this.#living++;
    try {
      return { ...(await this.#bear(vacancy, options)), onGone };
    } catch (error) {
      onGone();
      throw error;
    }
  }

  #bear(vacancy: Vacancy, { verify }: { readonly verify: boolean }): Promise<Booted> {
    return this.#shared.use(async (handle) => {
      const { initPid, uid, gid, joinFiles, given } = vacancy;
      // Certain: launchers are collected by this thread alone, which awaits nothing between this number and the descriptor.
      const initFd = openLauncher(initPid);
      const error = {} as NativeError;
      const summary = {} as NativeSummary;
      const booted: [ProcessHandle | null] = [null];
      const cgroups = Buffer.from(joinFiles.map((file) => `${file}\0`).join(""));
      const failed = await rwBootFrom(
        ...([handle, initPid, initFd, uid, gid, cgroups, cgroups.length, given, verify ? 1 : 0] as const),
        ...([booted, summary, error] as const),
      ).finally(() => closeSync(initFd));
      if (failed === 0 && booted[0]) return { handle: booted[0], summary };
      throw fromNative(`boot in the container of ${initPid}`, error);
    });
  }

  /**
   * Nobody is born of it any more. It ends with the last that was: at the first write to a page the kernel copies what others have as
   * well, and gives a process what it alone has, so that without the embryo the time of a write would tell which it was, and what is had
   * so is charged to nobody. Idempotent.
   */
  release(): void {
    this.#isReleased = true;
    this.#shared.release();
    this.#endIfLast();
  }

  /** At once, whoever was born of it: those go on. */
  end(): void {
    this.#isReleased = true;
    this.#shared.release();
    // Whoever has made it says what is left when it ends everything.
    this.#end().catch(() => undefined);
  }

  #endIfLast(): void {
    if (this.#isReleased && this.#living === 0) this.end();
  }
}
