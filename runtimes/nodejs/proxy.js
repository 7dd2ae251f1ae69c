// The action proxy for nodejs: warms up, says READY, then answers one frame after the other on descriptor 3.
"use strict";

const { inspect } = require("node:util");
const { Action } = require("./action.js");
const { loadAddon } = require("./addon.js");
const { Channel } = require("./channel.js");
const { createImports } = require("./libraries.js");
const { createPlace } = require("./load.js");
const { createRenewal } = require("./randomness.js");
const { Server, breakOff } = require("./server.js");
const { seedNewContexts } = require("./vm-contexts.js");
const { exposeGarbageCollector, warmUp } = require("./warm-up.js");

const CHANNEL_FD = 3;

const { reallyExit, stdout, stderr } = process;
const { error: consoleError } = console;

/** A line on the activation's stderr. */
function report(text) {
  try {
    consoleError(text);
  } catch {
    // User code has broken console or process.stderr: its own loss.
  }
}

async function main() {
  const home = process.env.HOME || process.cwd();
  // Output is written before a call returns, not some time later: neither an answer nor an exit overtakes it.
  for (const stream of [stdout, stderr]) stream._handle?.setBlocking?.(true);
  const randomness = createRenewal();
  await warmUp(home, randomness);
  const createWatch = loadAddon("watch", "the channel cannot be watched");
  const channel = new Channel(CHANNEL_FD);
  const place = createPlace(home);
  const action = new Action(place, report);
  const server = new Server({
    channel,
    action,
    imports: createImports(place.require, randomness),
    randomness,
    watch: (callback) => createWatch(CHANNEL_FD, callback),
    closed: () => reallyExit(0),
  });
  exposeGarbageCollector();
  seedNewContexts(randomness.reseed);
  globalThis.gc();
  globalThis.gc();
  setImmediate(() => {
    channel.ready(JSON.stringify({ runtime: "nodejs", version: process.versions.node }));
    server.next();
  });
}

main().catch((error) => breakOff(inspect(error)));
