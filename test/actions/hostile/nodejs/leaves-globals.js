/** Leaves globals, and a value on every built-in it can reach. */
function main({ marker }) {
  globalThis.left = marker;
  globalThis[Symbol.for("left")] = marker;
  leftImplicitly = marker;
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    try {
      globalThis[name].left = marker;
      globalThis[name].prototype.left = marker;
    } catch {}
  }
  require("module").left = require("fs").left = require("events").prototype.left = marker;
  return { left: true };
}
