// Containers with libraries: whose they are, what forbids one, and who waits for which.

import { expect } from "chai";
import { baseOf, cellsOf, type LibraryRefusal, RefusedSets, suiting } from "../../../pool/libraries.ts";
import { Pool } from "../../../pool/pool.ts";
import { surplus, topUp } from "../../../pool/prewarm.ts";
import { plan, type Step } from "../../../pool/schedule.ts";
import type { Placed, Wanted } from "../../../pool/seats.ts";
import { defaultPoolSettings, type Job, type LibrarySet, type PoolSettings } from "../../../pool/types.ts";
import { RestorerError } from "../../../restorer/index.ts";
import { type Behaviour, FakeMachine, obedient } from "./fake-machine.ts";

const kind = "python:3";
const memoryMB = 256;
const setOf = (modules: string, fields: Partial<LibrarySet> = {}): LibrarySet => ({
  ...{ kind, modules: modules.split("+"), count: 1, memoryMB },
  ...fields,
});
const job = (modules?: string, fields: Partial<Job> = {}): Job => ({
  ...{ kind, memoryMB, owner: `asks for ${modules}` },
  ...(modules !== undefined && { modules: new Set(modules.split("+")) }),
  ...fields,
});

describe("the library sets of a job", () => {
  const sets = [
    setOf("numpy"),
    setOf("numpy+pandas"),
    setOf("a", { memoryMB: 512 }),
    setOf("x", { kind: "nodejs:20" }),
  ];

  for (const [name, asking, expected] of [
    [
      "are those of which it asks for every module, the larger ones first",
      job("pandas+numpy+re"),
      ["numpy+pandas", "numpy"],
    ],
    ["leave out what nobody has asked for", job("numpy"), ["numpy"]],
    ["are none for half of a set", job("pandas"), []],
    ["are none for who asks for nothing", job(), []],
    ["are none of another kind", job("x"), []],
    ["are none that need more memory than it has", job("a"), []],
    ["may be those that need as much as it has", job("a", { memoryMB: 512 }), ["a"]],
    [
      "are none where an image is run",
      job("numpy", { image: { name: "i", pull: false, sentinelled: true } }),
      [],
    ],
  ] as const)
    it(name, () => expect(suiting(sets, asking)).to.deep.equal(expected));
});

describe("a set that was refused", () => {
  it("is tried again after ten minutes", () => {
    const refused = new RefusedSets();
    const base = baseOf({ kind, libraries: "numpy" });
    expect(refused.nextTryInMs(0)).to.equal(undefined);
    refused.refuse(base, 1000);
    expect(refused.isHeldBack(base, 600_999)).to.equal(true);
    expect(refused.isHeldBack(kind, 1000)).to.equal(false);
    expect(refused.nextTryInMs(1000)).to.equal(600_000);
    expect(refused.isHeldBack(base, 601_000)).to.equal(false);
    expect(refused.nextTryInMs(601_000)).to.equal(undefined);
  });

  it("is forgotten then, when another one is refused", () => {
    const refused = new RefusedSets();
    for (let i = 0; i < 1000; i++) refused.refuse(`${kind} with m${i}`, 600_000 * i);
    expect(refused.size).to.equal(1);
  });
});

describe("the plan for containers with libraries", () => {
  const seat = (id: number, fields: Partial<Placed> = {}): Placed => ({
    ...{ id, kind, state: "clean", memoryMB, owner: undefined, lastUsed: id, spare: 0 },
    ...fields,
  });
  const wanted = (fields: Partial<Wanted> = {}): Wanted => ({
    ...{ kind, memoryMB, owner: "a", isPatient: false },
    ...fields,
  });
  const both = { libraries: ["numpy+pandas", "numpy"], making: "numpy+pandas" };
  const of = (libraries: string): Partial<Placed> => ({ libraries });
  const lease = (container: number): Step => ({ step: "lease", job: 0, container });
  const rows: readonly [string, readonly Placed[], Wanted, number, readonly Step[]][] = [
    [
      "gives the best that the job may meet",
      [seat(1, of("numpy+pandas")), seat(2, of("numpy")), seat(3)],
      wanted(both),
      768,
      [lease(1)],
    ],
    ["gives a smaller one rather than none", [seat(2, of("numpy")), seat(3)], wanted(both), 768, [lease(2)]],
    ["gives one without, where there is no other", [seat(3)], wanted(both), 768, [lease(3)]],
    [
      "never gives one to who has not asked for all of it",
      [seat(1, of("numpy"))],
      wanted(),
      512,
      [{ step: "create", job: 0, kind, memoryMB }],
    ],
    [
      "makes one with the libraries where nothing is there",
      [],
      wanted(both),
      512,
      [{ step: "create", job: 0, kind, memoryMB, libraries: "numpy+pandas" }],
    ],
    [
      "makes one without while the libraries are refused",
      [],
      wanted({ libraries: ["numpy"] }),
      512,
      [{ step: "create", job: 0, kind, memoryMB }],
    ],
    [
      "waits for one that is being put back rather than have the import again",
      [seat(1, { ...of("numpy"), state: "rewinding" }), seat(2)],
      wanted(both),
      512,
      [],
    ],
    [
      "does not wait for one that is being made",
      [seat(1, { ...of("numpy"), state: "starting" }), seat(2)],
      wanted(both),
      512,
      [lease(2)],
    ],
    [
      "gives a warm one to its owner, whatever else there is",
      [seat(1, of("numpy")), seat(2, { state: "warm", owner: "a" })],
      wanted(both),
      512,
      [lease(2)],
    ],
    [
      "puts one back that is warm for somebody else, the best",
      [seat(1, { state: "warm", owner: "b" }), seat(2, { ...of("numpy"), state: "warm", owner: "c" })],
      wanted(both),
      512,
      [{ step: "recycle", container: 2 }],
    ],
    [
      "gives up first what nobody has asked for since it was made",
      [seat(1, { kind: "nodejs:20" }), seat(2, { ...of("numpy"), isUnused: true })],
      wanted({ kind: "ruby:3" }),
      512,
      [{ step: "evict", container: 2 }],
    ],
    [
      "gives up the one used longest ago, where each was asked for",
      [seat(1, { kind: "nodejs:20" }), seat(2, of("numpy"))],
      wanted({ kind: "ruby:3" }),
      512,
      [{ step: "evict", container: 1 }],
    ],
  ];
  for (const [name, seats, one, budgetMB, steps] of rows)
    it(name, () => expect(plan(seats, [one], budgetMB).steps).to.deep.equal(steps));
});

describe("stem cells with libraries", () => {
  const cells = [{ kind, count: 1, memoryMB }, ...cellsOf([setOf("numpy")])];
  const seat = (id: number, libraries?: string): Placed => ({
    ...{ id, kind, state: "clean", memoryMB, owner: undefined, lastUsed: id, libraries },
  });

  it("are counted beside those without", () => {
    const missing = (seats: readonly Placed[]): unknown[] =>
      topUp(cells, seats, 2048, () => false).map(({ libraries }) => libraries);
    expect(missing([])).to.deep.equal([undefined, "numpy"]);
    expect(missing([seat(1), seat(2)])).to.deep.equal(["numpy"]);
    expect(missing([seat(1, "numpy"), seat(2, "numpy")])).to.deep.equal([undefined]);
  });

  it("are not made while they are refused, and the others are", () => {
    const held = baseOf({ kind, libraries: "numpy" });
    expect(topUp(cells, [], 2048, (base) => base === held)).to.have.lengthOf(1);
  });

  it("are kept when the others are surplus", () => {
    const seats = [seat(1), seat(2), seat(3, "numpy"), seat(4, "numpy"), seat(5, "other")];
    expect(surplus(cells, seats, 100).map(({ id }) => id)).to.deep.equal([1, 3, 5]);
  });
});

describe("a pool with library sets", () => {
  const pools: Pool[] = [];
  let machine: FakeMachine;
  let refusals: [string, LibraryRefusal][];

  beforeEach(() => {
    machine = new FakeMachine();
    machine.clock = { nowMs: () => 1e6 };
    machine.behave = imported;
    importMs = 100;
    refusals = [];
  });
  afterEach(async () => {
    for (const pool of pools.splice(0)) await pool.close();
  });

  /** An obedient runtime that has imported what it was to. */
  const imported: Behaviour = (request, runtime) => {
    if (request.type === 6) runtime.answer(request, 200, `{"tookMs":${importMs}}`);
    else obedient(request, runtime);
  };
  let importMs: number;

  async function opened(settings: Partial<PoolSettings> = {}): Promise<Pool> {
    const usual = { ...defaultPoolSettings, userMemoryMB: 2048, libraries: [setOf("numpy")] };
    const pool = new Pool(machine, { ...usual, ...settings });
    pools.push(pool);
    pool.events.on("librariesRefused", ({ libraries, error }) => refusals.push([libraries, error.code]));
    await pool.settled();
    return pool;
  }
  const askedFor = (): string[] =>
    machine.sandboxes.flatMap(({ runtime }) =>
      runtime.requests.filter(({ type }) => type === 6).map(({ payload }) => payload.toString()),
    );
  const levels = (pool: Pool): unknown[] => pool.status().containers.map(({ libraries }) => libraries);
  const answering =
    (behave: Behaviour): Behaviour =>
    (request, runtime) =>
      (request.type === 6 ? behave : obedient)(request, runtime);

  it("has a runtime import them before its checkpoint is taken, and proves that", async () => {
    const pool = await opened();
    expect(askedFor()).to.deep.equal(['["numpy"]']);
    expect(levels(pool)).to.deep.equal(["numpy"]);
    expect(machine.checkpoints[0]?.led).to.deep.equal(["base"]);
    expect(machine.checkpoints[0]?.level).to.equal(undefined);
  });

  it("gives it to who asks for them, and makes another for who does not", async () => {
    const pool = await opened();
    const other = await pool.lease(job());
    const own = await pool.lease(job("numpy"));
    expect([other.containerId, own.containerId]).to.deep.equal(["sandbox-1", "sandbox-0"]);
    await other.release(true);
    await own.release(true);
    expect(levels(pool)).to.deep.equal(["numpy", undefined]);
  });

  it("takes no action checkpoint over libraries", async () => {
    const pool = await opened({ levelMemoryMB: 64, levelInitMs: 0 });
    const lease = await pool.lease(job("numpy"));
    const limits = { timeoutMs: 1000, maxBodyBytes: 100, keptBodyBytes: 100 };
    await lease.init({ name: "a", main: "main", binary: false, env: {}, code: undefined }, limits);
    const [request] = machine.sandboxes[0]?.runtime.requests.filter(({ type }) => type === 1) ?? [];
    expect(request?.payload.toString()).to.not.contain("level");
    await lease.release(true);
  });

  it("boots only what has the same libraries from a template", async () => {
    machine = new FakeMachine({ boots: 20_000 });
    const pool = await opened({
      stemCells: [{ kind, count: 2, memoryMB }],
      libraries: [setOf("numpy", { count: 2 })],
    });
    const made = pool.status().containers.map(({ libraries, isBooted }) => [libraries, isBooted === true]);
    expect(made).to.have.deep.members([
      [undefined, false],
      [undefined, true],
      ["numpy", false],
      ["numpy", true],
    ]);
    expect(askedFor()).to.have.lengthOf(1);
  });

  it("does not start the others of a set whose first is refused", async () => {
    machine = new FakeMachine({ boots: 20_000 });
    machine.behave = answering((request, runtime) => runtime.answer(request, 409, '{"refused":"failed"}'));
    const pool = await opened({ libraries: [setOf("numpy", { count: 3 })] });
    expect(refusals).to.deep.equal([["numpy", "failed"]]);
    expect([askedFor().length, levels(pool)]).to.deep.equal([1, []]);
    const lease = await pool.lease(job("numpy"));
    await lease.release(true);
    expect(levels(pool)).to.deep.equal([undefined]);
  });

  it("imports nothing where nothing can be put back", async () => {
    machine = new FakeMachine({ rewinds: false });
    const pool = await opened({ stemCells: [{ kind, count: 1, memoryMB }] });
    expect(levels(pool)).to.deep.equal([undefined]);
    expect(askedFor()).to.deep.equal([]);
  });

  const ways: readonly [string, LibraryRefusal, () => void][] = [
    [
      "says that it is not there",
      "missing",
      () => {
        machine.behave = answering((request, runtime) =>
          runtime.answer(request, 409, '{"refused":"missing","text":"no"}'),
        );
      },
    ],
    [
      "says what nobody understands",
      "system",
      () => {
        machine.behave = answering((request, runtime) => runtime.answer(request, 500, "?"));
      },
    ],
    [
      "ends",
      "ended",
      () => {
        machine.behave = answering((_, runtime) => runtime.socket.destroy());
      },
    ],
    [
      "is killed for want of memory",
      "memory",
      () => {
        machine.behave = answering((_, runtime) => {
          for (const sandbox of machine.sandboxes) if (sandbox.runtime === runtime) sandbox.ooms = 1;
          runtime.socket.destroy();
        });
      },
    ],
  ];
  for (const [how, reason, arrange] of ways)
    it(`goes on without them where the runtime ${how}, and does not try again at once`, async () => {
      arrange();
      const pool = await opened();
      expect(refusals).to.deep.equal([["numpy", reason]]);
      const lease = await pool.lease(job("numpy"));
      await lease.release(true);
      expect(levels(pool)).to.deep.equal([undefined]);
      expect(machine.sandboxes).to.have.lengthOf(2);
      expect(machine.sandboxes[0]?.isDestroyed).to.equal(true);
    });

  it("goes on without them where the import is not over in the time of a start", async () => {
    machine.behave = answering(() => undefined);
    await opened({ startTimeoutMs: 50 });
    expect(refusals).to.deep.equal([["numpy", "late"]]);
  });

  it("waits until the threads that the import has left are at rest, before the checkpoint is taken", async () => {
    machine.behave = (request, runtime) => {
      for (const sandbox of machine.sandboxes)
        if (sandbox.runtime === runtime && request.type === 6)
          sandbox.restless.push("spins", "waits 1", "waits 2");
      imported(request, runtime);
    };
    const pool = await opened();
    expect(levels(pool)).to.deep.equal(["numpy"]);
    expect(machine.sandboxes[0]?.restless).to.deep.equal([]);
  });

  it("goes on without them where the threads that the import has left never rest", async () => {
    machine.behave = (request, runtime) => {
      for (const sandbox of machine.sandboxes)
        if (sandbox.runtime === runtime && request.type === 6)
          sandbox.restless.push(...Array.from({ length: 200 }, (_, i) => `runs ${i}`));
      imported(request, runtime);
    };
    await opened();
    expect(refusals).to.deep.equal([["numpy", "not-quiescent"]]);
    expect(machine.checkpoints).to.deep.equal([]);
  });

  it("goes on without them where the import has left what cannot be put back", async () => {
    const { takeCheckpoint } = machine;
    let isFirst = true;
    Object.assign(machine, {
      takeCheckpoint: async (pids: readonly number[]) => {
        const checkpoint = await takeCheckpoint?.(pids);
        if (isFirst)
          Object.assign(checkpoint ?? {}, {
            nextLevel: new RestorerError("not-quiescent", "a thread", true),
          });
        isFirst = false;
        return checkpoint;
      },
    });
    const pool = await opened();
    expect(refusals).to.deep.equal([["numpy", "not-quiescent"]]);
    const lease = await pool.lease(job("numpy"));
    await lease.release(true);
    expect(levels(pool)).to.deep.equal([undefined]);
  });

  it("has the job that one was made for wait for one without, when the libraries are refused meanwhile", async () => {
    const hold = { end: (): void => undefined };
    machine.behave = answering((request, runtime) => {
      hold.end = () => runtime.answer(request, 409, '{"refused":"failed","text":"no"}');
    });
    const pool = new Pool(machine, {
      ...defaultPoolSettings,
      userMemoryMB: 256,
      libraries: [setOf("numpy")],
    });
    pools.push(pool);
    const leasing = pool.lease(job("numpy"));
    while (askedFor().length === 0) await new Promise(setImmediate);
    hold.end();
    const lease = await leasing;
    expect(lease.containerId).to.equal("sandbox-1");
    await lease.release(true);
  });
});
