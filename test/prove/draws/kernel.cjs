// One value of each generator that asks the kernel, or is seeded by it at its first use, which is the action's.
const fs = require("node:fs");

function temporaryFolder() {
  const name = fs.mkdtempSync("/tmp/draw-");
  fs.rmdirSync(name);
  return name;
}

/** What a WebAssembly program gets. */
function wasi() {
  const { WASI } = require("node:wasi");
  const memory = new WebAssembly.Memory({ initial: 1 });
  const system = new WASI({ version: "preview1" });
  system.initialize({ exports: { memory } });
  system.wasiImport.random_get(0, 16);
  return Buffer.from(memory.buffer, 0, 16).toString("hex");
}

/** Not every Node has it. */
function sqlite() {
  try {
    const { DatabaseSync } = require("node:sqlite");
    return new DatabaseSync(":memory:").prepare("SELECT hex(randomblob(16)) AS drawn").get();
  } catch (error) {
    if (error.code !== "ERR_UNKNOWN_BUILTIN_MODULE") throw error;
    return {};
  }
}

function draw() {
  const { drawn } = sqlite();
  return {
    ...(drawn === undefined ? {} : { SQLite: drawn }),
    WASI: wasi(),
    "temporary folder": temporaryFolder(),
    arc4random: act("arc4random"),
  };
}

module.exports = { draw };
