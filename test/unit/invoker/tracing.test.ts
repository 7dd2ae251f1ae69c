// Spans of an activation: which there are, whose children, and what of a controller's context decides about them.

import { expect } from "chai";
import { type Span, Tracer } from "../../../invoker/tracing.ts";
import type { ActivationMessage } from "../../../invoker/wire/messages.ts";
import { systemClock } from "../../../pool/machine.ts";
import { orderOf } from "./orders.ts";
import { type World, Worlds } from "./world.ts";

/** As stock's controllers write them. */
const sampled = {
  "X-B3-TraceId": "463ac35c9f6413ad",
  "X-B3-SpanId": "a2fb4a1d1a96d312",
  "X-B3-ParentSpanId": "463ac35c9f6413ad",
  "X-B3-Sampled": "1",
};
const ids = { "X-B3-TraceId": "463ac35c9f6413ad", "X-B3-SpanId": "a2fb4a1d1a96d312" };
const settings = { component: "Invoker", sampleRate: 0.5, invoker: "invoker0" };

interface Followed {
  readonly spans: readonly Span[];
  /** By name. */
  readonly span: (name: string) => Span;
}

/** What is recorded of a piece of work; `chance` is what is held against the rate. */
async function follow(
  traceContext: unknown,
  chance = 0.5,
  work: Parameters<Tracer["follow"]>[1] = () => Promise.resolve(),
): Promise<Followed> {
  const spans: Span[] = [];
  const tracer = new Tracer(
    settings,
    (span) => spans.push(span),
    systemClock,
    () => chance,
  );
  const fields = traceContext === undefined ? {} : { traceContext };
  await tracer.follow(orderOf(fields as Partial<ActivationMessage>).message, work);
  const span = (name: string): Span => {
    const found = spans.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no span ${name}`);
    return found;
  };
  return { spans, span };
}

describe("the spans of an activation", () => {
  const worlds = new Worlds();
  afterEach(() => worlds.close());

  const run = (here: World): Promise<Followed> => follow(sampled, 1, (trace) => here.run({}, { trace }));

  it("are its parts, in the trace and below the span that the controller names", async () => {
    const { spans, span } = await run(await worlds.make());
    expect(spans.map(({ name }) => name)).to.deep.equal([
      ...["getDocument", "containerStart", "activationInit", "activationRun", "collectLogs", "release"],
      "activation",
    ]);
    const activation = span("activation");
    expect(activation).to.deep.include({
      traceId: "463ac35c9f6413ad",
      parentId: "a2fb4a1d1a96d312",
      localEndpoint: { serviceName: "Invoker" },
      tags: {
        transactionId: "4XKkOIE0Fz6rkgDcBVvvJrMbr6pXnKkp",
        activationId: "0d6b6b4a7cf14d54ab6b4a7cf1bd5427",
        invoker: "invoker0",
      },
    });
    expect(new Set(spans.map(({ id }) => id)).size).to.equal(spans.length);
    for (const part of spans.slice(0, -1)) {
      const { transactionId } = activation.tags;
      expect(part).to.deep.include({ traceId: activation.traceId, parentId: activation.id });
      expect(part.tags).to.deep.equal({ transactionId });
      expect(part.timestamp).to.be.at.least(activation.timestamp);
      expect(part.duration).to.be.within(1, activation.duration + activation.timestamp - part.timestamp);
    }
  });

  it("are marked where their work could not be done, with the reason, and the others are not", async () => {
    const here = await worlds.make();
    here.fetch = () => Promise.reject(new Error("no database"));
    const { spans, span } = await run(here);
    expect(spans.map(({ name }) => name)).to.deep.equal(["getDocument", "activation"]);
    expect(span("getDocument").tags).to.deep.include({ error: "true", message: "Error: no database" });
    expect(span("activation").tags).not.to.have.property("error");
  });

  it("do not say what an action was given or what it answered", async () => {
    const here = await worlds.make();
    here.machine.behave = (request, runtime) => runtime.answer(request, 502, '{"error":"s3cret"}');
    const { spans } = await follow(sampled, 1, (trace) =>
      here.run({ content: { name: "s3cret" } }, { trace }),
    );
    expect(spans.length).to.be.above(3);
    expect(JSON.stringify(spans)).not.to.contain("s3cret");
  });

  it("pass on what the work rejects with", async () => {
    const error = await follow(sampled, 1, () => Promise.reject(new Error("broken"))).catch(String);
    expect(error).to.equal("Error: broken");
  });
});

describe("a trace", () => {
  for (const [what, context, isKept] of [
    ["the controller keeps", sampled, true],
    ["the controller does not keep", { ...ids, "X-B3-Sampled": "0" }, false],
    ["nobody keeps, by ids or not", { "x-b3-sampled": "false" }, false],
    ["is looked for a fault in", { ...ids, "X-B3-Flags": "1" }, true],
  ] as const) {
    it(`that ${what} is ${isKept ? "" : "not "}continued, whatever the rate`, async () => {
      for (const chance of [0, 1]) expect((await follow(context, chance)).spans.length > 0).to.equal(isKept);
    });
  }

  for (const [what, context] of [
    ["none", undefined],
    ["ids alone", ids],
    ["null", null],
    ["a decision that is none", { ...ids, "X-B3-Sampled": "constructor" }],
    ["other headers", { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" }],
  ] as const) {
    it(`whose context is ${what} is kept as often as the rate says`, async () => {
      expect((await follow(context, 0.49)).spans.length).to.equal(1);
      expect((await follow(context, 0.5)).spans.length).to.equal(0);
    });
  }

  it("is the controller's where that has named it, in whatever case, of 64 or 128 bits", async () => {
    const context = { "x-b3-traceid": "463AC35C9F6413AD48485A3953BB6124", "x-b3-spanid": "A2FB4A1D1A96D312" };
    const { span } = await follow(context, 0);
    expect(span("activation")).to.deep.include({
      traceId: "463ac35c9f6413ad48485a3953bb6124",
      parentId: "a2fb4a1d1a96d312",
    });
    expect(span("activation")).not.to.have.property("debug");
    expect((await follow({ ...ids, "X-B3-Flags": "1" })).span("activation").debug).to.equal(true);
  });

  for (const [what, context] of [
    ["nothing", undefined],
    ["a trace alone", { "X-B3-TraceId": "463ac35c9f6413ad" }],
    ["no hex digits", { ...ids, "X-B3-TraceId": "463ac35c9f6413ag" }],
    ["too many digits", { ...ids, "X-B3-SpanId": "a2fb4a1d1a96d3120" }],
    ["zeros", { ...ids, "X-B3-SpanId": "0000000000000000" }],
    ["numbers", { "X-B3-TraceId": 463, "X-B3-SpanId": {} }],
    ["a text", "X-B3-TraceId"],
  ] as const) {
    it(`begins here where the context has ${what}`, async () => {
      const activation = (await follow(context, 0)).span("activation");
      expect(activation.id).to.match(/^[0-9a-f]{16}$/);
      expect(activation.traceId).to.equal(activation.id);
      expect(activation).not.to.have.property("parentId");
    });
  }
});
