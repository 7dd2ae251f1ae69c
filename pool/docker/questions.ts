// One question to Docker: how long an answer is waited for, what its want means, and whether Docker is there at all.

import { existsSync } from "node:fs";
import { type Alarm, deadline } from "../time.ts";
import { DockerError } from "./errors.ts";
import { Silence } from "./silence.ts";

/** Told once when Docker does not answer, with the reason, and once when it does: first of all, or again. */
export type OnReach = (failure: DockerError | undefined) => void;

export interface Hearing {
  readonly onReach?: OnReach | undefined;
  /** Docker has fallen silent, or answers again. */
  readonly onSilence?: () => void;
  /** For tests. */
  readonly alarm?: Alarm | undefined;
}

export interface Question<Value> {
  /** In `docker`'s words. */
  readonly what: string;
  readonly limitMs: number;
  /** A healthy Docker answers soon, whatever runs in the container: no answer to any such question is a sign. */
  readonly isPrompt?: boolean;
  /** Told of an answer that comes when nobody waits any more; the question is not broken off for that. */
  readonly onLate?: (value: Value) => void;
}

/** A timer takes no more; "no limit" is 24 days. */
export const longestMs = 2 ** 31 - 1;
/** A healthy Docker has answered something by then, on a busy machine too. */
export const silenceMs = 10_000;

export class Questions {
  readonly #socketPath: string;
  readonly #onReach: OnReach;
  readonly #silence: Silence;
  /** Each ends the waiting for one answer. */
  readonly #waits = new Set<() => void>();
  #isGivenUp: boolean = false;
  /** Undefined before the first answer, or want of one. */
  #isAway: boolean | undefined;

  constructor(socketPath: string, { onReach, onSilence, alarm }: Hearing) {
    this.#socketPath = socketPath;
    this.#onReach = onReach ?? (() => undefined);
    const onChange = (): void => {
      if (this.#silence.isSilent) this.#missed(silentError("Docker"));
      onSilence?.();
    };
    this.#silence = new Silence({ afterMs: silenceMs, onChange, alarm });
  }

  /** False: nobody could be asked. Docker may come at any time. */
  get hasSocket(): boolean {
    return existsSync(this.#socketPath);
  }

  get isSilent(): boolean {
    return this.#silence.isSilent;
  }

  /** True: it is silent, and somebody waits for it already, who will know when it answers. */
  get isAskedInVain(): boolean {
    return this.#silence.isSilent && this.#silence.isAsked;
  }

  /** Nobody waits any more: what is under way, and all that is asked from now on, fails with `closed`. */
  giveUp(): void {
    this.#isGivenUp = true;
    for (const end of this.#waits) end();
  }

  /** Throws DockerError. Past the limit the call is broken off, unless somebody wants to know what comes of it. */
  async ask<Value>(
    question: Question<Value>,
    call: (abortSignal: AbortSignal) => Promise<Value>,
  ): Promise<Value> {
    const { what, limitMs, isPrompt = false, onLate } = question;
    if (this.#isGivenUp) throw givenUpError(what);
    if (!this.hasSocket) {
      throw this.#missed(unreachableError(what, `there is no ${this.#socketPath}: is Docker running?`));
    }
    const aborting = new AbortController();
    const answer = this.#heard(what, call(aborting.signal));
    const inTime = this.#within(Math.min(limitMs, longestMs), answer);
    const found = await (isPrompt ? this.#silence.during(inTime) : inTime);
    if (found !== undefined) return found.value;
    if (onLate === undefined) aborting.abort();
    answer.then(
      ({ value }) => onLate?.(value),
      () => undefined,
    );
    if (this.#isGivenUp) throw givenUpError(what);
    throw new DockerError("timeout", `${what}: Docker has not answered within ${limitMs} ms`);
  }

  /** Says what a failed call means, however late it is. */
  async #heard<Value>(what: string, answer: Promise<Value>): Promise<{ readonly value: Value }> {
    try {
      const value = await answer;
      this.#reached();
      return { value };
    } catch (cause) {
      const { statusCode, syscall, message } = cause as NodeJS.ErrnoException & {
        readonly statusCode?: number;
      };
      if (syscall === "connect") throw this.#missed(unreachableError(what, message, cause));
      if (statusCode === undefined) throw unreachableError(what, message, cause);
      this.#reached();
      throw new DockerError("refused", `${what}: ${message.trim()}`, { cause, status: statusCode });
    }
  }

  #missed(failure: DockerError): DockerError {
    if (this.#isAway !== true) this.#onReach(failure);
    this.#isAway = true;
    return failure;
  }

  #reached(): void {
    if (this.#isAway !== false) this.#onReach(undefined);
    this.#isAway = false;
    this.#silence.broken();
  }

  /** The answer, or undefined where time is up or nobody waits any more. */
  async #within<Value>(limitMs: number, answer: Promise<Value>): Promise<Value | undefined> {
    let end = (): void => undefined;
    const over = new Promise<undefined>((resolve) => {
      end = () => resolve(undefined);
    });
    const cancel = deadline(limitMs, end);
    this.#waits.add(end);
    try {
      return await Promise.race([answer, over]);
    } finally {
      cancel();
      this.#waits.delete(end);
    }
  }
}

/** Of who is not to wait for a Docker that answers nobody. */
export function silentError(what: string): DockerError {
  return new DockerError("timeout", `${what}: nothing has been answered for ${silenceMs} ms`);
}

function unreachableError(what: string, why: string, cause?: unknown): DockerError {
  return new DockerError("unreachable", `${what}: ${why}`, { cause });
}

function givenUpError(what: string): DockerError {
  return new DockerError("closed", `${what}: Docker is waited for no more`);
}
