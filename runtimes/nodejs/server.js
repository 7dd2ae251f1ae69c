// The loop of the action proxy: one frame after the other, each answered before the next is read.
"use strict";

// Between two frames the main thread blocks in read(2); no event loop turns there, no timer is pending. That is the
// state in which the container's checkpoint is taken. An action whose promise needs the event loop gets it, until the
// promise is settled. Runs that may have others beside them are left to the neighbours. What user code can replace is
// taken hold of here before any user code runs.

const { writeSync } = require("node:fs");
const { inspect } = require("node:util");
const { ChannelError, FRAME, parseInit, parseObject, textOf } = require("./channel.js");
const { Neighbours } = require("./neighbours.js");
const { flush } = require("./output.js");

const EXIT_BROKEN = 70;
const OK = 200;
const LEVEL_BODY = '{"OK":true,"level":true}';
const FLUSH_POLL_MS = 1;
const FOREVER_MS = 2 ** 31 - 1;

const { nextTick, reallyExit, stdout, stderr } = process;
const { setInterval, clearInterval, setTimeout, queueMicrotask } = globalThis;

/** Answers frames until the other side closes the channel; then calls `closed`. */
class Server {
  constructor({ channel, action, imports, randomness, watch, closed }) {
    this.channel = channel;
    this.imports = imports;
    this.action = action;
    this.randomness = randomness;
    this.isWatched = false;
    this.renewsAtRun = false;
    this.closed = closed;
    this.answer = undefined;
    this.keepAlive = undefined;
    this.afterMicrotasks = this.afterMicrotasks.bind(this);
    this.finish = this.finish.bind(this);
    this.queueAfterMicrotasks = () => nextTick(this.afterMicrotasks);
    const broken = (error) => this.breakOff(error);
    const alone = () => this.next();
    this.neighbours = new Neighbours({ channel, action, watch, closed, alone, broken });
  }

  /** Blocks for the next frame and starts on it. */
  next() {
    try {
      const frame = this.channel.read();
      if (frame === undefined) {
        this.closed();
        return;
      }
      if (frame.type === FRAME.sharedRun) {
        this.neighbours.begin(frame);
        return;
      }
      void this.handle(frame);
    } catch (error) {
      this.breakOff(error);
    }
    // Everything that needs no event loop happens before this tick: microtasks, and the user's own ticks.
    queueMicrotask(this.queueAfterMicrotasks);
  }

  /** `await` and not then(): the latter may be the user's. */
  async handle(frame) {
    try {
      this.settle(await this.start(frame));
    } catch (error) {
      this.breakOff(error);
    }
  }

  start({ type, payload }) {
    if (type === FRAME.init) {
      const { header, code } = parseInit(payload);
      const source = header.binary ? code : textOf(code);
      if (header.level === true) return this.initForLevel(header, source);
      this.randomness.renew();
      return this.action.init(header, source);
    }
    if (type === FRAME.unpack) return this.action.unpack(payload);
    if (type === FRAME.run) {
      if (this.renewsAtRun) this.randomness.renew();
      return this.action.run(parseObject(textOf(payload)));
    }
    if (type === FRAME.libraries) return this.imports(textOf(payload));
    throw new ChannelError(`a frame of unknown type ${type}`);
  }

  initForLevel(header, source) {
    this.randomness.watch();
    this.isWatched = true;
    return this.action.init(header, source);
  }

  /**
   * To be asked right before the answer is written: after it no user code runs before the next frame. What the action is then may be
   * come back to before each run, unless it has drawn random numbers.
   */
  mayComeBack(status) {
    if (!this.isWatched) return false;
    this.isWatched = false;
    this.renewsAtRun = this.randomness.watched();
    return this.renewsAtRun && status === OK;
  }

  settle(answer) {
    this.answer = answer;
    if (this.keepAlive !== undefined) nextTick(this.finish);
  }

  /** Without a timer Node would exit as soon as a promise waits for nothing that the event loop knows. */
  afterMicrotasks() {
    if (this.answer !== undefined) this.finish();
    else this.keepAlive = setInterval(() => {}, FOREVER_MS);
  }

  /** Everything the activation printed is in the pipes before its answer is written. */
  finish() {
    if (!(flush(stdout) && flush(stderr))) {
      this.keepAlive ??= setInterval(() => {}, FOREVER_MS);
      setTimeout(this.finish, FLUSH_POLL_MS);
      return;
    }
    if (this.keepAlive !== undefined) clearInterval(this.keepAlive);
    this.keepAlive = undefined;
    const { status, body } = this.answer;
    this.answer = undefined;
    try {
      this.channel.answer(status, this.mayComeBack(status) ? LEVEL_BODY : body);
    } catch (error) {
      this.breakOff(error);
    }
    this.next();
  }

  breakOff(error) {
    const text = error instanceof ChannelError ? error.message : inspect(error);
    breakOff(`the channel is broken: ${text}`);
  }
}

function breakOff(text) {
  try {
    writeSync(2, `action proxy: ${text}\n`);
  } finally {
    reallyExit(EXIT_BROKEN);
  }
}

module.exports = { Server, breakOff };
