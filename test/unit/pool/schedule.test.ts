// Decisions of the pool as tables, and what must hold whatever comes.

import { expect } from "chai";
import { type Placed, plan, reservedMB, type Step, type Wanted } from "../../../pool/schedule.ts";

function seat(id: number, fields: Partial<Placed>): Placed {
  return { id, kind: "node", state: "clean", memoryMB: 256, owner: undefined, lastUsed: id, ...fields };
}
const job = (fields: Partial<Wanted> = {}): Wanted => ({
  kind: "node",
  memoryMB: 256,
  owner: "a",
  isPatient: false,
  ...fields,
});

interface Row {
  readonly name: string;
  readonly seats: readonly Placed[];
  readonly jobs: readonly Wanted[];
  readonly budgetMB?: number;
  readonly steps: readonly Step[];
}

const rows: readonly Row[] = [
  {
    name: "a warm container of the owner comes before a clean one",
    seats: [seat(1, {}), seat(2, { state: "warm", owner: "a" })],
    jobs: [job()],
    steps: [{ step: "lease", job: 0, container: 2 }],
  },
  {
    name: "of several clean containers the one used last is taken",
    seats: [seat(1, { lastUsed: 5 }), seat(2, { lastUsed: 9 }), seat(3, { lastUsed: 7 })],
    jobs: [job()],
    steps: [{ step: "lease", job: 0, container: 2 }],
  },
  {
    name: "a clean container takes any memory size if the difference fits",
    seats: [seat(1, {})],
    jobs: [job({ memoryMB: 512 })],
    budgetMB: 512,
    steps: [{ step: "lease", job: 0, container: 1 }],
  },
  {
    name: "a container that need not grow is preferred",
    seats: [seat(1, { memoryMB: 512, lastUsed: 1 }), seat(2, { lastUsed: 2 })],
    jobs: [job({ memoryMB: 512 })],
    steps: [{ step: "lease", job: 0, container: 1 }],
  },
  {
    name: "a warm container of another owner is put back rather than a new one made",
    seats: [seat(1, { state: "warm", owner: "b" })],
    jobs: [job()],
    steps: [{ step: "recycle", container: 1 }],
  },
  {
    name: "a job waits for a container under way instead of making another",
    seats: [seat(1, { state: "rewinding" })],
    jobs: [job()],
    steps: [],
  },
  {
    name: "each container under way is counted on by one job only",
    seats: [seat(1, { state: "rewinding" })],
    jobs: [job(), job()],
    steps: [{ step: "create", job: 1, kind: "node", memoryMB: 256 }],
  },
  {
    name: "a job that waits for a container under way holds back nobody",
    seats: [seat(1, { state: "starting", kind: "python" }), seat(2, {})],
    jobs: [job({ kind: "python" }), job()],
    steps: [{ step: "lease", job: 1, container: 2 }],
  },
  {
    name: "a new container is made where there is room",
    seats: [seat(1, { state: "running" })],
    jobs: [job()],
    steps: [{ step: "create", job: 0, kind: "node", memoryMB: 256 }],
  },
  {
    name: "without room the least recently used idle container goes, and the job waits until it is gone",
    seats: [seat(1, { kind: "python", lastUsed: 2 }), seat(2, { kind: "python", lastUsed: 1 })],
    jobs: [job()],
    budgetMB: 512,
    steps: [{ step: "evict", container: 2 }],
  },
  {
    name: "what is being removed still counts, and nothing more is evicted than needed",
    seats: [seat(1, { kind: "python" }), seat(2, { state: "removing" })],
    jobs: [job()],
    budgetMB: 512,
    steps: [],
  },
  {
    name: "a tainted container counts until it is gone",
    seats: [seat(1, { state: "tainted" })],
    jobs: [job()],
    budgetMB: 256,
    steps: [],
  },
  {
    name: "nobody overtakes a job that waits for memory",
    seats: [seat(1, { state: "running", memoryMB: 512 }), seat(2, { memoryMB: 128, kind: "python" })],
    jobs: [job({ memoryMB: 512 }), job({ kind: "python", memoryMB: 128 })],
    budgetMB: 640,
    steps: [{ step: "evict", container: 2 }],
  },
  {
    name: "to make way for a larger job others go first and the largest of its kind grows",
    seats: [seat(1, {}), seat(2, { kind: "python" })],
    jobs: [job({ memoryMB: 512 })],
    budgetMB: 512,
    steps: [{ step: "evict", container: 2 }],
  },
  {
    name: "of warm containers one that can grow is put back, not the oldest",
    seats: [
      seat(1, { state: "warm", owner: "x", memoryMB: 128 }),
      seat(2, { state: "warm", owner: "y", memoryMB: 384 }),
    ],
    jobs: [job({ memoryMB: 512 })],
    budgetMB: 640,
    steps: [{ step: "recycle", container: 2 }],
  },
  {
    name: "a job that has just come waits for a running container of its kind rather than evict another kind's",
    seats: [seat(1, { state: "running" }), seat(2, { kind: "python" })],
    jobs: [job({ isPatient: true })],
    budgetMB: 512,
    steps: [],
  },
  {
    name: "a job of a kind of which nothing runs has no patience",
    seats: [seat(1, { state: "running", kind: "ruby" }), seat(2, { kind: "python" })],
    jobs: [job({ isPatient: true })],
    budgetMB: 512,
    steps: [{ step: "evict", container: 2 }],
  },
  {
    name: "a job larger than the whole budget is refused and holds back nobody",
    seats: [seat(1, {})],
    jobs: [job({ memoryMB: 2048 }), job()],
    budgetMB: 1024,
    steps: [
      { step: "refuse", job: 0 },
      { step: "lease", job: 1, container: 1 },
    ],
  },
];

describe("the schedule", () => {
  for (const { name, seats, jobs, budgetMB = 1024, steps } of rows) {
    it(name, () => {
      expect(plan(seats, jobs, budgetMB).steps).to.deep.equal(steps);
    });
  }
});

describe("the first job without room", () => {
  it("is named, also behind others that only wait for a container under way", () => {
    const seats = [
      seat(1, { state: "starting", memoryMB: 512 }),
      seat(2, { state: "running", memoryMB: 512 }),
    ];
    const python = job({ kind: "python" });
    expect(plan(seats, [job(), python, job()], 1024)).to.deep.equal({ steps: [], blocked: 1 });
    expect(plan(seats, [job()], 1024).blocked).to.equal(undefined);
  });
});

// --- whatever comes ---

/** A small generator with a seed, so that a failure can be repeated. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

interface Simulated {
  readonly seats: Map<number, Placed>;
  readonly waiting: (Wanted & { readonly number: number })[];
  readonly served: number[];
}

const budgetMB = 1024;
const sizes = [128, 256, 512, 1024];

function change(world: Simulated, id: number, fields: Partial<Placed>): void {
  const before = world.seats.get(id);
  if (before === undefined) throw new Error(`no container ${id}`);
  world.seats.set(id, { ...before, ...fields });
}

/** Takes the planned steps, checking each against what it may do. */
function takeSteps(world: Simulated, nextId: () => number): void {
  const { steps } = plan([...world.seats.values()], world.waiting, budgetMB);
  const asked = [...world.waiting];
  for (const step of steps) {
    if (step.step === "lease") {
      const wanted = asked[step.job];
      const place = world.seats.get(step.container);
      if (wanted === undefined || place === undefined) throw new Error("a lease of nothing");
      expect(place.kind).to.equal(wanted.kind);
      expect(place.state === "clean" || (place.state === "warm" && place.owner === wanted.owner)).to.equal(
        true,
      );
      expect(world.served, "one lease for each job").to.not.include(wanted.number);
      world.served.push(wanted.number);
      world.waiting.splice(world.waiting.indexOf(wanted), 1);
      change(world, step.container, { state: "running", memoryMB: wanted.memoryMB, owner: wanted.owner });
    } else if (step.step === "create") {
      const id = nextId();
      const { kind, memoryMB } = step;
      world.seats.set(id, { id, kind, memoryMB, state: "starting", owner: undefined, lastUsed: id });
    } else if (step.step === "recycle") {
      expect(world.seats.get(step.container)?.state).to.equal("warm");
      change(world, step.container, { state: "rewinding", owner: undefined });
    } else if (step.step === "evict") {
      expect(world.seats.get(step.container)?.state).to.be.oneOf(["clean", "warm"]);
      change(world, step.container, { state: "removing" });
    } else {
      throw new Error("every job of this test fits");
    }
    expect(reservedMB([...world.seats.values()]), "never over-committed").to.be.at.most(budgetMB);
  }
}

/** One container's next event; failures are among them. */
function advance(world: Simulated, place: Placed, random: (below: number) => number, now: number): void {
  const { id, state } = place;
  if (state === "removing") {
    world.seats.delete(id);
  } else if (state === "tainted") {
    change(world, id, { state: "removing" });
  } else if (random(20) === 0) {
    change(world, id, { state: "tainted" });
  } else if (state === "running" && random(2) === 0) {
    change(world, id, { state: "warm", lastUsed: now });
  } else if (state === "running") {
    change(world, id, { state: "rewinding", owner: undefined });
  } else {
    change(world, id, { state: "clean", lastUsed: now });
  }
}

describe("the schedule, whatever comes", () => {
  for (let seed = 1; seed <= 60; seed++) {
    it(`never over-commits, serves each job once and lets nobody starve (seed ${seed})`, () => {
      const random = generator(seed);
      const world: Simulated = { seats: new Map(), waiting: [], served: [] };
      let lastId = 0;
      const nextId = (): number => ++lastId;
      const jobs = 80;
      let sent = 0;
      for (let turn = 0; world.served.length < jobs; turn++) {
        expect(turn, "everybody is served in the end").to.be.below(20_000);
        while (sent < jobs && random(3) === 0) {
          const kind = ["node", "python", "ruby"][random(3)] ?? "node";
          const memoryMB = sizes[random(sizes.length)] ?? 256;
          world.waiting.push({
            kind,
            memoryMB,
            owner: `owner${random(4)}`,
            isPatient: random(2) === 0,
            number: sent++,
          });
        }
        const head = world.waiting[0];
        takeSteps(world, nextId);
        const places = [...world.seats.values()].filter(({ state }) => state !== "clean" && state !== "warm");
        const chosen = places[random(places.length)];
        if (chosen !== undefined) advance(world, chosen, random, turn);
        else if (head !== undefined)
          expect(world.waiting, "the head moves when all is idle").to.not.include(head);
      }
      expect(new Set(world.served).size).to.equal(jobs);
    });
  }
});
