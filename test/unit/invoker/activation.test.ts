// The story of one activation over a scripted container: who is told what, in which order, whatever happens.

import { expect } from "chai";
import { MessageTooLargeError } from "../../../invoker/bus/bus.ts";
import { defaultInvokerSettings, type InvokerSettings } from "../../../invoker/config/invoker-settings.ts";
import { ActionFetchError, type StoredAction } from "../../../invoker/store/stores.ts";
import { createBus } from "../../../standalone/bus.ts";
import { orderOf, storedAction } from "./orders.ts";
import { transid, type World, Worlds } from "./world.ts";

describe("an activation", () => {
  const worlds = new Worlds();
  const world = (settings: Partial<InvokerSettings> = {}): Promise<World> => worlds.make(settings);
  afterEach(() => worlds.close());

  it("answers first, hands the record over, rewinds, then frees the slot", async () => {
    const here = await world();
    const { effects, acks, topics, documents } = here;
    here.machine.behave = (request, runtime) => {
      if (request.type === 2) runtime.print("hello\n");
      runtime.answer(request, 200, '{"n":1}');
    };
    await here.run();
    expect(effects).to.deep.equal(["result", "store", "rewound", "completion"]);
    expect(topics).to.deep.equal(["completed0", "completed0"]);
    expect(acks.every((ack) => ack.transid[1] === transid[1])).to.equal(true);
    expect(acks[0]?.response).to.have.nested.property("response.result").that.deep.equals({ n: 1 });
    expect(acks[0]?.response).to.have.property("logs").that.deep.equals([]);
    const [document] = documents;
    expect(document?.logs.map((line) => line.slice(31))).to.deep.equal(["stdout: hello"]);
    expect(document?._id).to.equal("guest/0d6b6b4a7cf14d54ab6b4a7cf1bd5427");
    expect(document?.duration).to.equal((document?.end ?? 0) - (document?.start ?? 0));
    const names = document?.annotations.map(({ key }) => key);
    expect(names).to.have.members(["path", "waitTime", "kind", "timeout", "limits", "initTime", "start"]);
    expect(document?.annotations).to.deep.include({ key: "start", value: "clean" });
    const waitTime = document?.annotations.find(({ key }) => key === "waitTime")?.value;
    expect(waitTime).to.be.a("number").and.be.at.least(50);
  });

  it("has exactly stock's annotations where the operator wants no other", async () => {
    const here = await world({ annotatesStart: false });
    await here.run();
    const names = here.documents[0]?.annotations.map(({ key }) => key);
    expect(names).to.have.members(["path", "waitTime", "kind", "timeout", "limits", "initTime"]);
  });

  it("lets the answer arrive before it begins to rewind", async () => {
    const here = await world();
    const [sandbox] = here.machine.sandboxes;
    const begun = (): number => sandbox?.killedOthers ?? Number.NaN;
    const begunBefore = begun();
    const begunAtAcks: number[] = [];
    const bus = createBus((_topic, error) => expect.fail(String(error)));
    const reader = bus.subscribe("completed0", () => void begunAtAcks.push(begun()));
    await here.run({}, { bus });
    await reader.stop();
    expect(begunAtAcks).to.deep.equal([begunBefore, begunBefore + 1]);
  });

  it("that nobody waits for gets one completion, no result", async () => {
    const here = await world();
    await here.run({ blocking: false });
    expect(here.effects).to.deep.equal(["store", "rewound", "completion"]);
  });

  it("without logs is told all at once, before the rewind", async () => {
    const here = await world();
    here.machine.behave = (request, runtime) => {
      runtime.print("nobody wants this\n");
      runtime.answer(request, 200, "{}");
    };
    const limits = { timeout: 60_000, memory: 256, logs: 0, concurrency: 1 };
    here.fetch = () => Promise.resolve(storedAction({ limits }));
    await here.run();
    expect(here.effects).to.deep.equal(["combined", "store", "rewound"]);
    expect(here.documents[0]?.logs).to.deep.equal([]);
  });

  it("whose init fails does not run, and has stock's extra line in its logs", async () => {
    const here = await world();
    here.machine.behave = (request, runtime) => runtime.answer(request, 502, '{"error":"syntax"}');
    await here.run();
    expect(here.machine.sandboxes[0]?.runtime.requests.map(({ type }) => type)).to.deep.equal([1]);
    const [document] = here.documents;
    expect(document?.response).to.deep.equal({ statusCode: 2, result: { error: "syntax" }, size: 18 });
    expect(document?.logs.map((line) => line.slice(31))).to.deep.equal([
      "stderr: The action did not initialize or run as expected. Log data might be missing.",
    ]);
    const initTime = document?.annotations.find(({ key }) => key === "initTime")?.value;
    expect(initTime).to.equal(document?.duration);
    expect(here.slotFreeing).to.equal(1);
  });

  it("that outlives its time limit is ended, and its container put back for the next", async () => {
    const here = await world();
    here.machine.behave = (request, runtime) => {
      if (request.type === 1) runtime.answer(request, 200, "{}");
    };
    // Its init has no more time than that either.
    const limits = { timeout: 1000, memory: 256, logs: 10, concurrency: 1 };
    here.fetch = () => Promise.resolve(storedAction({ limits }));
    await here.run();
    expect(here.documents[0]?.response.result).to.deep.equal({
      error: "The action exceeded its time limits of 1000 milliseconds.",
    });
    expect(here.documents[0]?.annotations).to.deep.include({ key: "timeout", value: true });
    expect(here.machine.sandboxes.length).to.equal(1);
    expect(here.effects).to.deep.equal(["result", "store", "rewound", "completion"]);
  });

  const ends: readonly (readonly [string, number, (world: World) => void, string])[] = [
    [
      "dies in init",
      1,
      (here) => here.machine.sandboxes[0]?.die(),
      "The action did not initialize and exited unexpectedly.",
    ],
    [
      "dies in run",
      2,
      (here) => here.machine.sandboxes[0]?.die(),
      "The action did not produce a valid response and exited unexpectedly.",
    ],
    [
      "dies of memory",
      2,
      (here) => here.machine.sandboxes[0]?.die({ oomKilled: true }),
      "The action exhausted its memory and was aborted.",
    ],
    [
      "writes garbage to its channel",
      2,
      (here) => void here.machine.sandboxes[0]?.runtime.socket.write("printed to the wrong descriptor\n"),
      "The action did not produce a valid response and exited unexpectedly.",
    ],
  ];
  for (const [what, during, act, text] of ends) {
    it(`whose container ${what} is a developer error, and another container is made`, async () => {
      const here = await world();
      here.machine.behave = (request, runtime) => {
        if (request.type === during) act(here);
        else runtime.answer(request, 200, "{}");
      };
      await here.run();
      expect(here.documents[0]?.response).to.deep.equal({ statusCode: 2, result: { error: text } });
      expect(here.effects).to.deep.equal(["result", "store", "completion"]);
      expect(here.acks.at(-1)?.isSystemError).to.equal(false);
      await here.pool.settled();
      expect(here.machine.living.length).to.equal(1);
      expect(here.machine.sandboxes.length).to.equal(2);
    });
  }

  it("for which no container can be made is a whisk error", async () => {
    const here = await world();
    here.fetch = () => Promise.resolve(storedAction({ exec: { kind: "python:3", code: "" } }));
    here.machine.refuseToCreate = () => new Error("no uid left");
    await here.run();
    expect(here.effects).to.deep.equal(["combined", "store"]);
    expect(here.acks[0]?.isSystemError).to.equal(true);
    const [document] = here.documents;
    expect(document?.response).to.deep.equal({
      statusCode: 3,
      result: { error: "Failed to provision resources to run the action." },
    });
    const names = document?.annotations.map(({ key }) => key);
    expect(names).to.have.members(["path", "waitTime", "kind", "timeout", "limits"]);
    expect([document?.duration, document?.version]).to.deep.equal([0, "0.0.1"]);
  });

  const refusals: readonly (readonly [string, () => Promise<StoredAction>, 1 | 3, string])[] = [
    [
      "is gone",
      () => Promise.reject(new ActionFetchError("not-found", "404")),
      1,
      "Action could not be found or may have been deleted.",
    ],
    [
      "cannot be read",
      () => Promise.reject(new ActionFetchError("unreadable", "a trigger")),
      3,
      "Action version is not compatible and cannot be invoked.",
    ],
    [
      "cannot be had now",
      () => Promise.reject(new ActionFetchError("unavailable", "500")),
      3,
      "Action could not be fetched.",
    ],
    [
      "cannot be had for no known reason",
      () => Promise.reject(new Error("?")),
      3,
      "Action could not be fetched.",
    ],
    [
      "is of a kind that is not here",
      () => Promise.resolve(storedAction({ exec: { kind: "cobol:60", code: "" } })),
      3,
      "Action version is not compatible and cannot be invoked.",
    ],
    [
      "is a sequence",
      () => Promise.resolve(storedAction({ exec: { kind: "sequence", components: [] } })),
      3,
      "Action could not be fetched.",
    ],
    [
      "asks for too much",
      () =>
        Promise.resolve(
          storedAction({ limits: { timeout: 60_000, memory: 4096, logs: 10, concurrency: 1 } }),
        ),
      1,
      "memory size 4096 MB exceeds allowed threshold of 512 MB",
    ],
  ];
  for (const [what, fetch, statusCode, text] of refusals) {
    it(`whose action ${what} is told so without a container`, async () => {
      const here = await world();
      here.fetch = fetch;
      await here.run({ cause: "c".repeat(32) });
      await here.run({ blocking: false });
      expect(here.effects).to.deep.equal(["combined", "store", "combined", "store"]);
      const [document] = here.documents;
      expect(document?.response).to.deep.equal({ statusCode, result: { error: text } });
      expect(document?.annotations).to.deep.equal([
        { key: "path", value: "guest/hello" },
        { key: "kind", value: "unknown" },
        { key: "causedBy", value: "sequence" },
      ]);
      expect(here.acks[0]?.isSystemError).to.equal(statusCode === 3);
      expect(here.acks[1]?.response, "shrunk, for nobody waits").to.equal("0d6b6b4a7cf14d54ab6b4a7cf1bd5427");
    });
  }

  it("of a default kind runs in the kind that stands for it", async () => {
    const here = await world();
    here.fetch = () => Promise.resolve(storedAction({ exec: { kind: "nodejs:default", code: "" } }));
    await here.run();
    expect(here.documents[0]?.annotations).to.deep.include({ key: "kind", value: "nodejs:20" });
  });

  it("whose record is too large for the bus is told by its id", async () => {
    const here = await world();
    here.refuse = (message) => {
      if (message.includes('"result":')) throw new MessageTooLargeError("too large");
      return undefined;
    };
    await here.run();
    expect(here.effects).to.deep.equal(["result", "store", "rewound", "completion"]);
    expect(here.acks[0]?.response).to.equal("0d6b6b4a7cf14d54ab6b4a7cf1bd5427");
  });

  it("is stored and its container put back although the bus takes nothing", async () => {
    const here = await world();
    here.refuse = () => {
      throw new Error("the broker is gone");
    };
    await here.run();
    expect(here.effects).to.deep.equal(["store", "rewound"]);
    expect(here.logLines.filter((line) => line.includes('"event":"ack-failed"')).length).to.equal(2);
  });

  it("is told although the database takes nothing", async () => {
    const here = await world();
    here.store = () => Promise.reject(new Error("503"));
    await here.run();
    expect(here.effects).to.have.members(["result", "store", "rewound", "completion", "failed store-record"]);
  });

  it("is not stored where the namespace wants none, or the level leaves it out", async () => {
    const quiet = await world({ storeBlocking: "STORE_FAILURES" });
    await quiet.run();
    expect(quiet.documents).to.deep.equal([]);
    await quiet.run({ transid: ["tid", transid[1], true] });
    expect(quiet.documents.length, "asked for by extra logging").to.equal(1);
    await quiet.run({ blocking: false });
    expect(quiet.documents.length, "another level").to.equal(2);
    const { user } = orderOf().message;
    const unstored = { ...user, limits: { storeActivations: false } };
    await quiet.run({ user: unstored, transid: ["tid", transid[1], true] });
    expect(quiet.documents.length).to.equal(2);
  });

  for (let broken = 1; broken <= 4; broken++) {
    it(`frees its slot once even if the clock breaks at its ${broken}. use`, async () => {
      const here = await world();
      const { nowMs } = here.machine.clock;
      let uses = 0;
      const brittle = (): number => {
        if (++uses === broken) throw new Error("a fault of ours");
        return nowMs();
      };
      await here.run({}, { clock: { nowMs: brittle } });
      expect(uses, "it did break").to.be.at.least(broken);
      expect(here.slotFreeing).to.equal(1);
      expect(here.acks.filter(({ response }) => response !== undefined).length, "one result").to.equal(1);
      expect(here.logLines.some((line) => line.includes('"event":"activation-failed"'))).to.equal(
        broken <= 4,
      );
      await here.pool.settled();
      expect(here.pool.status().containers.map(({ state }) => state)).to.deep.equal(["clean"]);
    });
  }

  it("is rewound by the strict policy where its annotation names none, which is said once for each revision", async () => {
    const here = await world({ pool: { ...defaultInvokerSettings().pool, rewind: "on-change" } });
    const annotated = (_rev: string, value: string): void => {
      here.fetch = () => Promise.resolve(storedAction({ _rev, annotations: [{ key: "rewind", value }] }));
    };
    const said = (): number => here.logLines.filter((line) => line.includes("rewind-policy-unknown")).length;
    annotated("1-a", "sometimes");
    await here.run();
    await here.run();
    expect(here.effects.filter((effect) => effect === "rewound").length).to.equal(2);
    expect(said()).to.equal(1);
    annotated("2-b", "rarely");
    await here.run();
    expect(said()).to.equal(2);
    annotated("3-c", "always");
    await here.run();
    expect(said()).to.equal(2);
    for (const [usual, used] of [
      ["fresh", "fresh"],
      ["on-change", "always"],
    ] as const) {
      const there = await world({ pool: { ...defaultInvokerSettings().pool, rewind: usual } });
      there.fetch = () =>
        Promise.resolve(storedAction({ annotations: [{ key: "rewind", value: "rarely" }] }));
      await there.run();
      expect(there.logLines.find((line) => line.includes("rewind-policy-unknown"))).to.include(
        `"used":"${used}"`,
      );
    }
    expect(here.logLines.join(""), "the author's text is his own").to.not.match(/sometimes|rarely/);
  });

  it("leaves no user data in the log lines", async () => {
    const here = await world();
    here.machine.behave = (request, runtime) => {
      runtime.print("printed secret\n");
      runtime.answer(request, 200, '{"result":"returned secret"}');
    };
    await here.run({ content: { argument: "argument secret" } });
    expect(here.logLines.length).to.be.above(0);
    expect(here.logLines.join("")).to.not.contain("secret");
  });
});
