// Frames on the channel: blocking reads, one write per answer, nothing that user code can replace.
"use strict";

// A frame: u32 little-endian length of what follows, 16 bytes nonce, u8 type, payload. An answer repeats the nonce
// of its question; its payload is a u16 little-endian status and the body.

const { readSync, writeSync } = require("node:fs");

const { apply } = Reflect;
const { utf8Slice } = Buffer.prototype;
const { subarray, set, slice } = Uint8Array.prototype;
const { encodeInto } = TextEncoder.prototype;
const { byteLength } = Buffer;
const { allocUnsafeSlow } = Buffer;
const encoder = new TextEncoder();

/**
 * A sharedRun is a run beside which others may come before it is answered. Libraries are imported before the checkpoint is taken; unpack comes
 * with an archive, before an init that names its folder.
 */
const FRAME = { init: 1, run: 2, ready: 3, answer: 4, sharedRun: 5, libraries: 6, unpack: 7 };
const LENGTH_BYTES = 4;
const NONCE_BYTES = 16;
const HEADER_BYTES = LENGTH_BYTES + NONCE_BYTES + 1;
const STATUS_BYTES = 2;
const BUFFER_BYTES = 64 * 1024;
/** Far above what OpenWhisk lets through (48 MB of code); a larger length means that the two sides are out of step. */
const MAX_FRAME_BYTES = 256 * 1024 * 1024;
const UTF8_BYTES_PER_UNIT = 3;

/** The other side broke the protocol: there is no way to go on. */
class ChannelError extends Error {}

/** One end of the channel: a blocking stream socket (the warm-up reads from one descriptor and writes to another). */
class Channel {
  constructor(inputFd, outputFd = inputFd) {
    this.inputFd = inputFd;
    this.outputFd = outputFd;
    this.input = allocUnsafeSlow(BUFFER_BYTES);
    this.start = 0;
    this.end = 0;
    this.output = allocUnsafeSlow(BUFFER_BYTES).fill(0);
  }

  /**
   * Blocks until a whole frame is there. Gives its type and a view of its payload, which is valid until the next
   * read; undefined when the other side has closed the channel between two frames.
   */
  read() {
    if (!this.fill(LENGTH_BYTES)) return undefined;
    const { input, start } = this;
    const length = u32(input, start);
    if (length < NONCE_BYTES + 1 || length > MAX_FRAME_BYTES) {
      throw new ChannelError(`a frame of ${length} bytes`);
    }
    const total = LENGTH_BYTES + length;
    const frame = total <= input.length ? this.take(total) : this.takeLarge(total);
    for (let i = LENGTH_BYTES; i < LENGTH_BYTES + NONCE_BYTES; i++) this.output[i] = frame[i];
    return { type: frame[HEADER_BYTES - 1], payload: apply(subarray, frame, [HEADER_BYTES]) };
  }

  /** Writes READY with a zero nonce. */
  ready(payload) {
    for (let i = LENGTH_BYTES; i < LENGTH_BYTES + NONCE_BYTES; i++) this.output[i] = 0;
    this.write(FRAME.ready, HEADER_BYTES, payload);
  }

  /** Answers the frame read last. `body` is a string; the status is HTTP's. */
  answer(status, body) {
    this.output[HEADER_BYTES] = status & 0xff;
    this.output[HEADER_BYTES + 1] = status >> 8;
    this.write(FRAME.answer, HEADER_BYTES + STATUS_BYTES, body);
  }

  /** The nonce of the frame read last, for `answerTo`. */
  nonce() {
    return apply(slice, this.output, [LENGTH_BYTES, LENGTH_BYTES + NONCE_BYTES]);
  }

  /** Answers a frame read earlier. */
  answerTo(nonce, status, body) {
    apply(set, this.output, [nonce, LENGTH_BYTES]);
    this.answer(status, body);
  }

  /** True: nothing of a further frame has been read yet. */
  get isEmpty() {
    return this.start === this.end;
  }

  write(type, headBytes, text) {
    let out = this.output;
    if (headBytes + text.length * UTF8_BYTES_PER_UNIT > out.length) {
      out = allocUnsafeSlow(headBytes + byteLength(text));
      apply(set, out, [apply(subarray, this.output, [0, headBytes])]);
    }
    const { written } = apply(encodeInto, encoder, [text, apply(subarray, out, [headBytes])]);
    const length = headBytes - LENGTH_BYTES + written;
    out[0] = length & 0xff;
    out[1] = (length >>> 8) & 0xff;
    out[2] = (length >>> 16) & 0xff;
    out[3] = length >>> 24;
    out[HEADER_BYTES - 1] = type;
    const total = LENGTH_BYTES + length;
    for (let done = 0; done < total; ) done += writeSync(this.outputFd, out, done, total - done, null);
  }

  /** Makes `bytes` bytes available from `start` on; false at the end of the stream. */
  fill(bytes) {
    if (this.start === this.end) {
      this.start = 0;
      this.end = 0;
    }
    if (this.start + bytes > this.input.length) {
      this.input.copyWithin(0, this.start, this.end);
      this.end -= this.start;
      this.start = 0;
    }
    while (this.end - this.start < bytes) {
      const got = readSome(this.inputFd, this.input, this.end);
      if (got === 0) {
        if (this.end === this.start) return false;
        throw new ChannelError("the channel ended within a frame");
      }
      this.end += got;
    }
    return true;
  }

  take(total) {
    if (!this.fill(total)) throw new ChannelError("the channel ended within a frame");
    const frame = apply(subarray, this.input, [this.start, this.start + total]);
    this.start += total;
    return frame;
  }

  takeLarge(total) {
    const frame = allocUnsafeSlow(total);
    apply(set, frame, [apply(subarray, this.input, [this.start, this.end])]);
    let have = this.end - this.start;
    this.start = 0;
    this.end = 0;
    while (have < total) {
      const got = readSome(this.inputFd, frame, have);
      if (got === 0) throw new ChannelError("the channel ended within a frame");
      have += got;
    }
    return frame;
  }
}

function readSome(fd, buffer, offset) {
  for (;;) {
    try {
      return readSync(fd, buffer, offset, buffer.length - offset, null);
    } catch (error) {
      if (error.code !== "EINTR") throw error;
    }
  }
}

function u32(bytes, at) {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

/** The text of a payload, or of a part of it. */
function textOf(payload, start = 0, end = payload.length) {
  return apply(utf8Slice, payload, [start, end]);
}

/** An INIT payload: `{name, main, binary, env}` and the raw bytes of the code; or with `folder`, where that is unpacked already, and none. */
function parseInit(payload) {
  if (payload.length < LENGTH_BYTES) throw new ChannelError("an INIT frame without a header");
  const codeStart = LENGTH_BYTES + u32(payload, 0);
  if (codeStart > payload.length) throw new ChannelError("an INIT frame shorter than its header says");
  return {
    header: parseObject(textOf(payload, LENGTH_BYTES, codeStart)),
    code: apply(subarray, payload, [codeStart]),
  };
}

const { parse } = JSON;

/** JSON that must be an object. */
function parseObject(text) {
  let value;
  try {
    value = parse(text);
  } catch {
    throw new ChannelError("a frame whose JSON does not parse");
  }
  if (typeof value !== "object" || value === null) throw new ChannelError("a frame whose JSON is no object");
  return value;
}

module.exports = { Channel, ChannelError, FRAME, parseInit, parseObject, textOf };
