// Brings what an activation printed into the pipes.
"use strict";

const { Duplex } = require("node:stream");

const { apply, getOwnPropertyDescriptor } = Reflect;
const { uncork } = Duplex.prototype;
const corked = getOwnPropertyDescriptor(Duplex.prototype, "writableCorked").get;
const length = getOwnPropertyDescriptor(Duplex.prototype, "writableLength").get;

/** Lets go what the process's stdout or stderr holds back. Says whether all of it has reached the pipe. */
function flush(stream) {
  if (stream.destroyed) return true;
  for (let times = apply(corked, stream, []); times > 0; times--) apply(uncork, stream, []);
  return !apply(length, stream, []);
}

module.exports = { flush };
