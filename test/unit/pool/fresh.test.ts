// Jobs that get a container which nobody has used: it is removed after them, and the next one is made ahead.

import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { Pool } from "../../../pool/pool.ts";
import { defaultPoolSettings, type Job, type Lease, type PoolSettings } from "../../../pool/types.ts";
import { holdsWithin } from "../../within.ts";
import { FakeMachine } from "./fake-machine.ts";

const limits = { timeoutMs: 10_000, maxBodyBytes: 1_000_000, keptBodyBytes: 1_000_000 };
const job = (fields: Partial<Job> = {}): Job => ({
  ...{ kind: "nodejs:20", memoryMB: 256, owner: "a", rewind: "fresh" },
  ...fields,
});
const cell = { kind: "nodejs:20", count: 1, memoryMB: 256 };

for (const boots of [undefined, 3_600_000])
  describe(`fresh jobs where containers are ${boots === undefined ? "started" : "booted"}`, () => {
    const pools: Pool[] = [];
    let machine: FakeMachine;
    let removed: string[];

    async function opened(settings: Partial<PoolSettings> = {}): Promise<Pool> {
      const usual = { ...defaultPoolSettings, userMemoryMB: 1024, stemCells: [cell] };
      const pool = new Pool(machine, { ...usual, ...settings });
      pools.push(pool);
      pool.events.on("removed", ({ container, cause }) => removed.push(`${container} ${cause}`));
      await pool.settled();
      return pool;
    }
    async function use(pool: Pool, fields: Partial<Job> = {}): Promise<Lease> {
      const lease = await pool.lease(job(fields));
      await lease.run("{}", limits);
      await lease.release(true);
      return lease;
    }

    beforeEach(() => {
      machine = new FakeMachine(boots === undefined ? {} : { boots });
      removed = [];
    });
    afterEach(async () => {
      for (const pool of pools.splice(0)) await pool.close();
    });

    it("have each a container of their own, which is never rewound for another, by the job or as is usual", async () => {
      for (const [usual, asked] of [
        ["fresh", undefined],
        ["always", "fresh"],
        ["on-change", "fresh"],
      ] as const) {
        machine = new FakeMachine(boots === undefined ? {} : { boots });
        const pool = await opened({ rewind: usual });
        const used: string[] = [];
        for (let i = 0; i < 3; i++) {
          const { rewind: _, ...plain } = job();
          const lease = await pool.lease(asked === undefined ? plain : { ...plain, rewind: asked });
          expect([lease.start, lease.initialised]).to.deep.equal(["clean", false]);
          used.push(lease.containerId);
          await lease.run("{}", limits);
          await lease.release(true);
          await pool.settled();
        }
        expect(new Set(used).size).to.equal(3);
        expect(removed.splice(0)).to.deep.equal(used.map((id) => `${id} spent`));
        for (const { led } of machine.checkpoints) expect(led, "the proof").to.deep.equal(["base"]);
      }
    });

    it("have theirs stopped, and removed when no more come", async () => {
      const pool = await opened();
      const { containerId } = await use(pool);
      const used = machine.sandboxes.find(({ id }) => id === containerId);
      expect(used?.isHalted).to.equal(true);
      await pool.settled();
      expect(used?.isDestroyed).to.equal(true);
    });

    it("have theirs removed at once where there is no memory for another", async () => {
      const pool = await opened({ userMemoryMB: 256 });
      const first = await pool.lease(job());
      const second = pool.lease(job({ owner: "b" }));
      await first.release(true);
      await nextTurn();
      expect(machine.sandboxes[0]?.isDestroyed).to.equal(true);
      await (await second).release(true);
    });

    it("have theirs removed at once where something else runs in it", async () => {
      const pool = await opened();
      const lease = await pool.lease(job());
      const used = machine.sandboxes.find(({ id }) => id === lease.containerId);
      if (used !== undefined) used.left = "processes";
      await lease.release(true);
      await nextTurn();
      expect(used?.isDestroyed).to.equal(true);
    });

    it("do not wait for a replacement: it is made while the one before runs", async () => {
      const pool = await opened();
      const first = await pool.lease(job());
      expect(await holdsWithin(60_000, () => machine.living.length === 2)).to.equal(true);
      await pool.settled();
      const second = await pool.lease(job({ owner: "b" }));
      expect(second.start).to.equal("clean");
      await first.release(true);
      await second.release(true);
    });

    it("get none that was used under another policy, which goes on serving the others", async () => {
      const pool = await opened();
      const usual = await use(pool, { rewind: "always" });
      const fresh = await use(pool);
      expect(fresh.containerId).to.not.equal(usual.containerId);
      await pool.settled();
      const again = await use(pool, { rewind: "always", owner: "b" });
      expect([again.containerId, again.start]).to.deep.equal([usual.containerId, "rewound"]);
      expect((await use(pool)).start).to.equal("clean");
      const kept = await use(pool, { rewind: "on-change", owner: "c" });
      await pool.settled();
      expect((await use(pool, { owner: "c" })).containerId).to.not.equal(kept.containerId);
    });

    it("share nothing with neighbours", async () => {
      const pool = await opened({ userMemoryMB: 2048 });
      const leases = await Promise.all([1, 2, 3].map(() => pool.lease(job({ concurrency: 4 }))));
      expect(new Set(leases.map(({ containerId }) => containerId)).size).to.equal(3);
      for (const lease of leases) await lease.release(true);
    });

    it("are all served where there is memory for one container only, one after the other", async () => {
      const pool = await opened({ userMemoryMB: 256 });
      const used = await Promise.all(Array.from({ length: 5 }, () => use(pool)));
      expect(new Set(used.map(({ containerId }) => containerId)).size).to.equal(5);
      expect((await use(pool, { rewind: "always" })).start).to.be.oneOf(["clean", "cold"]);
      expect((await use(pool)).start).to.equal("cold");
    });

    it("leave no action checkpoint", async () => {
      machine.behave = (request, runtime) => runtime.answer(request, 200, '{"ok":true,"level":true}');
      const pool = await opened({ levelMemoryMB: 64, levelInitMs: 0 });
      const lease = await pool.lease(job());
      await lease.init({ name: "a", main: "main", binary: false, env: {}, code: undefined }, limits);
      await lease.release(true);
      expect(machine.checkpoints.map(({ level }) => level)).to.not.include.members([
        { threads: 2, pages: 10 },
      ]);
    });

    it("find one made ahead of a kind without a stem cell, from the second on", async () => {
      const pool = await opened({ stemCells: [] });
      expect((await use(pool)).start).to.equal("cold");
      await pool.settled();
      expect((await use(pool)).start).to.equal("clean");
    });
  });
