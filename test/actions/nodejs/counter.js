/** Keeps a count in globals, in a module's state and on a built-in: each start must begin at one. */
let calls = 0;
globalThis.seen = globalThis.seen || [];

function main({ name }) {
  calls++;
  globalThis.seen.push(name);
  Array.prototype.calls = (Array.prototype.calls || 0) + 1;
  process.env.CALLS = String(Number(process.env.CALLS || 0) + 1);
  return { calls, seen: globalThis.seen.length, array: [].calls, environment: process.env.CALLS };
}
