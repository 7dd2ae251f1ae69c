// What an activation means to others than its caller: blocked namespaces, metric consumers, operators, health tests.

import { readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { InvokerSettings } from "../../../invoker/config/invoker-settings.ts";
import { LogFiles } from "../../../invoker/log-files.ts";
import { Observer } from "../../../invoker/observe.ts";
import type { ActivationRecord } from "../../../invoker/wire/messages.ts";
import { readOrder } from "../../../invoker/wire/orders.ts";
import { storedAction } from "./orders.ts";
import { type World, Worlds } from "./world.ts";

const failing = (text: string) => (here: World) => {
  here.machine.behave = (request, runtime) => runtime.answer(request, 200, text);
};

describe("an activation in a cluster", () => {
  const worlds = new Worlds();
  const world = (settings: Partial<InvokerSettings> = {}): Promise<World> => worlds.make(settings);
  afterEach(() => worlds.close());

  it("of a blocked namespace is told by its id alone, waited for or not, and leaves no record", async () => {
    const here = await world({ userEvents: { topicPrefix: "x-" } });
    const asked: string[] = [];
    const isBlocked = (namespace: string): boolean => asked.push(namespace) > 0;
    await here.run({}, { blocked: { isBlocked } });
    await here.run({ blocking: false }, { blocked: { isBlocked } });
    expect(asked).to.deep.equal(["guest", "guest"]);
    expect(here.effects).to.deep.equal(["combined", "combined"]);
    for (const { response, isSystemError } of here.acks) {
      expect(response).to.equal("0d6b6b4a7cf14d54ab6b4a7cf1bd5427");
      expect(isSystemError).to.equal(false);
    }
    const bodies = here.events.map(({ message }) => JSON.parse(message).body);
    expect(bodies.map(({ kind, statusCode }) => [kind, statusCode])).to.deep.equal([
      ["unknown", 1],
      ["unknown", 1],
    ]);
    await here.run({}, { blocked: { isBlocked: () => false } });
    expect(here.documents.length).to.equal(1);
  });

  it("sends one event with whatever frees its slot, to the events' own topic", async () => {
    const here = await world({ userEvents: { topicPrefix: "metrics-" } });
    await here.run();
    await here.run({ blocking: false });
    here.fetch = () => Promise.reject(new Error("no database"));
    await here.run();
    expect(here.events.map(({ topic }) => topic)).to.deep.equal(Array(3).fill("metrics-events"));
    const [first, , last] = here.events.map(({ message }) => JSON.parse(message).body);
    expect(first).to.include({ name: "guest/hello", statusCode: 0, kind: "nodejs:20", memory: 256 });
    expect(last).to.include({ statusCode: 3, kind: "unknown" });
    const without = await world();
    await without.run();
    expect(without.events).to.deep.equal([]);
  });

  it("does not mind an event that the bus refuses", async () => {
    const here = await world({ userEvents: { topicPrefix: "" } });
    here.refuse = (_, topic) => (topic === "events" ? Promise.reject(new Error("no topic")) : undefined);
    await here.run();
    expect(here.effects).to.have.members(["result", "rewound", "completion", "store", "failed user-event"]);
  });

  it("whose caller asks for extra logging is seen at the level info, and named by its outermost transaction", async () => {
    const here = await world();
    const lines: Record<string, unknown>[] = [];
    const write = (line: string): void => void lines.push(JSON.parse(line));
    const observer = new Observer("info", { write });
    const done = (): Record<string, unknown>[] => lines.filter(({ event }) => event === "activation-done");
    await here.run({}, { observer });
    expect(done()).to.deep.equal([]);
    const parent = ["outer", 1, ["outermost", 0]];
    await here.run({ transid: ["inner", 5, true, parent] }, { observer });
    expect(done().length).to.equal(1);
    expect(done()[0]).to.include({ level: 30, transid: "inner", rootTransid: "outermost", status: 0 });
  });

  it("has no logs and is told all at once where somebody else collects them", async () => {
    const here = await world({ logStore: "none" });
    here.machine.behave = (request, runtime) => {
      runtime.print("for somebody else\n");
      runtime.answer(request, 502, '{"error":"x"}');
    };
    await here.run();
    expect(here.effects).to.deep.equal(["combined", "store", "rewound"]);
    expect(here.documents[0]?.logs).to.deep.equal([]);
  });

  it("has its lines and its record in a file as well, where there is one", async () => {
    const folder = await mkdtemp(join(tmpdir(), "rewhisk-logs-"));
    try {
      const here = await world({ logStore: "record-and-file" });
      here.machine.behave = (request, runtime) => {
        if (request.type === 2) runtime.print("hello\n");
        runtime.answer(request, 200, "{}");
      };
      const logFiles = new LogFiles(folder, () => 1);
      await here.run({}, { logFiles });
      here.fetch = () => Promise.reject(new Error("never run"));
      await here.run({}, { logFiles });
      await logFiles.close();
      expect(await readdir(folder)).to.deep.equal(["userlogs-1.log"]);
      const text = await readFile(join(folder, "userlogs-1.log"), "utf8");
      const entries = text.trimEnd().split("\n");
      expect(entries.map((entry) => JSON.parse(entry).log)).to.deep.equal(["hello\n", undefined]);
      expect(here.documents[0]?.logs.map((line) => line.slice(31))).to.deep.equal(["stdout: hello"]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("is stored although the file cannot be written", async () => {
    const here = await world();
    const logFiles = new LogFiles("/dev/null/logs", () => 1);
    await here.run({}, { logFiles });
    expect(here.effects).to.have.members(["result", "rewound", "completion", "store", "failed log-file"]);
  });

  it("that is not stored is named in the log, if the operator wishes", async () => {
    const quiet = await world({ storeBlocking: "STORE_FAILURES" });
    await quiet.run();
    expect(quiet.said("record-not-stored")).to.deep.equal([]);
    const talkative = await world({ storeBlocking: "STORE_FAILURES", logsUnstored: true });
    await talkative.run();
    await talkative.run({ blocking: false });
    expect(talkative.said("record-not-stored").map(({ activationId }) => activationId)).to.deep.equal([
      "0d6b6b4a7cf14d54ab6b4a7cf1bd5427",
    ]);
  });

  it("that fails is shown in the log as far as the operator wishes, and not beyond 1024 characters", async () => {
    const application = `{"error":"${"x".repeat(2000)}"}`;
    const usual = await world();
    failing(application)(usual);
    await usual.run();
    expect(usual.said("activation-error")).to.deep.equal([]);
    usual.fetch = () => Promise.reject(new Error("no database"));
    await usual.run();
    expect(usual.said("activation-error")[0]).to.include({
      ...{ status: 3, action: "guest/hello", result: '{"error":"Action could not be fetched."}' },
    });
    const curious = await world({ loggedErrors: { application: true, developer: true, whisk: false } });
    failing(application)(curious);
    await curious.run();
    failing("42")(curious);
    await curious.run();
    failing('{"fine":true}')(curious);
    await curious.run();
    curious.fetch = () => Promise.reject(new Error("no database"));
    await curious.run();
    const shown = curious.said("activation-error");
    expect(shown.map(({ status }) => status)).to.deep.equal([1, 2]);
    expect(shown[0]?.result).to.equal(application.slice(0, 1024));
  });

  it("whose arguments cannot be unlocked is a whisk error that frees its slot and is recorded", async () => {
    const here = await world({ argumentKeys: { "aes-128": Buffer.alloc(16) } });
    await here.run({ content: { secret: "bm8gY2lwaGVydGV4dA==" }, lockedArgs: { secret: "aes-128" } });
    expect(here.effects).to.deep.equal(["combined", "store"]);
    expect(here.acks[0]?.isSystemError).to.equal(true);
    const [document] = here.documents;
    expect(document?.response.result).to.deep.equal({
      error: "The action did not produce a valid response and exited unexpectedly.",
    });
    expect(document?.duration).to.equal(0);
    expect(here.said("activation-failed")[0]?.reason).to.contain("whisk.parameter-storage.aes-128");
    expect(here.logLines.join("")).to.not.contain("bm8gY2lwaGVydGV4dA");
  });

  it("of a health test runs the latest revision and is acknowledged with the controller's own id", async () => {
    const here = await world({ topicPrefix: "p-", defaultKinds: { nodejs: "nodejs:20" } });
    const asked: unknown[] = [];
    const start = 1_795_225_397_806;
    const { "health-test": recorded } = JSON.parse(
      readFileSync("test/compat/stock-activations.json", "utf8"),
    ) as { readonly "health-test": { readonly order: string } };
    const { message } = readOrder(recorded.order);
    const document = { _id: "whisk.system/invokerHealthTestAction0", namespace: "whisk.system" };
    const limits = { timeout: 60_000, memory: 128, logs: 10, concurrency: 1 };
    here.fetch = () =>
      Promise.resolve(storedAction({ ...document, limits, exec: { kind: "nodejs:default", code: "x" } }));
    const fetch = (id: string, revision: string | null): ReturnType<World["fetch"]> => {
      asked.push([id, revision]);
      return here.fetch();
    };
    const bodies: string[] = [];
    here.machine.behave = (request, runtime) => {
      bodies.push(request.payload.toString());
      runtime.answer(request, 200, "{}");
    };
    await here.run({ ...message, content: undefined as never }, { actions: { fetch } });
    expect(asked).to.deep.equal([["whisk.system/invokerHealthTestAction0", null]]);
    expect(bodies[1]).to.contain('"value":{}');
    expect(here.topics).to.deep.equal(["p-completed0"]);
    expect(here.acks[0]?.transid).to.deep.equal(["sid_invokerHealth", start]);
    expect(here.acks[0]).to.include({ isSystemError: false }).and.to.not.have.property("response");
    expect(here.documents.length).to.equal(1);
  });

  it("that waited in vain for a neighbour's init is told all at once, with no time of its own", async () => {
    const here = await world({ concurrency: { min: 1, max: 2, std: 1 } });
    const limits = { timeout: 60_000, memory: 256, logs: 10, concurrency: 2 };
    here.fetch = () => Promise.resolve(storedAction({ limits }));
    let bothAreThere: () => void = () => undefined;
    const both = new Promise<void>((resolve) => {
      bothAreThere = resolve;
    });
    here.pool.events.on("leased", ({ start }) => start === "warm" && bothAreThere());
    here.machine.behave = (request, runtime) => {
      void both.then(() => runtime.answer(request, 502, '{"error":"no init"}'));
    };
    await Promise.all([here.run(), here.run({ activationId: "f".repeat(32) })]);
    expect(here.slotFreeing).to.equal(2);
    const aborted = here.documents.find(({ activationId }) => activationId.startsWith("f"));
    expect(aborted?.response.result).to.deep.equal({ error: "no init" });
    expect([aborted?.duration, aborted?.logs]).to.deep.equal([0, []]);
    expect(aborted?.annotations.map(({ key }) => key)).to.not.include("initTime");
    const acks = here.acks.filter(({ response, activationId }) =>
      (activationId ?? (response as ActivationRecord).activationId).startsWith("f"),
    );
    expect(acks.map(({ instance, response }) => [!!instance, !!response])).to.deep.equal([[true, true]]);
  });
});
