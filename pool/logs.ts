// Reads a container's standard output and error: always, so that nothing blocks, and down to the last byte after an answer.

import { readSync } from "node:fs";
import { Socket } from "node:net";
import { LogLines, type StreamName } from "./log-lines.ts";
import type { CollectedLogs } from "./types.ts";

/** Bytes that can be read from, and that are still to be sent to, the other side of a descriptor. */
export type PendingBytes = (fd: number) => { readonly unread: number; readonly unsent: number };

export interface LogSource {
  readonly stdoutFd: number;
  readonly stderrFd: number;
}

const none: CollectedLogs = { lines: [], truncated: false };
const scratch = Buffer.allocUnsafe(65_536);

/**
 * The two pipes of one container. Outside of `begin` and `collect` whatever is printed is thrown away: it is nobody's.
 * Within, it is kept up to the limit and thrown away beyond, so a flood costs no memory.
 */
export class ContainerLogs {
  readonly #pipes: readonly { readonly name: StreamName; readonly fd: number; readonly socket: Socket }[];
  readonly #pendingBytes: PendingBytes;
  readonly #now: () => number;
  #lines: LogLines | undefined;

  /** Takes the descriptors over. `now` gives epoch milliseconds with their fraction. */
  constructor(source: LogSource, pendingBytes: PendingBytes, now: () => number) {
    this.#pendingBytes = pendingBytes;
    this.#now = now;
    this.#pipes = [this.#open("stdout", source.stdoutFd), this.#open("stderr", source.stderrFd)];
  }

  /** Starts to keep lines for one activation, up to `limitBytes`; 0 keeps none. */
  begin(limitBytes: number): void {
    this.#lines = limitBytes > 0 ? new LogLines(limitBytes) : undefined;
  }

  /** All that is in the pipes by now and came before, as lines; later output is nobody's again. */
  collect(): CollectedLogs {
    this.drain();
    const lines = this.#lines;
    this.#lines = undefined;
    if (lines === undefined) return none;
    return { lines: lines.finish(this.#now()), truncated: lines.isTruncated };
  }

  /** Reads what is in the pipes at this moment. Ends even if somebody keeps printing. */
  drain(): void {
    for (const { name, fd, socket } of this.#pipes) {
      if (socket.destroyed) continue;
      let left = this.#pendingBytes(fd).unread;
      while (left > 0) {
        const bytes = readSync(fd, scratch, 0, Math.min(left, scratch.length), null);
        if (bytes === 0) break;
        this.#take(name, scratch.subarray(0, bytes));
        left -= bytes;
      }
    }
  }

  /** True: both pipes are empty. */
  isDrained(): boolean {
    return this.#pipes.every(({ fd, socket }) => socket.destroyed || this.#pendingBytes(fd).unread === 0);
  }

  /** Idempotent. */
  close(): void {
    for (const { socket } of this.#pipes) socket.destroy();
  }

  #open(name: StreamName, fd: number): { name: StreamName; fd: number; socket: Socket } {
    const socket = new Socket({ fd, readable: true, writable: false });
    socket.on("data", (piece: Buffer) => this.#take(name, piece));
    // The writer's end is told by the sandbox; a pipe has nothing to add.
    socket.on("error", () => socket.destroy());
    return { name, fd, socket };
  }

  #take(name: StreamName, piece: Buffer): void {
    this.#lines?.push(name, piece, this.#now());
  }
}
