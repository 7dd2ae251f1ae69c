// The host's end of a container's channel: each question is answered, timed out, or the end of the container.

import { randomFillSync } from "node:crypto";
import { Socket } from "node:net";
import { deadline } from "../time.ts";
import type { ExchangeLimits, InitFrame } from "../types.ts";
import type { Answer } from "./exchange.ts";
import {
  type BodyLimits,
  FrameReader,
  frameTypes,
  initPieces,
  librariesPieces,
  nonceBytes,
  type ReceivedFrame,
  runPieces,
  unpackPieces,
} from "./frames.ts";

/** What an exchange came to, as far as the channel can tell. */
export type Reply =
  | Answer
  | { readonly outcome: "timeout" }
  /** `unread`: the question cannot have been read to its end, so nothing has been done about it. */
  | { readonly outcome: "closed"; readonly unread: boolean }
  | { readonly outcome: "garbled"; readonly why: string };

interface Question {
  readonly nonce: Buffer;
  /** Of the frame that answers it. */
  readonly type: number;
  readonly limits: BodyLimits;
  /** Others may be asked before it is answered. */
  readonly isShared: boolean;
}

interface Pending extends Question {
  readonly settle: (reply: Reply) => void;
}

/** Random bytes ahead of need: drawing them one nonce at a time costs a dozen times as much. */
const drawn = Buffer.alloc(256 * nonceBytes);
let usedBytes = drawn.length;

function newNonce(): Buffer {
  if (usedBytes === drawn.length) {
    randomFillSync(drawn);
    usedBytes = 0;
  }
  const nonce = Buffer.from(drawn.subarray(usedBytes, usedBytes + nonceBytes));
  usedBytes += nonceBytes;
  return nonce;
}

const greetingLimits = { maxBytes: 4096, keptBytes: 4096 };
const greeting: Question = {
  ...{ nonce: Buffer.alloc(nonceBytes), type: frameTypes.ready, limits: greetingLimits, isShared: false },
};

/**
 * Speaks to one runtime. Anything that comes unasked is kept as `stray`: whoever sent it is not to be trusted, and the
 * container is not clean.
 */
export class Channel {
  readonly #socket: Socket;
  readonly #reader = new FrameReader((nonce) => this.#asked(nonce)?.limits ?? greetingLimits);
  #pending: Pending[] = [];
  /** Questions given up while others are open: their answers may still come, and are nobody's. */
  #givenUp: Pending[] = [];
  #isClosed: boolean = false;
  #stray: string | undefined;
  #ready: Reply | undefined;

  /** Takes the socket over: `close` destroys it. */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (piece: Buffer) => this.#take(piece));
    // The other end is gone; by an error, if it left something unread.
    socket.on("error", () => this.#closed(true));
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
    return this.#await(greeting, timeoutMs);
  }

  /** Has libraries imported, before any init. */
  libraries(names: readonly string[], timeoutMs: number): Promise<Reply> {
    const { maxBytes: maxBodyBytes, keptBytes: keptBodyBytes } = greetingLimits;
    const limits = { maxBodyBytes, keptBodyBytes, timeoutMs };
    return this.#ask((nonce) => librariesPieces(nonce, names), limits, false);
  }

  init(frame: InitFrame, limits: ExchangeLimits): Promise<Reply> {
    return this.#ask((nonce) => initPieces(nonce, frame), limits, false);
  }

  unpack(archive: Buffer, limits: ExchangeLimits): Promise<Reply> {
    return this.#ask((nonce) => unpackPieces(nonce, archive), limits, false);
  }

  /** `isShared`: other such runs may be asked for before this one is answered. */
  run(body: string, limits: ExchangeLimits, isShared = false): Promise<Reply> {
    return this.#ask((nonce) => runPieces(nonce, body, isShared), limits, isShared);
  }

  /** Idempotent. `unread`: something of what was sent has not been read. */
  close(unread = false): void {
    this.#socket.destroy();
    this.#closed(unread);
  }

  #ask(
    piecesFor: (nonce: Buffer) => readonly Buffer[],
    { maxBodyBytes, keptBodyBytes, timeoutMs }: ExchangeLimits,
    isShared: boolean,
  ): Promise<Reply> {
    const nonce = newNonce();
    const limits = { maxBytes: maxBodyBytes, keptBytes: keptBodyBytes };
    const reply = this.#await({ nonce, type: frameTypes.answer, limits, isShared }, timeoutMs);
    if (!this.#isClosed) {
      this.#socket.cork();
      for (const piece of piecesFor(nonce)) this.#socket.write(piece);
      this.#socket.uncork();
    }
    return reply;
  }

  #await(question: Question, timeoutMs: number): Promise<Reply> {
    if (this.#pending.some(({ isShared }) => !isShared || !question.isShared)) {
      throw new Error("the channel carries one exchange at a time");
    }
    if (this.#isClosed) return Promise.resolve({ outcome: "closed", unread: true });
    // Part of a frame is none but the answer to a question that is open.
    const stray = this.#pending.length > 0 ? this.#stray : this.stray;
    if (stray !== undefined) return Promise.resolve({ outcome: "garbled", why: stray });
    return new Promise((resolve) => {
      const cancel = deadline(timeoutMs, () => this.#giveUp(pending));
      const settle = (reply: Reply): void => {
        cancel();
        resolve(reply);
      };
      const pending = { ...question, settle };
      this.#pending.push(pending);
    });
  }

  #asked(nonce: Buffer): Pending | undefined {
    return this.#pending.find((pending) => pending.nonce.equals(nonce));
  }

  #settle(pending: Pending, reply: Reply): void {
    this.#pending.splice(this.#pending.indexOf(pending), 1);
    if (this.#pending.length === 0) this.#givenUp = [];
    pending.settle(reply);
  }

  #giveUp(pending: Pending): void {
    this.#givenUp.push(pending);
    this.#settle(pending, { outcome: "timeout" });
  }

  #settleAll(reply: Reply): void {
    for (const pending of [...this.#pending]) this.#settle(pending, reply);
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
    const pending = this.#asked(frame.nonce);
    if (pending?.type === frame.type) {
      const reply = answerOf(frame, pending.limits.maxBytes);
      if (frame.type === frameTypes.ready) this.#ready = reply;
      this.#settle(pending, reply);
    } else if (this.#isEarlyGreeting(frame)) {
      this.#ready = answerOf(frame, greetingLimits.maxBytes);
    } else if (!this.#isTooLate(frame)) {
      const isAsked = this.#pending.length > 0;
      this.#garbled(isAsked ? "a frame that answers another question" : "a frame that nobody asked for");
    }
  }

  #isEarlyGreeting({ type }: ReceivedFrame): boolean {
    return type === frameTypes.ready && this.#ready === undefined && this.#pending.length === 0;
  }

  /** Once for each question that was given up. */
  #isTooLate({ type, nonce }: ReceivedFrame): boolean {
    const place = this.#givenUp.findIndex(
      (question) => question.type === type && question.nonce.equals(nonce),
    );
    if (place < 0) return false;
    this.#givenUp.splice(place, 1);
    return true;
  }

  #garbled(why: string): void {
    this.#stray = why;
    this.#settleAll({ outcome: "garbled", why });
  }

  /** Of several questions it is not known which one was left unread. */
  #closed(unread = false): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#settleAll({ outcome: "closed", unread: unread && this.#pending.length === 1 });
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
