// The frames of the channel between the pool and a runtime: writing them, and reading them piece by piece.

import type { InitFrame } from "../types.ts";

// u32 LE length of what follows | 16 bytes nonce | u8 type | payload
const lengthBytes = 4;
export const nonceBytes = 16;
const headBytes = lengthBytes + nonceBytes + 1;
const statusBytes = 2;

/**
 * A shared RUN is one beside which others may come before it is answered; LIBRARIES are imported before any INIT; UNPACK comes with an
 * archive, of which nothing is run.
 */
export const frameTypes = {
  ...{ init: 1, run: 2, ready: 3, answer: 4, sharedRun: 5 },
  ...{ libraries: 6, unpack: 7 },
} as const;

/** The pieces of an INIT frame; the code is passed on, not copied. */
export function initPieces(nonce: Buffer, frame: InitFrame): Buffer[] {
  const { name, main, binary, env, folder, level } = frame;
  const header = Buffer.from(JSON.stringify({ name, main, binary, env, folder, level }));
  const codeBytes = frame.code?.length ?? 0;
  const head = Buffer.allocUnsafe(headBytes + 4);
  writeHead(head, nonce, frameTypes.init, 4 + header.length + codeBytes);
  head.writeUInt32LE(header.length, headBytes);
  return frame.code === undefined ? [head, header] : [head, header, frame.code];
}

/** The pieces of an UNPACK frame; the archive is passed on, not copied. */
export function unpackPieces(nonce: Buffer, archive: Buffer): Buffer[] {
  const head = Buffer.allocUnsafe(headBytes);
  writeHead(head, nonce, frameTypes.unpack, archive.length);
  return [head, archive];
}

/** A RUN frame. */
export function runPieces(nonce: Buffer, body: string, isShared: boolean): Buffer[] {
  const bodyBytes = Buffer.byteLength(body);
  const frame = Buffer.allocUnsafe(headBytes + bodyBytes);
  writeHead(frame, nonce, isShared ? frameTypes.sharedRun : frameTypes.run, bodyBytes);
  frame.write(body, headBytes);
  return [frame];
}

/** A LIBRARIES frame: what is to be imported before the checkpoint is taken, in that order. */
export function librariesPieces(nonce: Buffer, names: readonly string[]): Buffer[] {
  const body = Buffer.from(JSON.stringify(names));
  const head = Buffer.allocUnsafe(headBytes);
  writeHead(head, nonce, frameTypes.libraries, body.length);
  return [head, body];
}

function writeHead(head: Buffer, nonce: Buffer, type: number, payloadBytes: number): void {
  head.writeUInt32LE(nonceBytes + 1 + payloadBytes, 0);
  nonce.copy(head, lengthBytes);
  head[headBytes - 1] = type;
}

/** A frame from the runtime. `status` is 0 but for an ANSWER; `body` is at most what was to be kept. */
export interface ReceivedFrame {
  readonly nonce: Buffer;
  readonly type: number;
  readonly status: number;
  readonly body: Buffer;
  readonly bodyBytes: number;
}

/** How much of a body is kept: all of it up to `maxBytes`, else its first `keptBytes`. */
export interface BodyLimits {
  readonly maxBytes: number;
  readonly keptBytes: number;
}

/** Puts frames together from whatever pieces arrive. Holds at most one frame's head and the kept part of its body. */
export class FrameReader {
  readonly #limitsOf: (nonce: Buffer) => BodyLimits;
  readonly #head = Buffer.alloc(headBytes + statusBytes);
  #headLength = 0;
  #kept: Buffer[] = [];
  #keptLeft = 0;
  #bodyBytes = 0;
  #bodyLeft = 0;
  #isInBody: boolean = false;

  /** `limitsOf` is asked once for each frame, by its nonce (which is only lent). */
  constructor(limitsOf: (nonce: Buffer) => BodyLimits) {
    this.#limitsOf = limitsOf;
  }

  /** True: no frame has been begun. */
  get isBetweenFrames(): boolean {
    return this.#headLength === 0;
  }

  /** Takes in a piece; returns the frames that it completed, or why it cannot be one. The piece may be reused by the caller. */
  push(piece: Buffer): ReceivedFrame[] | { readonly garbled: string } {
    const frames: ReceivedFrame[] = [];
    let rest = piece;
    while (rest.length > 0 || this.#isComplete) {
      if (!this.#isInBody) {
        const wanted = this.#headWanted() - this.#headLength;
        rest.copy(this.#head, this.#headLength, 0, wanted);
        this.#headLength += Math.min(wanted, rest.length);
        rest = rest.subarray(wanted);
        const fault = this.#enterBody();
        if (fault !== undefined) return { garbled: fault };
      } else {
        const body = rest.subarray(0, this.#bodyLeft);
        if (this.#keptLeft > 0) this.#kept.push(Buffer.from(body.subarray(0, this.#keptLeft)));
        this.#keptLeft -= Math.min(this.#keptLeft, body.length);
        this.#bodyLeft -= body.length;
        rest = rest.subarray(body.length);
      }
      if (this.#isComplete) frames.push(this.#finish());
    }
    return frames;
  }

  /** Forgets a frame that was begun. */
  reset(): void {
    this.#headLength = 0;
    this.#isInBody = false;
    this.#kept = [];
    this.#keptLeft = 0;
  }

  get #isComplete(): boolean {
    return this.#isInBody && this.#bodyLeft === 0;
  }

  get #nonce(): Buffer {
    return this.#head.subarray(lengthBytes, lengthBytes + nonceBytes);
  }

  get #type(): number {
    return this.#head[headBytes - 1] ?? 0;
  }

  #headWanted(): number {
    if (this.#headLength < headBytes) return headBytes;
    return this.#type === frameTypes.answer ? headBytes + statusBytes : headBytes;
  }

  /** Once the head is there. Returns what is wrong with it. */
  #enterBody(): string | undefined {
    if (this.#headLength < headBytes) return undefined;
    const isAnswer = this.#type === frameTypes.answer;
    if (!isAnswer && this.#type !== frameTypes.ready) return `a frame of type ${this.#type}`;
    const fixedBytes = nonceBytes + 1 + (isAnswer ? statusBytes : 0);
    const bodyBytes = this.#head.readUInt32LE(0) - fixedBytes;
    if (bodyBytes < 0) return "a frame shorter than its own head";
    if (this.#headLength < this.#headWanted()) return undefined;
    this.#isInBody = true;
    this.#bodyBytes = bodyBytes;
    this.#bodyLeft = bodyBytes;
    const { maxBytes, keptBytes } = this.#limitsOf(this.#nonce);
    this.#keptLeft = bodyBytes > maxBytes ? Math.min(keptBytes, bodyBytes) : bodyBytes;
    return undefined;
  }

  #finish(): ReceivedFrame {
    const isAnswer = this.#type === frameTypes.answer;
    const [only] = this.#kept;
    const frame: ReceivedFrame = {
      nonce: Buffer.from(this.#nonce),
      type: this.#type,
      status: isAnswer ? this.#head.readUInt16LE(headBytes) : 0,
      body: this.#kept.length === 1 && only !== undefined ? only : Buffer.concat(this.#kept),
      bodyBytes: this.#bodyBytes,
    };
    this.reset();
    return frame;
  }
}
