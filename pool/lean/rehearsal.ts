// An action that does nothing, run in a container that nobody has yet: what the kernel does once for each process is done by then.

import type { Channel } from "../proxy/channel.ts";
import { LeanError } from "./errors.ts";

const bodyBytes = 4096;

/**
 * Afterwards the runtime has pages of its own where actions write, and has looked up what it executes; all else is to be put back. `code` is a
 * main that gives an object. Rejects with LeanError; `process-gone`: the runtime has closed its channel.
 */
export async function rehearse(channel: Channel, code: string, timeoutMs: number): Promise<void> {
  const limits = { timeoutMs, maxBodyBytes: bodyBytes, keptBodyBytes: bodyBytes };
  const frame = { name: "rehearsal", main: "main", binary: false, env: {}, code: Buffer.from(code) };
  const questions = [() => channel.init(frame, limits), () => channel.run('{"value":{}}', limits)];
  for (const ask of questions) {
    const reply = await ask();
    if (reply.outcome !== "answer" || reply.status !== 200)
      throw new LeanError(
        reply.outcome === "closed" ? "process-gone" : "start",
        `at its rehearsal the runtime gave ${JSON.stringify(reply)}`,
      );
  }
}
