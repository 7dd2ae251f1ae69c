function edges() {
  const maps = require("node:fs").readFileSync("/proc/self/maps", "utf8");
  return /^(.*)-(.*) r.*vdso/m
    .exec(maps)
    .slice(1)
    .map((edge) => Number.parseInt(edge, 16));
}

function leave() {
  const [start, end] = edges();
  act("mprotect", start, end - start, 3);
  act("getcwd", end - 16, 16);
  return word(act("mprotect", start, end - start, 5));
}

/** A pipe takes the bytes from where they lie. */
function read() {
  act("pipe2", act("memory"), 0);
  const [from, to] = [take(4).readInt32LE(), take(4, 4).readInt32LE()];
  act("write", to, edges()[1] - 16, 16);
  act("read", from, act("memory"), 16);
  return [act("close", from), act("close", to), take(16).toString("hex")];
}

module.exports = { leave, read };
