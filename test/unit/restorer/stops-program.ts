// A process of its own whose only child is stopped, then killed, first as usual and then with stops muted. Prints how many SIGCHLD each took.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { muteStops } from "../../../restorer/index.ts";
import { within } from "../../within.ts";

const limitMs = 30_000;
const turns = 10;
let signals = 0;
process.on("SIGCHLD", () => signals++);

async function heardOf(isMuted: boolean): Promise<number> {
  const child = spawn("sleep", ["600"]);
  if (isMuted) muteStops();
  signals = 0;
  child.kill("SIGSTOP");
  const isStopped = (): true | undefined =>
    readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.startsWith("T") || undefined;
  await within(limitMs, isStopped);
  // A signal that is still on its way when the next one comes would be one with that.
  if (!isMuted) await within(limitMs, () => signals > 0 || undefined);
  child.kill("SIGKILL");
  await once(child, "exit");
  // The signal that told of the end may reach the listener here after the child's own.
  for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
  return signals;
}

console.log(`${await heardOf(false)} ${await heardOf(true)}`);
process.exit();
