// What containers cost, as measured, and how the schedule chooses by it.

import { expect } from "chai";
import { type CostFacts, type Costs, MeasuredCosts } from "../../../pool/costs.ts";
import { baseOf } from "../../../pool/libraries.ts";
import { Pool } from "../../../pool/pool.ts";
import { plan, type Step } from "../../../pool/schedule.ts";
import type { Placed, Wanted } from "../../../pool/seats.ts";
import { defaultPoolSettings, type Job, type Lease } from "../../../pool/types.ts";
import { FakeMachine, obedient } from "./fake-machine.ts";

const kind = "node";

function costsOf(fields: Partial<CostFacts> = {}): MeasuredCosts {
  const facts = { nowMs: () => 0, startsAtOnce: 4, isBooted: () => false, isHeldBack: () => false };
  return new MeasuredCosts({ ...facts, ...fields });
}

describe("the costs of containers", () => {
  it("are not known before something is measured", () => {
    const costs = costsOf();
    expect([costs.makeMs(kind, 0), costs.recycleMs(kind), costs.importMs(kind)]).to.deep.equal(
      Array(3).fill(undefined),
    );
  });

  it("are medians of what was measured of late, which one that took long does not change", () => {
    const costs = costsOf();
    for (const ms of [100, 5, 5, 5, 5, 400, 5, 5]) costs.measured("start", kind, ms);
    expect(costs.makeMs(kind, 0)).to.equal(5);
    for (let i = 0; i < 9; i++) costs.measured("start", kind, 30);
    expect(costs.makeMs(kind, 0)).to.equal(30);
  });

  it("are each base's own", () => {
    const costs = costsOf();
    costs.measured("start", baseOf({ kind, libraries: "numpy" }), 900);
    expect(costs.makeMs(kind, 0)).to.equal(undefined);
    expect(costs.makeMs(baseOf({ kind, libraries: "numpy" }), 0)).to.equal(900);
  });

  it("of a new container are those of a boot where the next one is booted, else those of a start", () => {
    let boots = false;
    const costs = costsOf({ isBooted: () => boots });
    costs.measured("start", kind, 300);
    expect(costs.makeMs(kind, 0)).to.equal(300);
    boots = true;
    expect(costs.makeMs(kind, 0), "nothing was booted yet").to.equal(300);
    costs.measured("boot", kind, 10);
    expect(costs.makeMs(kind, 0)).to.equal(10);
    boots = false;
    expect(costs.makeMs(kind, 0), "the next one is started").to.equal(300);
  });

  it("of a new container are those of all that come before it, so many at a time", () => {
    const costs = costsOf({ startsAtOnce: 2 });
    costs.measured("start", kind, 100);
    expect([0, 1, 2, 3, 4].map((ahead) => costs.makeMs(kind, ahead))).to.deep.equal([
      100, 100, 200, 200, 300,
    ]);
  });

  it("of a new container are not counted on while its starts fail", () => {
    let fails = true;
    const costs = costsOf({ isHeldBack: () => fails });
    costs.measured("start", kind, 100);
    expect(costs.makeMs(kind, 0)).to.equal(undefined);
    fails = false;
    expect(costs.makeMs(kind, 0)).to.equal(100);
  });

  it("of putting back what is warm are those of a rewind until that has been done", () => {
    const costs = costsOf();
    costs.measured("rewind", kind, 2);
    expect(costs.recycleMs(kind)).to.equal(2);
    costs.rewindBegun(1, "recycle", kind);
    expect(costs.readyInMs(1)).to.equal(2);
    costs.measured("recycle", kind, 7);
    expect(costs.recycleMs(kind)).to.equal(7);
  });

  it("tell when what is under way will be there, and nothing of what is long overdue", () => {
    let nowMs = 0;
    const costs = costsOf({ nowMs: () => nowMs });
    costs.rewindBegun(1, "rewind", kind);
    expect(costs.readyInMs(1), "nothing was measured").to.equal(undefined);
    costs.measured("rewind", kind, 40);
    costs.rewindBegun(1, "rewind", kind);
    costs.rewindBegun(2, "rewind-to-level", kind);
    const expected = [0, 30, 40, 79, 80].map((ms) => {
      nowMs = ms;
      return costs.readyInMs(1);
    });
    expect(expected).to.deep.equal([40, 10, 40, 40, undefined]);
    expect(costs.readyInMs(2)).to.equal(undefined);
  });

  it("tell of what is under way what is measured meanwhile, as of what would be made now", () => {
    const costs = costsOf();
    costs.makingBegun(1, kind, 0);
    costs.measured("start", kind, 42);
    expect([costs.readyInMs(1), costs.makeMs(kind, 0)]).to.deep.equal([42, 42]);
    costs.measured("start", kind, 5);
    expect([costs.readyInMs(1), costs.makeMs(kind, 0)]).to.deep.equal([5, 5]);
  });

  it("tell nothing of what has ended", () => {
    const costs = costsOf();
    costs.measured("start", kind, 100);
    costs.makingBegun(1, kind, 4);
    expect(costs.readyInMs(1)).to.equal(200);
    costs.makingBegun(1, kind, 0);
    expect(costs.readyInMs(1)).to.equal(100);
    costs.ended(1);
    costs.ended(1);
    expect(costs.readyInMs(1)).to.equal(undefined);
  });

  it("of bases that were measured longest ago are forgotten", () => {
    const costs = costsOf();
    for (let i = 0; i < 500; i++) costs.measured("start", `kind ${i}`, 100);
    costs.measured("start", "kind 0", 100);
    costs.measured("start", "kind 500", 100);
    expect([0, 1, 2].map((i) => costs.makeMs(`kind ${i}`, 0))).to.deep.equal([100, undefined, 100]);
  });
});

function seat(id: number, fields: Partial<Placed> = {}): Placed {
  return { id, kind, state: "clean", memoryMB: 256, owner: undefined, lastUsed: id, ...fields };
}
function job(fields: Partial<Wanted> = {}): Wanted {
  return { kind, memoryMB: 256, owner: "a", isPatient: false, ...fields };
}

/** As they are given, by base. */
function given(table: {
  readonly make?: { readonly [base: string]: number };
  readonly recycle?: number;
  readonly imports?: { readonly [base: string]: number };
}): Costs {
  return {
    makeMs: (base, ahead) => {
      const onceMs = table.make?.[base];
      return onceMs === undefined ? undefined : onceMs * (1 + Math.floor(ahead / 4));
    },
    recycleMs: () => table.recycle,
    importMs: (base) => table.imports?.[base],
  };
}

const numpy = baseOf({ kind, libraries: "numpy" });
const both = baseOf({ kind, libraries: "numpy+pandas" });
const asking = { libraries: ["numpy+pandas", "numpy"], making: "numpy+pandas" };
const imports = { [numpy]: 300, [both]: 800 };
const lease = (container: number): Step => ({ step: "lease", job: 0, container });
const create = (fields: Partial<Step & { step: "create" }> = {}): Step => ({
  ...{ step: "create", job: 0, kind, memoryMB: 256 },
  ...fields,
});
/** Back to where an init of 50 ms of the owner's had ended. */
const returning = { owner: "a", levelBytes: 4096, sparesMs: 50 };
const rewinding = (id: number, readyInMs: number, fields: Partial<Placed> = {}): Placed =>
  seat(id, { state: "rewinding", readyInMs, ...fields });

interface Row {
  readonly name: string;
  readonly seats: readonly Placed[];
  readonly jobs: readonly Wanted[];
  readonly costs: Costs;
  readonly budgetMB?: number;
  readonly steps: readonly Step[];
}

const rows: readonly Row[] = [
  {
    name: "one is booted rather than a long rewind waited for",
    seats: [rewinding(1, 40)],
    jobs: [job()],
    costs: given({ make: { [kind]: 10 } }),
    steps: [create({ isOption: true })],
  },
  {
    name: "a rewind is waited for rather than one started",
    seats: [rewinding(1, 40)],
    jobs: [job()],
    costs: given({ make: { [kind]: 300 } }),
    steps: [],
  },
  {
    name: "a rewind is waited for where a boot would not halve the time",
    seats: [rewinding(1, 19)],
    jobs: [job()],
    costs: given({ make: { [kind]: 10 } }),
    steps: [],
  },
  {
    name: "a rewind is waited for where nothing was measured of it, or of what is made",
    seats: [rewinding(1, 40), seat(2, { kind: "python", state: "rewinding" })],
    jobs: [job(), job({ kind: "python" })],
    costs: given({ make: { python: 10 } }),
    budgetMB: 1024,
    steps: [],
  },
  {
    name: "a rewind is waited for where memory for another one would have to be made",
    seats: [rewinding(1, 40), seat(2, { kind: "python" })],
    jobs: [job()],
    costs: given({ make: { [kind]: 10 } }),
    budgetMB: 512,
    steps: [],
  },
  {
    name: "one is booted rather than somebody's warm one taken, where that is long to put back",
    seats: [seat(1, { state: "warm", owner: "b" })],
    jobs: [job()],
    costs: given({ make: { [kind]: 10 }, recycle: 40 }),
    steps: [create({ isOption: true })],
  },
  {
    name: "somebody's warm one is put back where that is short",
    seats: [seat(1, { state: "warm", owner: "b" })],
    jobs: [job()],
    costs: given({ make: { [kind]: 10 }, recycle: 2 }),
    steps: [{ step: "recycle", container: 1 }],
  },
  {
    name: "somebody's warm one is put back rather than a start waited for",
    seats: [seat(1, { state: "starting", readyInMs: 250 }), seat(2, { state: "warm", owner: "b" })],
    jobs: [job()],
    costs: given({ make: { [kind]: 300 }, recycle: 2 }),
    steps: [{ step: "recycle", container: 2 }],
  },
  {
    name: "of what is under way the one that is there first is counted on",
    seats: [rewinding(1, 40), seat(2, { state: "starting", readyInMs: 5 })],
    jobs: [job()],
    costs: given({ make: { [kind]: 10 } }),
    steps: [],
  },
  {
    name: "those under way are counted on by one job each, the next one has one made",
    seats: [rewinding(1, 15), rewinding(2, 60)],
    jobs: [job(), job(), job()],
    costs: given({ make: { [kind]: 10 } }),
    steps: [create({ job: 1, isOption: true })],
  },
  {
    name: "what is ordered for those before counts as well: who would be the fifth of four at once waits for a rewind",
    seats: [1, 2, 3, 4, 5].map((id) => rewinding(id, 25)),
    jobs: Array(5).fill(job()),
    costs: given({ make: { [kind]: 10 } }),
    budgetMB: 4096,
    steps: [0, 1, 2, 3].map((number) => create({ job: number, isOption: true })),
  },
  {
    name: "what would be made behind others is waited for as long as these",
    seats: [...[2, 3, 4, 5].map((id) => seat(id, { kind: "python", state: "starting" })), rewinding(1, 35)],
    jobs: [job()],
    costs: given({ make: { [kind]: 10 } }),
    budgetMB: 4096,
    steps: [],
  },
  {
    name: "a fresh job has one booted rather than wait for a start",
    seats: [seat(1, { state: "starting", isUnused: true, readyInMs: 200 })],
    jobs: [job({ isFresh: true })],
    costs: given({ make: { [kind]: 10 } }),
    steps: [create({ isOption: true })],
  },
  {
    name: "an idle one without libraries is taken where the import is shorter than the wait",
    seats: [seat(1), rewinding(2, 900, { libraries: "numpy+pandas" })],
    jobs: [job(asking)],
    costs: given({ imports }),
    steps: [lease(1)],
  },
  {
    name: "one that is almost made with the libraries is waited for rather than the import repeated",
    seats: [seat(1), seat(2, { state: "starting", readyInMs: 20, libraries: "numpy+pandas" })],
    jobs: [job(asking)],
    costs: given({ imports }),
    steps: [],
  },
  {
    name: "one without libraries is booted rather than waited for, however long the import takes that both lack",
    seats: [rewinding(1, 40)],
    jobs: [job({ libraries: ["numpy"] })],
    costs: given({ make: { [kind]: 10 } }),
    steps: [create({ isOption: true })],
  },
  {
    name: "one with the libraries is waited for where nobody knows how long that takes, nor the import",
    seats: [seat(1), seat(2, { state: "rewinding", libraries: "numpy" })],
    jobs: [job({ libraries: ["numpy"] })],
    costs: given({}),
    steps: [],
  },
  {
    name: "one is booted with the libraries rather than the import repeated",
    seats: [seat(1), seat(2, { libraries: "numpy" })],
    jobs: [job(asking)],
    costs: given({ imports, make: { [both]: 15 } }),
    steps: [create({ libraries: "numpy+pandas", isOption: true })],
  },
  {
    name: "none is started with the libraries for what takes as long as its import",
    seats: [seat(1)],
    jobs: [job(asking)],
    costs: given({ imports, make: { [both]: 1100 } }),
    steps: [lease(1)],
  },
  {
    name: "a smaller set is taken at once where the rest is imported sooner than the larger set is there",
    seats: [seat(1, { libraries: "numpy" }), rewinding(2, 600, { libraries: "numpy+pandas" })],
    jobs: [job(asking)],
    costs: given({ imports }),
    steps: [lease(1)],
  },
  {
    name: "the owner's, which is coming back to its action checkpoint, is waited for rather than an init repeated",
    seats: [seat(1), rewinding(2, 20, returning)],
    jobs: [job()],
    costs: given({ make: { [kind]: 5 } }),
    steps: [],
  },
  {
    name: "an idle one is taken where its init is shorter than the wait for the action checkpoint",
    seats: [seat(1), rewinding(2, 60, returning)],
    jobs: [job()],
    costs: given({}),
    steps: [lease(1)],
  },
  {
    name: "the owner's is waited for where nobody knows when it is back at its action checkpoint, whatever else is put back",
    seats: [seat(1), seat(2, { state: "rewinding" }), seat(3, { state: "rewinding", ...returning })],
    jobs: [job(), job()],
    costs: given({}),
    budgetMB: 1024,
    steps: [{ step: "lease", job: 1, container: 1 }],
  },
  {
    name: "an idle one is taken whoever else's is coming back to an action checkpoint",
    seats: [seat(1), rewinding(2, 2, { ...returning, owner: "b" })],
    jobs: [job()],
    costs: given({}),
    steps: [lease(1)],
  },
  {
    name: "an idle one is taken for an init of its own, whatever action checkpoint is come back to",
    seats: [seat(1), rewinding(2, 2, returning)],
    jobs: [job({ hasOwnInit: true })],
    costs: given({}),
    steps: [lease(1)],
  },
  {
    name: "an action checkpoint spares one job an init, the next one takes what is idle",
    seats: [seat(1), rewinding(2, 20, returning)],
    jobs: [job(), job()],
    costs: given({}),
    steps: [{ step: "lease", job: 1, container: 1 }],
  },
  {
    name: "one is booted rather than waited for where that and the init take half the time",
    seats: [rewinding(1, 200, returning)],
    jobs: [job()],
    costs: given({ make: { [kind]: 10 } }),
    steps: [create({ isOption: true })],
  },
  {
    name: "the owner's warm one is taken whatever else there is",
    seats: [seat(1, { state: "warm", owner: "a" })],
    jobs: [job(asking)],
    costs: given({ imports, make: { [both]: 1 } }),
    steps: [lease(1)],
  },
  {
    name: "who is served by Docker is served as ever",
    seats: [seat(1, { image: "php", state: "starting", readyInMs: 900 })],
    jobs: [job({ image: "php" })],
    costs: given({ make: { [kind]: 10 } }),
    steps: [],
  },
];

describe("the schedule by measured costs", () => {
  for (const { name, seats, jobs, costs, budgetMB = 768, steps } of rows)
    it(name, () => {
      expect(plan(seats, jobs, budgetMB, { costs }).steps).to.deep.equal(steps);
    });

  it("has none made for who waits for one of which nobody knows when it comes", () => {
    const costs = given({ imports, make: { [both]: 1 }, recycle: 1 });
    const late = seat(2, { state: "starting", libraries: "numpy+pandas" });
    const warm = seat(3, { state: "warm", owner: "b", libraries: "numpy+pandas" });
    expect(plan([seat(1), late, warm], [job(asking)], 1024, { costs }).steps).to.deep.equal([lease(1)]);
  });

  it("asks again whether what an idle one was passed over for is late", () => {
    const costs = given({ imports, make: { [both]: 15 } });
    const making = seat(2, { state: "starting", readyInMs: 20, libraries: "numpy+pandas" });
    const { reviewInMs } = plan([seat(1), making, seat(3)], [job(asking), job(asking)], 1024, { costs });
    expect(reviewInMs).to.equal(30);
    expect(plan([seat(1), making], [job()], 1024, { costs })).to.not.have.property("reviewInMs");
  });
});

describe("a pool that has measured", () => {
  const nodejs = "nodejs:20";
  const wanted = (owner: string): Job => ({ kind: nodejs, memoryMB: 256, owner });
  let machine: FakeMachine;
  let pool: Pool;
  let nowMs: number;
  let putBack: () => void = () => undefined;

  /** A rewind takes 40 ms, all else no time. One is being rewound, and no other is idle. */
  async function rewindOne(): Promise<{ readonly released: Promise<void>; readonly container: string }> {
    for (let i = 0; i < 5; i++) {
      const lease = await pool.lease(wanted("a"));
      for (const checkpoint of machine.checkpoints) checkpoint.behave = () => pass(40);
      await lease.release(true);
    }
    const lease = await pool.lease(wanted("a"));
    const held = new Promise<void>((resolve) => (putBack = resolve));
    for (const checkpoint of machine.checkpoints) checkpoint.behave = () => held;
    return { released: lease.release(true), container: lease.containerId };
  }
  function pass(ms: number): Promise<void> {
    nowMs += ms;
    return Promise.resolve();
  }

  async function opened(): Promise<void> {
    machine = new FakeMachine({ boots: 1e9 });
    machine.clock = { nowMs: () => nowMs };
    pool = new Pool(machine, {
      ...{ ...defaultPoolSettings, userMemoryMB: 1024, idleMs: 1e9, ageBeforeRetirementMs: 1e9 },
      stemCells: [{ kind: nodejs, count: 1, memoryMB: 256 }],
    });
    await pool.settled();
    // The first is started; what is made next is booted.
    const leases = await Promise.all([pool.lease(wanted("a")), pool.lease(wanted("b"))]);
    await Promise.all(leases.map((lease) => lease.release(true)));
    expect(machine.booted).to.have.lengthOf(1);
  }
  beforeEach(() => {
    nowMs = 0;
  });
  afterEach(async () => {
    putBack();
    await pool.close();
  });

  it("boots one for a job that would have to wait for a long rewind", async () => {
    await opened();
    const first = await pool.lease(wanted("idle"));
    const { released } = await rewindOne();
    const lease = await pool.lease(wanted("b"));
    expect(machine.booted).to.include(lease.containerId);
    putBack();
    await Promise.all([released, lease.release(true), first.release(true)]);
  });

  it("lets the job wait for the rewind where the container that was to be sooner cannot be made", async () => {
    await opened();
    const first = await pool.lease(wanted("idle"));
    const { released, container } = await rewindOne();
    const failed = new Promise((resolve) => pool.events.once("startFailed", resolve));
    machine.refuseToCreate = () => new Error("no more processes");
    const leasing: Promise<Lease> = pool.lease(wanted("b"));
    await failed;
    putBack();
    const lease = await leasing;
    expect(lease.containerId).to.equal(container);
    await Promise.all([released, lease.release(true), first.release(true)]);
  });

  it("gives a job an idle one where that with its libraries, which was to be sooner, does not come", async () => {
    machine = new FakeMachine({ boots: 1e9 });
    machine.clock = { nowMs: () => nowMs };
    machine.behave = (request, runtime) => {
      if (request.type === 6) runtime.answer(request, 200, '{"tookMs":800}');
      else obedient(request, runtime);
    };
    pool = new Pool(machine, {
      ...{ ...defaultPoolSettings, userMemoryMB: 1024 },
      stemCells: [{ kind: nodejs, count: 1, memoryMB: 256 }],
      libraries: [{ kind: nodejs, modules: ["express"], count: 1, memoryMB: 256 }],
    });
    await pool.settled();
    const modules = new Set(["express"]);
    const first = await pool.lease({ ...wanted("a"), modules });
    const release = machine.hold();
    const second = await pool.lease({ ...wanted("b"), modules });
    const libraries = pool.status().containers.map(({ state, libraries }) => [state, libraries]);
    expect(libraries).to.deep.equal([
      ["running", undefined],
      ["running", "express"],
      ["starting", "express"],
    ]);
    release();
    await Promise.all([first.release(true), second.release(true)]);
  });
});
