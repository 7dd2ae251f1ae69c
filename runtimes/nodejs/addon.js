// Loads what the proxy needs in machine code.
"use strict";

const { join } = require("node:path");

/** In a container the addons lie above this folder; in a checkout where the build puts them. */
const FOLDERS = [join(__dirname, ".."), join(__dirname, "..", "..", "build", "native")];

/** The addon of that name, which is one function. Throws, with `what` cannot be done without it. */
function loadAddon(name, what) {
  const reasons = [];
  for (const folder of FOLDERS) {
    try {
      return require(join(folder, `${name}.node`));
    } catch (error) {
      reasons.push(error.message.split("\n")[0]);
    }
  }
  throw new Error(`${what}: ${reasons.join("; ")}`);
}

module.exports = { loadAddon };
