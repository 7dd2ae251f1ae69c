// What must hold of the pool's decisions whatever comes: simulated pools, each from a seed.

import { expect } from "chai";
import { plan } from "../../../pool/schedule.ts";
import { type Placed, reservedMB, type Wanted } from "../../../pool/seats.ts";

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
  /** Containers that are removed after their job. */
  readonly usedUp: Set<number>;
  joined: number;
  /** Containers made for who had another way. */
  options: number;
}

/** One of the kinds has no runtime of ours. */
const imageOf = (kind: string): string | undefined => (kind === "ruby" ? "images/ruby" : undefined);

const budgetMB = 1024;
const sizes = [128, 256, 512, 1024];
/** Of every third history. */
const scarceLean = 3;

function change(world: Simulated, id: number, fields: Partial<Placed>): void {
  const before = world.seats.get(id);
  if (before === undefined) throw new Error(`no container ${id}`);
  world.seats.set(id, { ...before, ...fields });
}

/** Takes the planned steps, checking each against what it may do. */
function takeSteps(
  world: Simulated,
  nextId: () => number,
  measured: (() => number) | undefined,
  leanMost: number,
): void {
  const seats = [...world.seats.values()].map((seat) => ({
    ...seat,
    ...(measured && { readyInMs: measured() }),
  }));
  const costs = measured && { makeMs: measured, recycleMs: measured, importMs: measured };
  const { steps } = plan(seats, world.waiting, budgetMB, { leanMost, ...(costs && { costs }) });
  const asked = [...world.waiting];
  for (const step of steps) {
    if (step.step === "lease") {
      const wanted = asked[step.job];
      const place = world.seats.get(step.container);
      if (wanted === undefined || place === undefined) throw new Error("a lease of nothing");
      expect([place.kind, place.image]).to.deep.equal([wanted.kind, wanted.image]);
      if (wanted.image !== undefined) expect(place.memoryMB).to.equal(wanted.memoryMB);
      const { state, owner, spare = 0 } = place;
      const isJoining = state === "running" && owner === wanted.owner && spare > 0;
      expect(state === "clean" || (state === "warm" && owner === wanted.owner) || isJoining).to.equal(true);
      expect(wanted.isFresh !== true || place.isUnused, "of nobody before").to.equal(true);
      expect(world.usedUp.has(place.id)).to.equal(false);
      if (wanted.isFresh === true) world.usedUp.add(place.id);
      world.joined += isJoining ? 1 : 0;
      expect(world.served, "one lease for each job").to.not.include(wanted.number);
      world.served.push(wanted.number);
      world.waiting.splice(world.waiting.indexOf(wanted), 1);
      change(world, step.container, {
        ...{ state: "running", memoryMB: wanted.memoryMB, owner: wanted.owner, isUnused: false },
        spare: (isJoining ? spare : (wanted.concurrency ?? 1)) - 1,
      });
    } else if (step.step === "create") {
      const id = nextId();
      const { kind, memoryMB } = step;
      world.options += step.isOption === true ? 1 : 0;
      const image = imageOf(kind);
      const made = { id, kind, image, memoryMB, isUnused: true, owner: undefined, lastUsed: id };
      world.seats.set(id, { ...made, state: "starting" });
    } else if (step.step === "recycle") {
      expect(world.seats.get(step.container)).to.deep.include({ state: "warm", image: undefined });
      change(world, step.container, { state: "rewinding", owner: undefined });
    } else if (step.step === "evict") {
      expect(world.seats.get(step.container)?.state).to.be.oneOf(["clean", "warm"]);
      change(world, step.container, { state: "removing" });
    } else {
      throw new Error("every job of this test fits");
    }
    const all = [...world.seats.values()];
    expect(reservedMB(all), "never over-committed").to.be.at.most(budgetMB);
    const lean = all.filter(({ image }) => image === undefined);
    expect(lean.length, "lean ones").to.be.at.most(leanMost);
  }
}

/** One container's next event; failures are among them. */
function advance(world: Simulated, place: Placed, random: (below: number) => number, now: number): void {
  const { id, state } = place;
  if (state === "removing" && place.image !== undefined && !place.isStuck && random(2) === 0) {
    change(world, id, { isStuck: true });
  } else if (state === "removing") {
    world.seats.delete(id);
  } else if (state === "tainted") {
    change(world, id, { state: "removing" });
  } else if (random(20) === 0) {
    change(world, id, { state: "tainted", spare: 0 });
  } else if (state === "running" && world.usedUp.has(id)) {
    change(world, id, { state: "removing", spare: 0 });
  } else if (state === "running" && random(2) === 0) {
    change(world, id, { state: "warm", lastUsed: now, spare: 0 });
  } else if (state === "running" && place.image !== undefined) {
    change(world, id, { state: "removing", spare: 0 });
  } else if (state === "running") {
    change(world, id, { state: "rewinding", owner: undefined, spare: 0 });
  } else {
    change(world, id, { state: "clean", lastUsed: now });
  }
}

describe("the schedule, whatever comes", () => {
  let joined = 0;
  let usedUp = 0;
  let options = 0;
  after(() => {
    expect(joined, "jobs shared containers").to.be.above(100);
    expect(options, "jobs had containers made rather than wait").to.be.above(100);
    expect(usedUp, "jobs had containers for themselves").to.be.above(100);
  });
  for (let seed = 1; seed <= 80; seed++) {
    it(`never over-commits, serves each job once and lets nobody starve (seed ${seed})`, () => {
      const random = generator(seed);
      const world: Simulated = {
        seats: new Map(),
        waiting: [],
        served: [],
        usedUp: new Set(),
        ...{ joined: 0, options: 0 },
      };
      let lastId = 0;
      const nextId = (): number => ++lastId;
      const jobs = 80;
      let sent = 0;
      for (let turn = 0; world.served.length < jobs; turn++) {
        expect(turn, "everybody is served in the end").to.be.below(20_000);
        while (sent < jobs && random(3) === 0) {
          const kind = ["node", "python", "ruby"][random(3)] ?? "node";
          const memoryMB = sizes[random(sizes.length)] ?? 256;
          const person = random(5);
          const isFresh = person === 4;
          world.waiting.push({
            kind,
            image: imageOf(kind),
            memoryMB,
            // An action has one kind and one size.
            owner: `owner${person} ${kind} ${memoryMB}`,
            ...{ concurrency: isFresh ? 1 : 1 + person, isFresh },
            isPatient: random(2) === 0,
            number: sent++,
          });
        }
        const head = world.waiting[0];
        // Every other history has costs that change all the time.
        const measured = seed % 2 === 0 ? () => 1 + random(100) : undefined;
        takeSteps(world, nextId, measured, seed % 3 === 0 ? scarceLean : Number.POSITIVE_INFINITY);
        const places = [...world.seats.values()].filter(({ state }) => state !== "clean" && state !== "warm");
        const chosen = places[random(places.length)];
        if (chosen !== undefined) advance(world, chosen, random, turn);
        else if (head !== undefined)
          expect(world.waiting, "the head moves when all is idle").to.not.include(head);
      }
      expect(new Set(world.served).size).to.equal(jobs);
      joined += world.joined;
      options += world.options;
      usedUp += world.usedUp.size;
    });
  }
});
