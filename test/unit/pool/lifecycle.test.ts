// The life of a container as its table says it.

import { expect } from "chai";
import {
  type ContainerEvent,
  type ContainerState,
  Life,
  LifecycleError,
  nextState,
} from "../../../pool/lifecycle.ts";

const states = ["starting", "clean", "running", "warm", "rewinding", "tainted", "removing", "gone"] as const;

/** A way to each state. */
const ways: Record<ContainerState, readonly ContainerEvent[]> = {
  starting: [],
  clean: ["ready"],
  running: ["ready", "assigned"],
  warm: ["ready", "assigned", "kept"],
  rewinding: ["ready", "assigned", "finished"],
  tainted: ["failed"],
  removing: ["ready", "evicted"],
  gone: ["ready", "evicted", "removed"],
};

function lifeIn(state: ContainerState): Life {
  const life = new Life();
  for (const event of ways[state]) life.apply(event);
  return life;
}

describe("the life of a container", () => {
  for (const state of states) {
    it(`leaves ${state} only by the events of its row; any other throws and taints`, () => {
      const events = [
        ...["ready", "assigned", "finished", "kept", "spent", "recycled", "rewound", "returned"],
        ...["retired", "evicted", "failed", "discarded", "removed"],
      ] as ContainerEvent[];
      for (const event of events) {
        const life = lifeIn(state);
        expect(life.state).to.equal(state);
        const next = nextState(state, event);
        if (next !== undefined) {
          expect(life.apply(event)).to.equal(next);
        } else {
          expect(() => life.apply(event), `${state} ${event}`).to.throw(LifecycleError, state);
          const onItsWayOut = state === "removing" || state === "gone";
          expect(life.state).to.equal(onItsWayOut ? state : "tainted");
        }
      }
    });
  }

  it("never leads from tainted back into use", () => {
    const reached = new Set<ContainerState>(["tainted"]);
    for (const state of reached) {
      for (const event of Object.values(ways).flat()) {
        const next = nextState(state, event);
        if (next !== undefined) reached.add(next);
      }
      for (const event of ["discarded", "removed", "rewound", "ready"] as const) {
        const next = nextState(state, event);
        if (next !== undefined) reached.add(next);
      }
    }
    expect([...reached]).to.have.members(["gone", "removing", "tainted"]);
  });
});
