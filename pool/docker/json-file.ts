// A container's output as Docker's json-file driver writes it: whole lines of the file, from where the last reader stopped.

import { type FileHandle, open } from "node:fs/promises";

export type Stream = "stdout" | "stderr";

/** One line of the file. */
export interface LogRecord {
  /** RFC 3339 with up to nanoseconds, as Docker wrote it. */
  readonly time: string;
  readonly stream: Stream;
  /** Without the newline at its end. A long line of the container's is several records. */
  readonly text: string;
}

/** A line of the file that is no record. */
export class LogRecordError extends Error {
  constructor(cause: unknown) {
    super("Docker's log file holds a line that is no record", { cause });
    this.name = "LogRecordError";
  }
}

const pieceBytes = 65_536;
const newline = 0x0a;

/** Keeps the file open, and its own place in it. */
export class JsonFile {
  readonly #path: string;
  readonly #piece = Buffer.allocUnsafe(pieceBytes);
  readonly #lines: Buffer[] = [];
  #file: FileHandle | undefined;
  #offset = 0;
  /** The beginning of a line whose end is still to come. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.#path = path;
  }

  /** The next line, without its newline; undefined at what is the end of the file at this moment. */
  async next(): Promise<Buffer | undefined> {
    while (this.#lines.length === 0) {
      if ((await this.#read()) === 0) return undefined;
    }
    return this.#lines.shift();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #read(): Promise<number> {
    this.#file ??= await open(this.#path);
    const { bytesRead } = await this.#file.read(this.#piece, 0, pieceBytes, this.#offset);
    this.#offset += bytesRead;
    let rest = Buffer.concat([this.#rest, this.#piece.subarray(0, bytesRead)]);
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline)) {
      this.#lines.push(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
    }
    this.#rest = rest;
    return bytesRead;
  }
}

/** Throws LogRecordError. */
export function parseRecord(line: Buffer): LogRecord {
  try {
    const { log, stream, time } = JSON.parse(line.toString("utf8")) as Record<string, unknown>;
    if (typeof log !== "string" || typeof time !== "string") throw new TypeError("log or time is missing");
    return {
      time,
      stream: stream === "stderr" ? "stderr" : "stdout",
      text: log.replace(/\n$/, ""),
    };
  } catch (cause) {
    throw new LogRecordError(cause);
  }
}
