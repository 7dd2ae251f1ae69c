// A container that takes no work any more: the job goes to another one, if nothing of it has run.

import { expect } from "chai";
import type { InvokerSettings } from "../../../invoker/config/invoker-settings.ts";
import { type World, Worlds } from "./world.ts";

describe("a job whose container takes no work any more", () => {
  const worlds = new Worlds();
  const world = (settings: Partial<InvokerSettings> = {}): Promise<World> => worlds.make(settings);
  afterEach(() => worlds.close());

  const rescheduled = async (here: World): Promise<number> => {
    const text = await here.observer.metrics.registry.metrics();
    const [, count] = /^counter_containerPool_rescheduledActivation_counter_total (\d+)$/m.exec(text) ?? [];
    return Number(count);
  };
  const inits = (here: World): number =>
    here.machine.sandboxes.flatMap(({ runtime }) => runtime.requests).filter(({ type }) => type === 1).length;

  it("goes to another one where that had died while idle", async () => {
    const here = await world();
    const [sandbox] = here.machine.sandboxes;
    sandbox?.runtime.socket.pause();
    // It has been given out and asked before the news of its death comes.
    here.pool.events.once("leased", () => setImmediate(() => sandbox?.die({}, { closing: false })));
    await here.run();
    expect(here.documents[0]?.response.statusCode).to.equal(0);
    expect(here.effects).to.deep.equal(["result", "store", "rewound", "completion"]);
    expect(await rescheduled(here)).to.equal(1);
    expect(inits(here), "it ran once").to.equal(1);
    expect(here.machine.sandboxes.length).to.equal(2);
    expect(here.said("activation-rescheduled")[0]).to.include({ container: sandbox?.id });
  });

  it("fails as ever where every new container is dead", async () => {
    const here = await world();
    const paused = new Set<string>();
    here.pool.events.on("leased", ({ container }) => {
      const sandbox = here.machine.sandboxes.find(({ id }) => id === container);
      paused.add(container);
      sandbox?.runtime.socket.pause();
      setImmediate(() => sandbox?.die({}, { closing: false }));
    });
    await here.run();
    expect(here.documents[0]?.response).to.deep.equal({
      statusCode: 2,
      result: { error: "The action did not initialize and exited unexpectedly." },
    });
    expect(await rescheduled(here)).to.equal(2);
    expect(paused.size).to.equal(3);
    expect(here.slotFreeing).to.equal(1);
  });

  it("has ended with it where it died between init and run: the init may be why", async () => {
    const here = await world();
    here.machine.behave = (request, runtime) => {
      runtime.answer(request, 200, "{}");
      here.machine.sandboxes[0]?.die();
    };
    await here.run();
    expect(here.documents[0]?.response.statusCode).to.equal(2);
    expect(await rescheduled(here)).to.equal(0);
    expect(inits(here)).to.equal(1);
  });

  it("has ended with it where the action itself ended it", async () => {
    const here = await world();
    here.machine.behave = (request, runtime) => {
      if (request.type === 1) runtime.answer(request, 200, "{}");
      else here.machine.sandboxes[0]?.die({}, { closing: false });
    };
    await here.run();
    expect(here.documents[0]?.response.result).to.deep.equal({
      error: "The action did not produce a valid response and exited unexpectedly.",
    });
    expect(await rescheduled(here)).to.equal(0);
  });
});
