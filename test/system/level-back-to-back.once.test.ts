// Action checkpoints of a caller who calls again as soon as he has the answer: his action's own container is there in a moment.

import { expect } from "chai";
import {
  createLeanFactory,
  defaultPoolSettings,
  findInterpreters,
  Pool,
  probe,
  realMachine,
} from "../../pool/index.ts";
import { instanceName } from "./instance.ts";
import { launcher, requireRoot } from "./lean-probe.ts";

const kind = "python:3";
const memoryMB = 256;
const initMs = 200;
const limits = { timeoutMs: 60_000, maxBodyBytes: 1 << 20, keptBodyBytes: 1 << 20 };
const code = Buffer.from(
  `import time\nend = time.monotonic() + ${initMs / 1000}\nwhile time.monotonic() < end: pass\ndef main(args): return {}\n`,
);

describe("an action with a checkpoint that is called again as soon as it has answered", () => {
  before(requireRoot);

  for (const idle of [0, 1, 3])
    it(`has no second init, with ${idle} other idle containers of its kind`, async () => {
      const factory = createLeanFactory({
        instance: instanceName("back"),
        interpreters: await findInterpreters(),
        ...{ environment: {}, scratchMB: 64, launcher },
      });
      const settings = {
        ...{ ...defaultPoolSettings, userMemoryMB: (1 + idle) * memoryMB, levelMemoryMB: 256 },
        stemCells: [{ kind, count: 1 + idle, memoryMB }],
      };
      const pool = new Pool(realMachine(factory, await probe(), undefined, settings), settings);
      try {
        await pool.settled();
        const places: string[] = [];
        const releases: Promise<void>[] = [];
        for (let i = 0; i < 4; i++) {
          const lease = await pool.lease({ kind, memoryMB, owner: "one" });
          places.push(lease.place);
          lease.keepLogs(0);
          const frame = { name: "one", main: "main", binary: false, env: {}, code };
          if (!lease.initialised) await lease.init(frame, limits);
          await lease.run('{"value":{}}', limits);
          // The answer is the caller's now; the rewind comes after it.
          releases.push(lease.release(true));
        }
        await Promise.all(releases);
        expect(places).to.deep.equal(["clean", "level", "level", "level"]);
      } finally {
        await pool.close();
        await factory.close();
      }
    });
});
