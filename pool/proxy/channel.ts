// The host's end of a container's channel: one question at a time, each answered, timed out, or the end of the container.

import { randomFillSync } from "node:crypto";
import { Socket } from "node:net";
import type { ExchangeLimits, InitFrame } from "../types.ts";
import type { Answer } from "./exchange.ts";
import { FrameReader, frameTypes, initPieces, nonceBytes, type ReceivedFrame, runPieces } from "./frames.ts";

/** What an exchange came to, as far as the channel can tell. */
export type Reply =
  | Answer
  | { readonly outcome: "timeout" }
  | { readonly outcome: "closed" }
  | { readonly outcome: "garbled"; readonly why: string };

interface Pending {
  readonly settle: (reply: Reply) => void;
  readonly nonce: Buffer;
  readonly type: number;
  readonly maxBytes: number;
}

const greetingLimits = { maxBytes: 4096, keptBytes: 4096 };
const noNonce = Buffer.alloc(nonceBytes);

/**
 * Speaks to one runtime. Anything that comes unasked is kept as `stray`: whoever sent it is not to be trusted, and the
 * container is not clean.
 */
export class Channel {
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  readonly #nonce = Buffer.alloc(nonceBytes);
  #pending: Pending | undefined;
  #isClosed: boolean = false;
  #stray: string | undefined;
  #ready: Reply | undefined;

  /** Takes the socket over: `close` destroys it. */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.#reader.limits = greetingLimits;
    socket.on("data", (piece: Buffer) => this.#take(piece));
    // The error itself says no more than the close that follows: the other end is gone.
    socket.on("error", () => this.#closed());
    socket.on("end", () => this.#closed());
    socket.on("close", () => this.#closed());
  }

  /** On the host's end of a socket pair, which is the channel's from now on. */
  static open(fd: number): Channel {
    return new Channel(new Socket({ fd, readable: true, writable: true }));
  }

  /** What came although nothing was asked, if anything. */
  get stray(): string | undefined {
    if (this.#stray !== undefined) return this.#stray;
    return this.#reader.isBetweenFrames ? undefined : "part of a frame";
  }

  /** True: all that was to be sent has been handed to the kernel. */
  get isFlushed(): boolean {
    return this.#socket.writableLength === 0;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The READY frame, which a runtime sends once; the body says what it is. */
  ready(timeoutMs: number): Promise<Reply> {
    if (this.#ready !== undefined) return Promise.resolve(this.#ready);
    return this.#await(noNonce, frameTypes.ready, greetingLimits.maxBytes, timeoutMs);
  }

  init(frame: InitFrame, limits: ExchangeLimits): Promise<Reply> {
    return this.#ask(initPieces(this.#freshNonce(), frame), limits);
  }

  run(body: string, limits: ExchangeLimits): Promise<Reply> {
    return this.#ask(runPieces(this.#freshNonce(), body), limits);
  }

  /** Idempotent. */
  close(): void {
    this.#socket.destroy();
    this.#closed();
  }

  #freshNonce(): Buffer {
    return randomFillSync(this.#nonce);
  }

  #ask(pieces: readonly Buffer[], limits: ExchangeLimits): Promise<Reply> {
    this.#reader.limits = { maxBytes: limits.maxBodyBytes, keptBytes: limits.keptBodyBytes };
    const reply = this.#await(this.#nonce, frameTypes.answer, limits.maxBodyBytes, limits.timeoutMs);
    if (!this.#isClosed) {
      this.#socket.cork();
      for (const piece of pieces) this.#socket.write(piece);
      this.#socket.uncork();
    }
    return reply;
  }

  #await(nonce: Buffer, type: number, maxBytes: number, timeoutMs: number): Promise<Reply> {
    if (this.#pending !== undefined) throw new Error("the channel carries one exchange at a time");
    if (this.#isClosed) return Promise.resolve({ outcome: "closed" });
    if (this.stray !== undefined) return Promise.resolve({ outcome: "garbled", why: this.stray });
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle({ outcome: "timeout" }), timeoutMs);
      const settle = (reply: Reply): void => {
        clearTimeout(timer);
        resolve(reply);
      };
      this.#pending = { settle, nonce, type, maxBytes };
    });
  }

  #settle(reply: Reply): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.settle(reply);
  }

  #take(piece: Buffer): void {
    if (this.#stray !== undefined) return;
    const frames = this.#reader.push(piece);
    if ("garbled" in frames) {
      this.#garbled(frames.garbled);
      return;
    }
    for (const frame of frames) this.#takeFrame(frame);
  }

  #takeFrame(frame: ReceivedFrame): void {
    const pending = this.#pending;
    if (pending === undefined && frame.type === frameTypes.ready && this.#ready === undefined) {
      this.#ready = answerOf(frame, greetingLimits.maxBytes);
      return;
    }
    if (pending === undefined) {
      this.#garbled("a frame that nobody asked for");
    } else if (frame.type !== pending.type) {
      this.#garbled(`a frame of type ${frame.type} instead of ${pending.type}`);
    } else if (!frame.nonce.equals(pending.nonce)) {
      this.#garbled("an answer to another question");
    } else {
      const reply = answerOf(frame, pending.maxBytes);
      if (frame.type === frameTypes.ready) this.#ready = reply;
      this.#settle(reply);
    }
  }

  #garbled(why: string): void {
    this.#stray = why;
    this.#settle({ outcome: "garbled", why });
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#settle({ outcome: "closed" });
  }
}

function answerOf(frame: ReceivedFrame, maxBytes: number): Answer {
  return {
    outcome: "answer",
    status: frame.status,
    body: frame.body.toString("utf8"),
    bodyBytes: frame.bodyBytes,
    cut: frame.bodyBytes > maxBytes,
  };
}
