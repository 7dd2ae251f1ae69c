// The host's end of the channel, against a scripted runtime.

import { Socket } from "node:net";
import { expect } from "chai";
import { Channel } from "../../../pool/proxy/channel.ts";
import { holdsWithin } from "../../within.ts";
import {
  answerFrame,
  type Behaviour,
  FakeRuntime,
  obedient,
  pipePair,
  socketPair,
  standStill,
} from "./fake-machine.ts";

const limits = { timeoutMs: 10_000, maxBodyBytes: 1000, keptBodyBytes: 10 };
const patienceMs = 60_000;
const init = { name: "a", main: "main", binary: false, env: {}, code: undefined };

describe("a channel", () => {
  const open: (Channel | FakeRuntime)[] = [];
  function pair(behave: Behaviour): { channel: Channel; runtime: FakeRuntime } {
    const [ours, theirs] = socketPair();
    const channel = Channel.open(ours);
    const [, outFd] = pipePair();
    const runtime = new FakeRuntime(theirs, outFd, outFd, behave);
    open.push(channel, runtime);
    return { channel, runtime };
  }
  afterEach(() => {
    for (const end of open.splice(0)) {
      if (end instanceof Channel) end.close();
      else end.socket.destroy();
    }
  });

  it("hears the runtime's greeting, before or after it is asked for", async () => {
    const early = pair(obedient);
    early.runtime.ready();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await early.channel.ready(patienceMs)).outcome).to.equal("answer");
    const late = pair(obedient);
    const greeting = late.channel.ready(patienceMs);
    late.runtime.ready();
    expect(await greeting).to.include({ outcome: "answer", body: '{"runtime":"fake","version":"1"}' });
  });

  it("asks with a fresh nonce each time and gives the answer's status and body", async () => {
    const { channel, runtime } = pair((request, to) => to.answer(request, 502, `{"type":${request.type}}`));
    expect(await channel.init(init, limits)).to.include({
      outcome: "answer",
      status: 502,
      body: '{"type":1}',
    });
    expect(await channel.run("{}", limits)).to.include({
      outcome: "answer",
      status: 502,
      body: '{"type":2}',
    });
    const [first, second] = runtime.requests.map(({ nonce }) => nonce.toString("hex"));
    expect(first).to.not.equal(second);
    expect(channel.stray).to.equal(undefined);
  });

  it("cuts a body above the limit and says how long it was", async () => {
    const { channel } = pair((request, to) => to.answer(request, 200, "x".repeat(300_000)));
    const reply = await channel.run("{}", limits);
    expect(reply).to.deep.include({ outcome: "answer", body: "xxxxxxxxxx", bodyBytes: 300_000, cut: true });
  });

  it("sends code of megabytes whole", async () => {
    const code = Buffer.alloc(8_000_000, "c");
    const { channel, runtime } = pair(obedient);
    await channel.init({ ...init, code }, { ...limits, timeoutMs: 10_000 });
    expect(runtime.requests[0]?.payload.subarray(-code.length).equals(code)).to.equal(true);
    expect(channel.isFlushed).to.equal(true);
  });

  it("gives up after the time limit, and takes a late answer for stray", async () => {
    let late: (() => void) | undefined;
    const { channel } = pair((request, to) => {
      late = () => to.answer(request, 200, "{}");
    });
    expect(await channel.run("{}", { ...limits, timeoutMs: 30 })).to.deep.equal({ outcome: "timeout" });
    expect(channel.stray).to.equal(undefined);
    expect(await holdsWithin(60_000, () => late !== undefined)).to.equal(true);
    late?.();
    expect(await holdsWithin(60_000, () => channel.stray !== undefined)).to.equal(true);
    expect(channel.stray).to.equal("a frame that nobody asked for");
    expect((await channel.run("{}", limits)).outcome).to.equal("garbled");
  });

  it("gives the answer that has come while this process stood still for longer than the limit", async () => {
    const { channel, runtime } = pair(obedient);
    const limitMs = 20;
    const greeting = channel.ready(limitMs);
    runtime.ready();
    standStill(2 * limitMs);
    expect((await greeting).outcome).to.equal("answer");
  });

  it("tells the end of the runtime", async () => {
    const { channel } = pair((_request, to) => to.socket.destroy());
    expect(await channel.run("{}", limits)).to.deep.equal({ outcome: "closed", unread: false });
    expect(await channel.run("{}", limits)).to.deep.equal({ outcome: "closed", unread: true });
  });

  it("tells that the runtime ended without having read the question", async () => {
    const { channel, runtime } = pair(obedient);
    runtime.socket.pause();
    const reply = channel.run("{}", limits);
    runtime.socket.destroy();
    expect(await reply).to.deep.equal({ outcome: "closed", unread: true });
  });

  const garbage: readonly (readonly [string, Behaviour])[] = [
    ["an answer with another nonce", (_, to) => to.socket.write(answerFrame(Buffer.alloc(16, 7), 200, "{}"))],
    ["text", (_, to) => to.socket.write("this is no frame and longer than a head\n")],
    ["a second greeting", (_, to) => to.ready()],
  ];
  for (const [what, behave] of garbage) {
    it(`does not take ${what} for an answer`, async () => {
      const { channel } = pair(behave);
      expect((await channel.run("{}", limits)).outcome).to.equal("garbled");
      expect(channel.stray).to.be.a("string");
    });
  }

  it("takes a second answer, and the beginning of one, for stray", async () => {
    const twice = pair((request, to) => {
      to.answer(request, 200, "{}");
      to.answer(request, 200, "{}");
    });
    await twice.channel.run("{}", limits);
    expect(await holdsWithin(60_000, () => twice.channel.stray !== undefined)).to.equal(true);
    expect(twice.channel.stray).to.equal("a frame that nobody asked for");
    const half = pair((request, to) => {
      to.answer(request, 200, "{}");
      to.socket.write(Buffer.from([1, 2]));
    });
    await half.channel.run("{}", limits);
    expect(await holdsWithin(60_000, () => half.channel.stray !== undefined)).to.equal(true);
    expect(half.channel.stray).to.equal("part of a frame");
  });

  it("carries shared runs at the same time, each with its own answer and limits", async () => {
    const { channel, runtime } = pair(() => undefined);
    const replies = [
      channel.run("1", limits, true),
      channel.run("2", { ...limits, maxBodyBytes: 3, keptBodyBytes: 2 }, true),
      channel.run("3", limits, true),
    ];
    expect(await holdsWithin(60_000, () => runtime.requests.length === 3)).to.equal(true);
    expect(runtime.requests.map(({ type }) => type)).to.deep.equal([5, 5, 5]);
    const backwards = [...runtime.requests].reverse();
    const all = backwards.map(({ nonce, payload }) => answerFrame(nonce, 200, `answer ${payload}`));
    runtime.socket.write(Buffer.concat(all));
    const bodies = (await Promise.all(replies)).map((reply) =>
      "body" in reply ? reply.body : reply.outcome,
    );
    expect(bodies).to.deep.equal(["answer 1", "an", "answer 3"]);
    expect(channel.stray).to.equal(undefined);
  });

  it("carries nothing beside a question that is not shared", async () => {
    const { channel } = pair(() => undefined);
    const alone = channel.run("1", { ...limits, timeoutMs: 50 });
    expect(() => channel.run("2", limits, true)).to.throw("one exchange at a time");
    await alone;
    const shared = channel.run("3", { ...limits, timeoutMs: 50 }, true);
    expect(() => channel.run("4", limits)).to.throw("one exchange at a time");
    expect(() => channel.init(init, limits)).to.throw("one exchange at a time");
    await shared;
  });

  it("takes a second late answer to the same question for stray", async () => {
    const { channel, runtime } = pair(() => undefined);
    const slow = channel.run("1", { ...limits, timeoutMs: 30 }, true);
    const open = channel.run("2", limits, true);
    expect(await holdsWithin(60_000, () => runtime.requests.length === 2)).to.equal(true);
    await slow;
    const [first] = runtime.requests;
    if (first === undefined) throw new Error("not asked");
    for (let i = 0; i < 2; i++) runtime.answer(first, 200, "{}");
    expect((await open).outcome).to.equal("garbled");
  });

  it("takes the late answer to a question given up for nobody's, but only while others are open", async () => {
    const { channel, runtime } = pair(() => undefined);
    const slow = channel.run("1", { ...limits, timeoutMs: 30 }, true);
    const open = channel.run("2", limits, true);
    expect(await holdsWithin(60_000, () => runtime.requests.length === 2)).to.equal(true);
    expect(await slow).to.deep.equal({ outcome: "timeout" });
    const [first, second] = runtime.requests;
    if (first === undefined || second === undefined) throw new Error("not asked");
    runtime.answer(first, 200, "x".repeat(100_000));
    runtime.answer(second, 200, "{}");
    expect(await open).to.include({ outcome: "answer", body: "{}" });
    expect(channel.stray).to.equal(undefined);
    const next = channel.run("3", limits, true);
    runtime.answer(first, 200, "{}");
    expect((await next).outcome).to.equal("garbled");
  });

  it("tells all who wait that the runtime has ended, or is not to be trusted", async () => {
    for (const [outcome, act] of [
      ["closed", (to: FakeRuntime) => void to.socket.destroy()],
      ["garbled", (to: FakeRuntime) => void to.socket.write(answerFrame(Buffer.alloc(16, 7), 200, "{}"))],
    ] as const) {
      const { channel, runtime } = pair(() => undefined);
      const replies = [channel.run("1", limits, true), channel.run("2", limits, true)];
      act(runtime);
      expect((await Promise.all(replies)).map((reply) => reply.outcome)).to.deep.equal([outcome, outcome]);
    }
  });

  it("asks beside an answer that has come in part only", async () => {
    const { channel, runtime } = pair(() => undefined);
    const one = channel.run("1", limits, true);
    expect(await holdsWithin(60_000, () => runtime.requests.length === 1)).to.equal(true);
    const [first] = runtime.requests;
    if (first === undefined) throw new Error("not asked");
    const whole = answerFrame(first.nonce, 200, '{"a":1}');
    runtime.socket.write(whole.subarray(0, 24));
    expect(await holdsWithin(60_000, () => channel.stray === "part of a frame")).to.equal(true);
    const two = channel.run("2", { ...limits, timeoutMs: 50 }, true);
    runtime.socket.write(whole.subarray(24));
    expect(await one).to.include({ outcome: "answer", body: '{"a":1}' });
    expect((await two).outcome).to.equal("timeout");
  });

  it("leaves no listener and no timer behind over many exchanges", async () => {
    const { channel } = pair(obedient);
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on("warning", onWarning);
    for (let i = 0; i < 200; i++) await channel.run("{}", limits);
    process.off("warning", onWarning);
    expect(warnings).to.deep.equal([]);
    const timers = process.getActiveResourcesInfo().filter((name) => name === "Timeout");
    expect(timers.length).to.be.at.most(1);
  });

  it("works on a socket it is given as well", async () => {
    const [ours, theirs] = socketPair();
    const channel = new Channel(new Socket({ fd: ours, readable: true, writable: true }));
    const runtime = new FakeRuntime(theirs, 1, 1, obedient);
    open.push(channel, runtime);
    expect((await channel.run("{}", limits)).outcome).to.equal("answer");
  });
});
