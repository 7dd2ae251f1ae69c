// Runs activations of one action side by side, if its author allows it: as long as one runs, frames arrive by the event loop.
"use strict";

// An activation that runs alone never comes here. Environment, output and state are shared, as in OpenWhisk. When the
// last one has been answered, the main thread blocks in read(2) again, and nothing watches the channel any more.

const { setTimeout: pause } = require("node:timers/promises");
const { ChannelError, FRAME, parseObject, textOf } = require("./channel.js");
const { flush } = require("./output.js");

const FLUSH_POLL_MS = 1;

const { stdout, stderr, nextTick } = process;

/** `watch(callback)` gives a function that switches the watching of the channel on and off. */
class Neighbours {
  constructor({ channel, action, watch, closed, alone, broken }) {
    this.channel = channel;
    this.action = action;
    this.closed = closed;
    this.alone = alone;
    this.broken = broken;
    this.running = 0;
    this.listen = watch(() => this.readAll());
  }

  /** Starts the first one. `alone` is called when none runs any more. */
  begin(frame) {
    this.listen(true);
    void this.handle(frame);
    if (!this.channel.isEmpty) this.readAll();
  }

  /** A frame is there, at least in part; what was read with it is handled as well: nobody would tell of it again. */
  readAll() {
    try {
      do {
        const frame = this.channel.read();
        if (frame === undefined) {
          this.closed();
          return;
        }
        void this.handle(frame);
      } while (!this.channel.isEmpty);
    } catch (error) {
      this.broken(error);
    }
  }

  /** Starts at once: the frame's payload is only valid until the next is read. */
  async handle(frame) {
    this.running += 1;
    try {
      if (frame.type !== FRAME.sharedRun) throw new ChannelError(`a frame of type ${frame.type} among runs`);
      const nonce = this.channel.nonce();
      const { status, body } = await this.action.run(parseObject(textOf(frame.payload)), true);
      while (!(flush(stdout) && flush(stderr))) await pause(FLUSH_POLL_MS);
      this.channel.answerTo(nonce, status, body);
    } catch (error) {
      this.broken(error);
    }
    this.running -= 1;
    if (this.running > 0) return;
    this.listen(false);
    nextTick(this.alone);
  }
}

module.exports = { Neighbours };
