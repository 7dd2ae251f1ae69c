// Writes what activations print to files as well, one JSON line each, for whoever ships them elsewhere.

import { type FileHandle, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { printExact } from "./wire/json.ts";
import type { ActivationMessage, ActivationRecord } from "./wire/messages.ts";

export interface LogFileLimits {
  /** A file that would grow longer is followed by another one. */
  readonly fileBytes: number;
  /** Lines that the disk has not taken yet; beyond it they are refused. */
  readonly waitingBytes: number;
}

/** As in stock, which buffers as much as a file holds. */
const usualLimits: LogFileLimits = { fileBytes: 100 * 1024 * 1024, waitingBytes: 100 * 1024 * 1024 };

/** The files belong to nobody in particular: who ships them away may remove them. */
const everybodyMayWrite = 0o666;

/** The disk does not keep up, or does not take any more. */
export class LogFileError extends Error {
  readonly code: "behind" | "not-written";
  constructor(code: LogFileError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "LogFileError";
    this.code = code;
  }
}

/** `userlogs-<epoch ms>.log` in one folder. Writes happen one after the other, in the order of the calls. */
export class LogFiles {
  readonly #folder: string;
  readonly #nowMs: () => number;
  readonly #limits: LogFileLimits;
  #file: FileHandle | undefined;
  #fileBytes = 0;
  #waitingBytes = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(folder: string, nowMs: () => number, limits: LogFileLimits = usualLimits) {
    this.#folder = folder;
    this.#nowMs = nowMs;
    this.#limits = limits;
  }

  /** Appends to the current file or begins the next one. Resolves when written; throws LogFileError. */
  write(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    if (this.#waitingBytes + bytes.length > this.#limits.waitingBytes) {
      const why = `${this.#waitingBytes} bytes wait for the disk of ${this.#folder}: these lines are dropped`;
      return Promise.reject(new LogFileError("behind", why));
    }
    this.#waitingBytes += bytes.length;
    const written = this.#last
      .then(() => this.#append(bytes))
      .finally(() => {
        this.#waitingBytes -= bytes.length;
      });
    this.#last = written.catch(() => undefined);
    return written;
  }

  /** Resolves when all is written. Idempotent. */
  async close(): Promise<void> {
    await this.#last;
    await this.#closeFile();
  }

  async #append(bytes: Buffer): Promise<void> {
    try {
      if (this.#fileBytes + bytes.length > this.#limits.fileBytes) await this.#closeFile();
      this.#file ??= await this.#nextFile();
      this.#fileBytes += bytes.length;
      await this.#file.appendFile(bytes);
    } catch (error) {
      // A file that failed once is left alone: half a line may stand at its end.
      await this.#closeFile().catch(() => undefined);
      const why = `${this.#folder} takes no log lines: is there room, and may the invoker write there?`;
      throw new LogFileError("not-written", why, { cause: error });
    }
  }

  async #nextFile(): Promise<FileHandle> {
    await mkdir(this.#folder, { recursive: true });
    const name = `userlogs-${Math.floor(this.#nowMs())}.log`;
    const file = await open(join(this.#folder, name), "a", everybodyMayWrite);
    await file.chmod(everybodyMayWrite);
    return file;
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#fileBytes = 0;
    await file?.close();
  }
}

/** The columns of a formatted line: the time in 30, a blank, the stream, a colon and a blank, the text. */
const formattedLine = /^(.{30}) (stdout|stderr): (.*)$/s;

/** Each line as Docker's json-file driver has it with the activation's names, then the record itself. */
export function logFileText(
  lines: readonly string[],
  record: ActivationRecord,
  action: string,
  { namespace }: ActivationMessage["user"],
): string {
  const { activationId } = record;
  const names = { activationId, action, namespace: namespace.name, namespaceId: namespace.uuid };
  const entries = lines.map((line) => {
    const [, time = "", stream = "", text = line] = formattedLine.exec(line) ?? [];
    return JSON.stringify({ log: `${text}\n`, stream, time: time.trimEnd(), ...names });
  });
  return `${[...entries, printExact({ ...record, namespaceId: namespace.uuid })].join("\n")}\n`;
}
