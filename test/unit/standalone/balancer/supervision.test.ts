// The life of an invoker as a controller sees it: every state and event, and the stories that lead through them.

import { expect } from "chai";
import {
  type Finish,
  firstSeen,
  type InvokerState,
  react,
  type SupervisionEvent,
} from "../../../../standalone/balancer/supervision.ts";

const times = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);

/** The states after each of the events, and after them `+n` where tests were sent. */
function story(
  from: { readonly state: InvokerState; readonly finishes?: readonly Finish[] },
  events: readonly SupervisionEvent[],
): string[] {
  let supervised = { state: from.state, finishes: from.finishes ?? [] };
  return events.map((event) => {
    const reaction = react(supervised, event);
    ({ supervised } = reaction as { supervised: typeof supervised });
    return `${supervised.state}${reaction.tests > 0 ? `+${reaction.tests}` : ""}`;
  });
}

describe("an invoker under supervision", () => {
  it("begins unhealthy, with a test", () => {
    expect(firstSeen).to.deep.equal({ supervised: { state: "unhealthy", finishes: [] }, tests: 1 });
  });

  it("goes from every state on every event as OpenWhisk has it", () => {
    const expected: { readonly [state in InvokerState]: { readonly [event in SupervisionEvent]: string } } = {
      up: {
        ...{ ping: "up", disabled: "down", silence: "down", minute: "up", success: "up" },
        ...{ "system-error": "unhealthy+1", timeout: "unresponsive+1" },
      },
      unhealthy: {
        ...{ ping: "unhealthy", disabled: "down", silence: "down", minute: "unhealthy+1", success: "up+1" },
        ...{ "system-error": "unhealthy", timeout: "unresponsive+1" },
      },
      unresponsive: {
        ...{
          ping: "unresponsive",
          disabled: "down",
          silence: "down",
          minute: "unresponsive+1",
          success: "up",
        },
        ...{ "system-error": "unhealthy+1", timeout: "unresponsive" },
      },
      down: {
        ...{ ping: "unhealthy+1", disabled: "down", silence: "down", minute: "down", success: "down" },
        ...{ "system-error": "down", timeout: "down" },
      },
    };
    for (const [state, cells] of Object.entries(expected)) {
      for (const [event, result] of Object.entries(cells)) {
        expect(
          story({ state: state as InvokerState }, [event as SupervisionEvent]),
          `${state}, ${event}`,
        ).to.deep.equal([result]);
      }
    }
  });

  it("is healthy at its first success", () => {
    expect(story(firstSeen.supervised, ["ping", "success", "ping"])).to.deep.equal([
      "unhealthy",
      "up+1",
      "up",
    ]);
  });

  it("that works steadily is unhealthy at the fourth system error within ten, not at the third", () => {
    const finishes = times<Finish>(10, "success");
    expect(story({ state: "up", finishes }, times(4, "system-error"))).to.deep.equal([
      "up",
      "up",
      "up",
      "unhealthy+1",
    ]);
  });

  it("that works steadily is unresponsive at the fourth timeout within ten", () => {
    const finishes = times<Finish>(10, "success");
    expect(story({ state: "up", finishes }, times(4, "timeout"))).to.deep.equal([
      "up",
      "up",
      "up",
      "unresponsive+1",
    ]);
  });

  it("with both kinds of faults is unhealthy rather than unresponsive", () => {
    const finishes: readonly Finish[] = [...times<Finish>(4, "timeout"), ...times<Finish>(3, "system-error")];
    expect(story({ state: "unresponsive", finishes }, ["system-error"])).to.deep.equal(["unhealthy+1"]);
  });

  it("comes back by successes that push the errors out, each with the next test", () => {
    const finishes: readonly Finish[] = [...times<Finish>(6, "success"), ...times<Finish>(4, "system-error")];
    expect(story({ state: "unhealthy", finishes }, times(7, "success"))).to.deep.equal([
      ...times(6, "unhealthy+1"),
      "up+1",
    ]);
  });

  it("is judged by its last ten finishes alone", () => {
    const finishes: readonly Finish[] = [...times<Finish>(3, "system-error"), ...times<Finish>(7, "success")];
    expect(story({ state: "up", finishes }, times(3, "system-error"))).to.deep.equal(["up", "up", "up"]);
  });

  it("that is down remembers what comes, and comes back with a test at its next ping", () => {
    const events: readonly SupervisionEvent[] = [...times(4, "system-error" as const), "ping", "success"];
    expect(story({ state: "down" }, events)).to.deep.equal([...times(4, "down"), ...times(2, "unhealthy+1")]);
  });

  it("is tested twice when a success reveals that it is unresponsive rather than unhealthy", () => {
    const finishes = times<Finish>(4, "timeout");
    expect(story({ state: "unhealthy", finishes }, ["success"])).to.deep.equal(["unresponsive+2"]);
  });
});
