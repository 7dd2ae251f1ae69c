// Whatever breaks while an activation is under way, its slot is freed exactly once and its record kept exactly once.

import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import type { ActivationParts } from "../../../invoker/activation.ts";
import type { Observer } from "../../../invoker/observe.ts";
import type { AckMessage } from "../../../invoker/wire/messages.ts";
import type { Lease } from "../../../pool/index.ts";
import { within } from "../../within.ts";
import { storedAction } from "./orders.ts";
import { type World, Worlds } from "./world.ts";

const fault = new Error("a fault of ours");

type Step = "keepLogs" | "init" | "run" | "collectLogs" | "release";

/** How something breaks: where it is called, or in its own time. */
const ways = {
  "throws at": () => {
    throw fault;
  },
  "rejects at": () => Promise.reject(fault),
} as const satisfies { readonly [way: string]: () => unknown };
type Break = (typeof ways)[keyof typeof ways];

/** A lease that breaks at one step, and is given back to the pool all the same. */
function brittle(lease: Lease, step: Step, fail: Break): Lease {
  return new Proxy(lease, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      if (name !== step) return value.bind(target);
      if (name === "keepLogs") return fail;
      return async () => {
        if (step === "release") await target.release(false);
        return fail();
      };
    },
  });
}

type Sabotage = (world: World, fail: Break) => Partial<ActivationParts>;

const inLease =
  (step: Step): Sabotage =>
  (world, fail) => ({ pool: { lease: async (job) => brittle(await world.pool.lease(job), step, fail) } });

/** Breaks one method of the observer, which reports what happens: then nothing reports that. */
const inObserver =
  (method: keyof Observer): Sabotage =>
  (world, fail) => ({
    observer: new Proxy(world.observer, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (name === method) return fail;
        return typeof value === "function" ? value.bind(target) : value;
      },
    }),
  });

const refusing =
  (shape: (ack: AckMessage, topic: string) => boolean): Sabotage =>
  (world, fail) => {
    const { refuse } = world;
    world.refuse = (message, topic) => {
      void refuse(message, topic);
      return shape(JSON.parse(message) as AckMessage, topic) ? fail() : undefined;
    };
    return {};
  };

const places: { readonly [place: string]: Sabotage } = {
  "the list of blocked namespaces": () => ({ blocked: { isBlocked: ways["throws at"] } }),
  "the fetch": (world, fail) => {
    world.fetch = fail as () => never;
    return {};
  },
  "the lease": (_, fail) => ({ pool: { lease: fail as () => never } }),
  "the keeping of logs": inLease("keepLogs"),
  "the init": inLease("init"),
  "the run": inLease("run"),
  "the collecting of logs": inLease("collectLogs"),
  "the release": inLease("release"),
  "the sending of a result": refusing(({ instance }) => instance === undefined),
  "the sending of a completion": refusing(({ response, instance }) => response === undefined && !!instance),
  "the sending of both": refusing(({ response, instance }) => response !== undefined && !!instance),
  "the sending of an event": refusing((_, topic) => topic.endsWith("events")),
  "the storing": (world, fail) => {
    world.store = fail as () => never;
    return {};
  },
};

const reporting: readonly (keyof Observer)[] = [
  ...(["activationStarted", "activationDone", "activationFailed", "activationRefused"] as const),
  ...(["activationError", "acked", "ackFailed", "begun", "ended"] as const),
];

interface Variant {
  readonly blocking: boolean;
  readonly logs: number;
}
const variants: readonly Variant[] = [true, false].flatMap((blocking) => [
  { blocking, logs: 10 },
  { blocking, logs: 0 },
]);

describe("a fault under way", () => {
  const worlds = new Worlds();
  afterEach(() => worlds.close());

  /** What the controller would have heard if the bus had taken all, and how often the record was given to the database. */
  async function heard(
    sabotage: Sabotage,
    fail: Break,
    { blocking, logs }: Variant,
  ): Promise<{
    readonly world: World;
    readonly freed: number;
    readonly results: number;
    readonly stored: number;
  }> {
    const world = await worlds.make({ userEvents: { topicPrefix: "" } });
    let freed = 0;
    let results = 0;
    world.refuse = (message, topic) => {
      const ack = JSON.parse(message) as AckMessage;
      if (topic.startsWith("completed") && ack.instance !== undefined) freed++;
      if (topic.startsWith("completed") && typeof ack.response === "object") results++;
      return undefined;
    };
    const limits = { timeout: 60_000, memory: 256, logs, concurrency: 1 };
    world.fetch = () => Promise.resolve(storedAction({ limits }));
    const parts = sabotage(world, fail);
    // A rejection is for the feed to report.
    await world.run({ blocking }, parts).catch(() => undefined);
    await world.background.settled();
    await world.pool.settled();
    return { world, freed, results, stored: world.documents.length };
  }

  for (const [place, sabotage] of Object.entries(places)) {
    for (const [way, fail] of Object.entries(ways)) {
      // Which gives nothing to await.
      if (place === "the keeping of logs" && way === "rejects at") continue;
      for (const variant of variants) {
        const { blocking, logs } = variant;
        const who = `${blocking ? "" : "non-"}blocking, ${logs} MB of logs`;
        it(`that ${way} ${place} frees the slot once (${who})`, async () => {
          const { world, freed, results, stored } = await heard(sabotage, fail, variant);
          expect(freed, "slots freed").to.equal(1);
          expect(results, "results told").to.equal(blocking ? 1 : 0);
          expect(stored, "records").to.equal(place === "the storing" ? stored : 1);
          expect(world.events.length, "events").to.equal(1);
          const states = world.pool.status().containers.map(({ state }) => state);
          expect(states).to.not.include("running");
        });
      }
    }
  }

  for (const method of reporting) {
    for (const variant of variants) {
      it(`of the reporting itself (${method}) frees the slot once (blocking: ${variant.blocking}, logs: ${variant.logs})`, async () => {
        for (const place of ["none", "the run", "the fetch", "the sending of a result"]) {
          const breakAlso: Sabotage = (world, fail) => ({
            ...(places[place]?.(world, fail) ?? {}),
            ...inObserver(method)(world, fail),
          });
          const { freed, results, stored } = await heard(breakAlso, ways["throws at"], variant);
          expect(freed, `slots freed, with ${place}`).to.equal(1);
          expect(results).to.be.at.most(1);
          expect(stored, `records, with ${place}`).to.be.at.most(1);
        }
      });
    }
  }

  for (let lastGood = 0; lastGood <= 6; lastGood++) {
    it(`of the clock, for good after its ${lastGood}. use, frees the slot once`, async () => {
      for (const variant of variants) {
        let uses = 0;
        const brittleClock: Sabotage = ({ machine }) => ({
          clock: { nowMs: () => (++uses > lastGood ? ways["throws at"]() : machine.clock.nowMs()) },
        });
        const { freed } = await heard(brittleClock, ways["throws at"], variant);
        expect(freed, JSON.stringify(variant)).to.equal(1);
      }
    });
  }

  it("of the release leaves the activation what it was: answered, recorded and counted", async () => {
    const world = await worlds.make();
    await world.run({}, inLease("release")(world, ways["rejects at"]));
    const { values } = await world.observer.metrics.activations.get();
    const counted = values.filter(({ value }) => value > 0);
    expect(counted.map(({ labels, value }) => [labels.status, value])).to.deep.equal([[0, 1]]);
    expect(world.acks.map(({ isSystemError }) => isSystemError)).to.deep.equal([undefined, false]);
    expect(world.said("release-failed").map(({ reason }) => reason)).to.deep.equal([fault.message]);
    expect(world.said("activation-failed")).to.deep.equal([]);
  });

  it("after the answer does not let the completion overtake it", async () => {
    const world = await worlds.make();
    let take: () => void = () => undefined;
    const taken = new Promise<void>((resolve) => {
      take = resolve;
    });
    world.refuse = (message) => {
      const ack = JSON.parse(message) as AckMessage;
      if (ack.instance === undefined) return taken.then(() => void world.effects.push("result taken"));
      return undefined;
    };
    const run = world.run({}, inLease("collectLogs")(world, ways["rejects at"]));
    await within(60_000, () => world.effects.includes("rewound") || undefined);
    await nextTurn();
    expect(world.effects).to.deep.equal(["rewound", "store"]);
    take();
    await run;
    expect(world.effects).to.deep.equal(["rewound", "store", "result taken", "completion"]);
  });

  for (const [what, parts] of [
    ["that has run", {}],
    ["of a blocked namespace", { blocked: { isBlocked: () => true } }],
  ] as const)
    it(`of the bus, which takes no ack, keeps nobody waiting for the room of an activation ${what}`, async () => {
      const world = await worlds.make();
      let take: () => void = () => undefined;
      const taken = new Promise<void>((resolve) => {
        take = resolve;
      });
      world.refuse = () => taken;
      let isReleased = false;
      const released = (): void => {
        isReleased = true;
      };
      const run = world.run({}, parts, { placed: () => undefined, released });
      await within(60_000, () => isReleased || undefined);
      expect(await Promise.race([run.then(() => "over"), nextTurn("under way")])).to.equal("under way");
      take();
      await run;
    });

  it("of the bus, which takes no ack, has an activation say how long its result and its lines are, which it keeps until then", async () => {
    const world = await worlds.make();
    world.machine.behave = (request, runtime) => {
      if (request.type === 2) runtime.print("hello\n");
      runtime.answer(request, 200, '{"a":1}');
    };
    const kept: (number | undefined)[] = [];
    await world.run({}, {}, { placed: () => undefined, released: (length) => void kept.push(length) });
    const [line = ""] = world.documents[0]?.logs ?? [];
    expect(line).to.match(/ stdout: hello$/);
    expect(kept).to.deep.equal(['{"a":1}'.length + line.length]);
  });
});
