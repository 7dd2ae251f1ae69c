// Booting: a waiting process becomes another one of a checkpointed process, whose image both have.

import { fromNative, RestorerError } from "./errors.ts";
import {
  type NativeError,
  type NativeSummary,
  type ProcessHandle,
  rwBoot,
  rwRelease,
  rwTemplate,
} from "./native.ts";

/** A process that has one thread, and executes the template's program as soon as it can read a byte. */
export interface Waiting {
  /** In the host's pid namespace. */
  readonly pid: number;
  /** The host's descriptor of what it reads from. */
  readonly goFd: number;
}

/** The image of a checkpoint, which lives as long as it is booted from, whatever becomes of the process. */
export class Template {
  readonly #handle: ProcessHandle;
  #underWay = 0;
  #isReleased: boolean = false;

  private constructor(handle: ProcessHandle) {
    this.#handle = handle;
  }

  /** No call may be under way on the process. Throws RestorerError. */
  static of(process: ProcessHandle): Template {
    const error = {} as NativeError;
    const template: [ProcessHandle | null] = [null];
    if (rwTemplate(process, template, error) === 0 && template[0]) return new Template(template[0]);
    throw fromNative("template", error);
  }

  /** Any number at once. Throws RestorerError; then the process has been killed, where it could be stopped at all. */
  async boot(
    { pid, goFd }: Waiting,
    options: { readonly verify: boolean },
  ): Promise<{ readonly handle: ProcessHandle; readonly summary: NativeSummary }> {
    if (this.#isReleased) throw new RestorerError("system", "the template has been released", true);
    const error = {} as NativeError;
    const summary = {} as NativeSummary;
    const booted: [ProcessHandle | null] = [null];
    this.#underWay++;
    try {
      const failed = await rwBoot(this.#handle, pid, goFd, options.verify ? 1 : 0, booted, summary, error);
      if (failed === 0 && booted[0]) return { handle: booted[0], summary };
      throw fromNative(`boot of process ${pid}`, error);
    } finally {
      if (--this.#underWay === 0 && this.#isReleased) rwRelease(this.#handle);
    }
  }

  /** Frees the image as soon as no boot needs it. Idempotent. */
  release(): void {
    if (!this.#isReleased && this.#underWay === 0) rwRelease(this.#handle);
    this.#isReleased = true;
  }
}
