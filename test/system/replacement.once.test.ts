// Real containers whose runtimes are killed: they are replaced, the reason is told, and nobody waits for more than a start.

import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { holdsWithin } from "../within.ts";
import { RealInvoker } from "./real-invoker.ts";
import { runtimeOf, starve } from "./runtime-process.ts";
import type { Made } from "./watched.ts";

const programs = {
  "nodejs:20": {
    brief: "function main({ n }) { return { n: n + 1 }; }",
    endless: "function main() { for (;;); }",
    hungry: "function main() { return { n: Buffer.alloc(100 << 20, 1).length }; }",
  },
  "python:3": {
    brief: "def main(args):\n  return {'n': args['n'] + 1}\n",
    endless: "def main(args):\n  while True: pass\n",
    hungry: "def main(args):\n  return {'n': len(bytearray(b'x') * (100 << 20))}\n",
  },
} as const;
const startMs = 60_000;
const blows = 20;
/** An activation and its rewind take less. */
const longestMs = 8;

/** Containers by the events that tell of them, in order. */
function named(real: RealInvoker, event: string): string[] {
  return real.lines
    .map((line) => JSON.parse(line) as { event: string; container?: string })
    .filter((entry) => entry.event === event)
    .map(({ container = "" }) => container);
}

const killNewest = (real: RealInvoker): boolean =>
  process.kill(runtimeOf(named(real, "container-started").at(-1) ?? ""), "SIGKILL");

for (const [kind, { brief, endless, hungry }] of Object.entries(programs)) {
  let real: RealInvoker;
  const start = async (count: number, room: number, made?: Made): Promise<void> => {
    const stemCells = [{ kind, count, memoryMB: 256 }];
    real = await RealInvoker.start({ userMemoryMB: room * 256, stemCells }, undefined, made);
    real.put("brief", { kind, code: brief });
    real.put("endless", { kind, code: endless });
    real.put("hungry", { kind, code: hungry });
  };
  const startsAre = (count: number): Promise<boolean> =>
    holdsWithin(startMs, () => named(real, "container-started").length === count);

  const isRunning = (): Promise<boolean> =>
    holdsWithin(startMs, () =>
      real.invoker.status().pool.containers.some(({ state }) => state === "running"),
    );

  describe(`a ${kind} container whose runtime is struck`, () => {
    afterEach(() => real.stop());

    it("dead while idle, is replaced, and the reason is counted and logged", async () => {
      await start(1, 1);
      killNewest(real);
      expect(await startsAre(2)).to.equal(true);
      const { record } = await real.run("brief", { n: 1 });
      const counted = await real.metric('rewhisk_tainted_total{reason="process-gone"}');
      const taints = real.taints();
      expect(record.response.result).to.deep.equal({ n: 2 });
      expect(counted).to.equal(1);
      expect(taints).to.deep.equal(["process-gone: the runtime ended (signal 9) while idle"]);
    });

    it("dead while it runs, delays those who wait by one start together", async () => {
      await start(1, 1);
      const killed = real.run("endless");
      const waiting = Array.from({ length: 4 }, (_, n) => real.run("brief", { n }));
      expect(await isRunning()).to.equal(true);
      killNewest(real);
      const { record } = await killed;
      const results = (await Promise.all(waiting)).map((done) => done.record.response.result);
      const starts = named(real, "container-started").length;
      const counted = await real.metric('rewhisk_tainted_total{reason="process-gone"}');
      expect(record.response.statusCode, "a developer error").to.equal(2);
      expect(results).to.deep.equal([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]);
      expect([starts, counted]).to.deep.equal([2, 1]);
    });

    it("dead, delays nobody where another container is free", async () => {
      let makes = 0;
      let goOn = (): void => undefined;
      const answered = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      // Who waited for the replacement would wait for ever.
      await start(2, 2, async () => {
        if (++makes > 2) await answered;
      });
      const [first = ""] = named(real, "container-started");
      const killed = real.run("endless");
      expect(await isRunning()).to.equal(true);
      // The one that was ready last is the one that is given first.
      killNewest(real);
      const { record } = await real.run("brief", { n: 1 });
      const startsThen = named(real, "container-started").length;
      goOn();
      await killed;
      expect(await startsAre(3)).to.equal(true);
      const removed = named(real, "container-removed");
      expect(record.response.result).to.deep.equal({ n: 2 });
      expect(startsThen, "before the replacement was ready").to.equal(2);
      expect(removed).to.not.include(first);
    });

    for (const [what, strike] of Object.entries({
      killed: (pid: number): void => void process.kill(pid, "SIGKILL"),
      "denied all further memory": starve,
    }))
      it(`and is ${what} at any moment of an activation or its rewind, is never taken for clean`, async () => {
        await start(1, 1);
        for (let blow = 0; blow < blows; blow++) {
          const atMs = performance.now() + (longestMs * blow) / blows;
          const struck = real.run("brief", { n: blow });
          const pid = runtimeOf(named(real, "container-started").at(-1) ?? "");
          while (performance.now() < atMs) await nextTurn();
          strike(pid);
          const { statusCode, result } = (await struck).record.response;
          expect(statusCode, `blow ${blow}`).to.be.oneOf([0, 2]);
          if (statusCode === 0) expect(result).to.deep.equal({ n: blow + 1 });
          // It shows that a starved container is one; or it has been replaced, and there is memory.
          const hunger = (await real.run("hungry")).record.response;
          if (hunger.statusCode === 0) expect(hunger.result).to.deep.equal({ n: 100 << 20 });
          expect(await startsAre(blow + 2), `blow ${blow}: ${real.taints().at(-1)}`).to.equal(true);
        }
        const counted = await real.metric('rewhisk_tainted_total{reason="process-gone"}');
        const taints = real.taints();
        expect(counted, taints.join("\n")).to.equal(blows);
      }).timeout(240_000);
  });
}
