// Requires libraries before the container's checkpoint is taken, so that no activation pays for that; or says why it cannot.
"use strict";

// What they leave is the same in all activations. So one that draws random numbers, or may hide one, is refused; and one that begins what
// the event loop ends (timers too): it does not turn before somebody asks for something. Whoever is refused has half of the
// libraries: the process is not used any more.

const { createHook } = require("node:async_hooks");
const { ChannelError } = require("./channel.js");

const OK = 200;
const REFUSED = 409;
const SHOWN_CHARACTERS = 300;
/** What is over before the answer is written. */
const SOON_OVER = new Set(["PROMISE", "TickObject", "Microtask"]);

/** Gives the function that requires what a frame names, as an action's plain source would, and gives an answer. */
function createImports(require, randomness) {
  function requireAll(names) {
    for (const name of names) {
      try {
        require(name);
      } catch (error) {
        // Anything can be thrown.
        const { code, message = error } = Object(error);
        const isMissing = code === "MODULE_NOT_FOUND" && String(message).includes(`'${name}'`);
        return { refused: isMissing ? "missing" : "failed", text: `${name}: ${String(message)}` };
      }
    }
    return undefined;
  }

  function refusalOf(names) {
    const begun = new Set();
    const hook = createHook({ init: (_, type) => SOON_OVER.has(type) || begun.add(type) }).enable();
    randomness.watch();
    const refusal = requireAll(names);
    const isQuiet = randomness.watched();
    hook.disable();
    if (refusal !== undefined) return refusal;
    if (!isQuiet)
      return { refused: "randomness", text: "what it draws, or hides, would be the same in all activations" };
    if (begun.size === 0) return undefined;
    return { refused: "not-quiescent", text: `it has begun ${[...begun].join(", ")}` };
  }

  return (text) => {
    const names = JSON.parse(text);
    if (!Array.isArray(names)) throw new ChannelError("a frame of libraries that are no list");
    const beganMs = performance.now();
    const refusal = refusalOf(names);
    const tookMs = performance.now() - beganMs;
    if (refusal === undefined) {
      // As after the warm-up.
      globalThis.gc?.();
      globalThis.gc?.();
      return { status: OK, body: JSON.stringify({ tookMs }) };
    }
    const shown = { ...refusal, text: refusal.text.slice(0, SHOWN_CHARACTERS) };
    return { status: REFUSED, body: JSON.stringify(shown) };
  };
}

module.exports = { createImports };
