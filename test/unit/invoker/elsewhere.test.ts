// An activation whose container takes no work any more: it is run in another one, answered once, and not tried for ever.

import { expect } from "chai";
import { runActivation } from "../../../invoker/activation.ts";
import { Background } from "../../../invoker/background.ts";
import { defaultInvokerSettings } from "../../../invoker/config/invoker-settings.ts";
import { instanceOf } from "../../../invoker/instance.ts";
import { Observer } from "../../../invoker/observe.ts";
import { texts } from "../../../invoker/outcome.ts";
import { untraced } from "../../../invoker/tracing.ts";
import type { AckMessage } from "../../../invoker/wire/messages.ts";
import { systemClock } from "../../../pool/machine.ts";
import type { Pool } from "../../../pool/pool.ts";
import type { Exchange } from "../../../pool/proxy/exchange.ts";
import { type Lease, PoolError, type PoolFailure } from "../../../pool/types.ts";
import { orderOf, storedAction } from "./orders.ts";
import { unheard } from "./world.ts";

type Said = Exchange["outcome"] & ("answer" | "unavailable");

/** One container: what it says to init (undefined: it is initialised) and to run. */
type Script = readonly [init: Said | undefined, run: Said];

describe("an activation", () => {
  /** Its acks, and how the containers that it had were given back. */
  async function run(
    scripts: readonly Script[],
    refusal?: PoolError,
  ): Promise<{ acks: AckMessage[]; released: boolean[] }> {
    const settings = defaultInvokerSettings();
    const acks: AckMessage[] = [];
    const released: boolean[] = [];
    const left = [...scripts];
    const lease = (): Promise<Lease> => {
      const script = left.shift();
      if (script === undefined) return Promise.reject(refusal);
      return Promise.resolve(scriptedLease(script, (wellBehaved) => released.push(wellBehaved)));
    };
    const parts = {
      bus: {
        send: (_topic: string, message: string) => {
          acks.push(JSON.parse(message) as AckMessage);
          return Promise.resolve();
        },
        subscribe: () => ({ stop: () => Promise.resolve() }),
      },
      underWay: () => 1,
      actions: { fetch: () => Promise.resolve(storedAction()) },
      activations: { store: () => Promise.resolve() },
      pool: { lease } as unknown as Pool,
      kinds: new Set(["nodejs:20"]),
      ...{ settings, instance: instanceOf(settings), topicPrefix: "", clock: systemClock },
      observer: new Observer("silent"),
      trace: untraced,
      background: new Background(() => undefined),
    };
    await runActivation(orderOf({ transid: ["tid", Date.now()], blocking: true }), parts, unheard);
    expect(acks.filter(({ instance }) => instance !== undefined).length, "one slot is freed").to.equal(1);
    return { acks, released };
  }

  const result = (acks: readonly AckMessage[]): unknown => {
    const response = acks.map((ack) => ack.response).find((one) => one !== undefined);
    return typeof response === "string" ? response : response?.response.result;
  };

  it("is run in another container, as often as those that were kept turn out dead", async () => {
    const dead: Script = [undefined, "unavailable"];
    const { acks, released } = await run([dead, dead, dead, dead, dead, ["answer", "answer"]]);
    expect(result(acks)).to.deep.equal({ ok: true });
    expect(released).to.deep.equal([false, false, false, false, false, true]);
  });

  it("is run in another container where a new one is shutting down, at init or at run", async () => {
    const { acks, released } = await run([
      ["unavailable", "answer"],
      ["answer", "unavailable"],
      ["answer", "answer"],
    ]);
    expect(result(acks)).to.deep.equal({ ok: true });
    expect(released).to.deep.equal([false, false, true]);
  });

  it("is a developer error where every new container is", async () => {
    const atInit = await run(Array(5).fill(["unavailable", "answer"]));
    expect(result(atInit.acks)).to.deep.equal({ error: texts.initExited });
    const atRun = await run(Array(5).fill(["answer", "unavailable"]));
    expect(result(atRun.acks)).to.deep.equal({ error: texts.runExited });
    expect([atInit.released.length, atRun.released.length]).to.deep.equal([3, 3]);
  });

  const refusals: readonly (readonly [PoolFailure, string])[] = [
    ["pull-failed", "Failed to pull container image 'a/b:1'."],
    ["no-executable", "executable file not found in image a/b:1"],
    ["cannot-create", "Failed to provision resources to run the action."],
  ];
  for (const [code, text] of refusals)
    it(`for which no container can be had (${code}) is told why`, async () => {
      const { acks } = await run([], new PoolError(code, "blackbox", "no", { image: "a/b:1" }));
      expect(result(acks)).to.deep.equal({ error: text });
      expect(acks.map(({ isSystemError }) => isSystemError)).to.include(code === "cannot-create");
    });
});

function scriptedLease([init, run]: Script, onRelease: (wellBehaved: boolean) => void): Lease {
  const timed = (outcome: Said) => {
    const exchange: Exchange =
      outcome === "answer"
        ? { outcome, status: 200, body: '{"ok":true}', bodyBytes: 11, cut: false }
        : { outcome };
    return Promise.resolve({ startMs: 0, endMs: 1, exchange });
  };
  return {
    ...{ containerId: "scripted", start: init === undefined ? "warm" : "cold" },
    place: init === undefined ? "warm" : "started",
    initialised: init === undefined,
    init: () => timed(init ?? "answer"),
    run: () => timed(run),
    keepLogs: () => undefined,
    collectLogs: () => Promise.resolve({ lines: [], truncated: false }),
    release: (wellBehaved) => {
      onRelease(wellBehaved);
      return Promise.resolve();
    },
  };
}
