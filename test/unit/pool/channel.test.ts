// The host's end of the channel, against a scripted runtime.

import { Socket } from "node:net";
import { expect } from "chai";
import { Channel } from "../../../pool/proxy/channel.ts";
import { holdsWithin } from "../../within.ts";
import { answerFrame, type Behaviour, FakeRuntime, obedient, pipePair, socketPair } from "./fake-machine.ts";

const limits = { timeoutMs: 1000, maxBodyBytes: 1000, keptBodyBytes: 10 };
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
    expect((await early.channel.ready(1000)).outcome).to.equal("answer");
    const late = pair(obedient);
    const greeting = late.channel.ready(1000);
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
    late?.();
    expect(await holdsWithin(1000, () => channel.stray !== undefined)).to.equal(true);
    expect(channel.stray).to.equal("a frame that nobody asked for");
    expect((await channel.run("{}", limits)).outcome).to.equal("garbled");
  });

  it("tells the end of the runtime", async () => {
    const { channel } = pair((_request, to) => to.socket.destroy());
    expect(await channel.run("{}", limits)).to.deep.equal({ outcome: "closed" });
    expect(await channel.run("{}", limits)).to.deep.equal({ outcome: "closed" });
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
    expect(await holdsWithin(1000, () => twice.channel.stray !== undefined)).to.equal(true);
    expect(twice.channel.stray).to.equal("a frame that nobody asked for");
    const half = pair((request, to) => {
      to.answer(request, 200, "{}");
      to.socket.write(Buffer.from([1, 2]));
    });
    await half.channel.run("{}", limits);
    expect(await holdsWithin(1000, () => half.channel.stray !== undefined)).to.equal(true);
    expect(half.channel.stray).to.equal("part of a frame");
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
