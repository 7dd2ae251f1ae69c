// A process that is killed while it is being put back: whoever puts it back must neither wait for ever nor hold on to it.

import { expect } from "chai";
import { within } from "../../pool/index.ts";
import { RestorerError } from "../../restorer/index.ts";
import { withVictim } from "./victim.ts";

const kills = 300;
const patienceMs = 60_000;
const victimName = "threads-blocked";

/** So long nobody but the rewind has a processor of ours, however few there are. */
const nothing = new Int32Array(new SharedArrayBuffer(4));
const sleepFor = (ms: number): unknown => Atomics.wait(nothing, 0, 0, ms);

/** More than a rewind takes here and now, but for the longest. */
async function longestRewindMs(): Promise<number> {
  const tookMs: number[] = [];
  await withVictim(victimName, "copy-all", async (victim, checkpoint) => {
    for (let i = 0; i < 5; i++) {
      await victim.change();
      const startMs = performance.now();
      await checkpoint.rewind({ verify: false });
      tookMs.push(performance.now() - startMs);
    }
  });
  return 1.5 * (tookMs.sort((one, other) => one - other)[2] ?? Number.NaN);
}

describe("a process of many threads that is killed at any moment of a rewind", () => {
  it(`is reported as gone, and can be reaped by its parent (${kills} times)`, async () => {
    const outcomes = new Set<string>();
    const longestMs = await longestRewindMs();
    for (let i = 0; i < kills; i++) {
      await withVictim(victimName, "copy-all", async (victim, checkpoint) => {
        await victim.change();
        const settled = checkpoint.rewind({ verify: false }).then(
          () => "rewound before",
          (error: unknown) => (error instanceof RestorerError ? error.code : String(error)),
        );
        sleepFor((longestMs * i) / kills);
        process.kill(victim.pid, "SIGKILL");
        outcomes.add((await within(patienceMs, settled)) ?? `kill ${i}: the rewind does not return`);
        await victim.end();
      });
    }
    expect([...outcomes]).to.have.members(["process-gone", "rewound before"]);
  }).timeout(120_000);
});
