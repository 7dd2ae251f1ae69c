// Hostile actions in real containers: what each is told, what the next owner finds, what a neighbour notices.

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { families, type JsonObject, valueAt } from "../corpus.ts";
import {
  comparableReport,
  differences,
  type HostileAction,
  hostileCode,
  hostileComplaint,
  loadHostile,
  loadObserver,
  selfObserving,
} from "../hostile.ts";
import { askingSo, madeSo, makeSo, type Way, waysOf } from "./booted.ts";
import { type Done, RealInvoker } from "./real-invoker.ts";

const kinds = { nodejs: "nodejs:20", python: "python:3", ruby: "ruby:3" } as const;
const statuses = ["success", "application error", "developer error", "whisk error"] as const;

/** The latest timer that an action leaves fires after three seconds. */
const untilTimersFiredMs = 3200;

/** Without a rewind a few wait for ever. Others look through all their memory, which a busy machine takes seconds for. */
const sufferingMs = 20_000;

/** What ends a runtime costs its container; all else is rewound. */
const endsRuntime = /exited unexpectedly|exhausted its memory/;

/** What could disturb others most. */
const disturbing = [
  "loops-for-ever",
  "fork-bomb",
  "eats-memory",
  "eats-scratch",
  "floods-log",
  "kills-everything",
];

/** Those whose leftovers a container keeps: all is refused to one, others end their runtime, and a new one is clean. */
function leavesSomething({ name, expect: answers }: HostileAction): boolean {
  if (!name.startsWith("leaves-") || name === "leaves-priority") return false;
  return answers.every(({ status }) => status === "success");
}

/** An observer's report, or a hostile action's result. */
function resultOf({ record }: Done): JsonObject {
  return (record.response.result ?? {}) as JsonObject;
}

function statusOf({ record }: Done): string {
  return statuses[record.response.statusCode];
}

async function observe(real: RealInvoker, name: string, content: JsonObject = {}): Promise<JsonObject> {
  const done = await real.run(name, content);
  expect(statusOf(done), JSON.stringify(resultOf(done))).to.equal("success");
  return resultOf(done);
}

function put(
  real: RealInvoker,
  action: HostileAction,
  { code = hostileCode(action), way = "started" as Way }: { code?: Buffer | string; way?: Way } = {},
): void {
  const { name, family, binary, memoryMB, timeoutMs, logsMB } = action;
  const limits = { memoryMB, timeoutMs, logsMB };
  real.put(name, { kind: kinds[family], code, binary, ...limits, ...askingSo(way, family) });
}

/** Runs a hostile action and holds its answer and log against the table. */
async function attack(real: RealInvoker, action: HostileAction, way?: Way): Promise<Done> {
  put(real, action, way && { way });
  const done = await real.run(action.name, action.value);
  expect(hostileComplaint(action, { status: statusOf(done), result: resultOf(done) })).to.equal(undefined);
  for (const text of action.logs) expect(done.logs.join("\n")).to.include(text);
  return done;
}

for (const family of families) {
  const kind = kinds[family];
  const observer = loadObserver(family);
  const actions = loadHostile().filter((action) => action.family === family);
  const start = async (
    containers: number,
    rewind: "always" | "on-change",
    way: Way = "started",
  ): Promise<RealInvoker> => {
    const real = await RealInvoker.start({
      rewind,
      userMemoryMB: containers * 256,
      ...madeSo(way, family, { kind, count: containers, memoryMB: 256 }),
      verifyFirst: Number.POSITIVE_INFINITY,
    });
    await makeSo(real, way);
    real.put("observer", { kind, code: readFileSync(observer.file), ...askingSo(way, family) });
    return real;
  };

  for (const way of waysOf(family))
    describe(`in the only ${kind} container, which was ${way}, the next owner finds a fresh one after a hostile action that`, () => {
      const random = new Set<string>();
      let real: RealInvoker;
      let fresh: JsonObject;

      /** What an observer reports, with random values that no other has seen. */
      async function report(): Promise<JsonObject> {
        const reported = await observe(real, "observer");
        for (const [generator, value] of Object.entries(reported.random as JsonObject)) {
          const drawn = `${generator} ${value}`;
          expect(random).not.to.include(drawn);
          random.add(drawn);
        }
        return reported;
      }

      before(async () => {
        real = await start(1, "always", way);
        fresh = await report();
        expect(fresh.markers).to.deep.equal({ found: 0, readable: true });
      });
      after(() => real.stop());

      for (const action of actions) {
        it(action.what, async () => {
          const taintsBefore = real.taints().length;
          const done = await attack(real, action, way);
          if (action.name === "leaves-timers") await sleep(untilTimersFiredMs);
          const found = differences(
            comparableReport(observer, fresh),
            comparableReport(observer, await report()),
          );
          expect(found).to.deep.equal([]);
          const taints = real.taints().slice(taintsBefore);
          const { error = "" } = resultOf(done);
          if (endsRuntime.test(String(error))) expect(taints).to.have.length(1);
          else if (!action.mayCostContainer) expect(taints).to.deep.equal([]);
        });
      }
    });

  describe(`without a rewind, the next one in a ${kind} container finds or suffers from what a hostile action did that`, () => {
    const leaving = actions.filter((action) => leavesSomething(action));
    let left = 0;
    let withMarkers = 0;
    let real: RealInvoker;
    before(async () => {
      real = await start(1, "on-change");
    });
    after(() => real.stop());

    for (const action of leaving) {
      it(action.what, async () => {
        put(real, { ...action, timeoutMs: sufferingMs }, { code: selfObserving(action, observer) });
        const first = await observe(real, action.name, { observe: true });
        expect(valueAt(first, "markers.found")).to.equal(0);
        // What an observer itself leaves is there from its second report on.
        const before = await observe(real, action.name, { observe: true });
        expect(statusOf(await real.run(action.name, action.value))).to.equal("success");
        const after = await real.run(action.name, { observe: true });
        if (statusOf(after) === "success") {
          const [one, other] = [before, resultOf(after)].map((report) => comparableReport(observer, report));
          expect(differences(one, other)).not.to.deep.equal([]);
        }
        left++;
        if (Number(valueAt(resultOf(after), "markers.found")) > 0) withMarkers++;
      });
    }

    it("was given the marker, which is found in memory after a good part of them", () => {
      // With a filter some have not run.
      expect(withMarkers).to.be.at.least(Math.floor(left / 3));
    });
  });

  describe(`in a ${kind} container, a neighbour notices nothing of a hostile action that`, () => {
    let real: RealInvoker;
    let fresh: JsonObject;
    before(async () => {
      real = await start(2, "always");
      fresh = comparableReport(observer, await observe(real, "observer")) as JsonObject;
    });
    after(() => real.stop());

    for (const action of actions.filter(({ name }) => disturbing.includes(name))) {
      it(action.what, async () => {
        let isOver: boolean = false;
        const attacked = attack(real, action).finally(() => {
          isOver = true;
        });
        const watch = async (): Promise<void> => {
          do {
            const seen = comparableReport(observer, await observe(real, "observer"));
            expect(differences(fresh, seen)).to.deep.equal([]);
          } while (!isOver);
        };
        await Promise.all([attacked, watch()]);
      });
    }
  });
}
