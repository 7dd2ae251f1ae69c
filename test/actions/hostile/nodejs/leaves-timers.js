/** Leaves timers that would change things once it has answered. */
function main({ marker }) {
  setInterval(() => console.log(marker), 5);
  setTimeout(() => (globalThis.leftByTimer = marker), 1);
  setImmediate(() => setImmediate(() => (globalThis.leftByImmediate = marker)));
  new Promise((resolve) => setTimeout(resolve, 2)).then(() => process.chdir("/"));
  return { left: true };
}
