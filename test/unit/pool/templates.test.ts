// From what containers are booted, for how long, and that a kind which cannot be booted is started.

import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { LeanError } from "../../../pool/index.ts";
import type { BootAhead } from "../../../pool/lean/types.ts";
import type { Checkpoint } from "../../../pool/machine.ts";
import type { BootFailure, BootsCopied } from "../../../pool/makings.ts";
import { Templates } from "../../../pool/templates.ts";
import { RestorerError } from "../../../restorer/index.ts";
import { FakeCheckpoint } from "./fake-machine.ts";

const kind = "python:3";
const ageBeforeRetirementMs = 20_000;
const oldestMs = 5000;
const settings = { ageBeforeRetirementMs, startTimeoutMs: 60_000 };

describe("templates", () => {
  let nowMs = 0;
  let templates: Templates;
  let failures: BootFailure[] = [];
  let copies: BootsCopied[] = [];

  beforeEach(() => {
    nowMs = 0;
    failures = [];
    copies = [];
    templates = new Templates({ nowMs: () => nowMs }, settings);
    templates.follow(
      (failure) => failures.push(failure),
      (copied) => copies.push(copied),
    );
  });

  /** The next container of the kind is started, and offered if its checkpoint is to become the next template. */
  function startOne(checkpoint: Checkpoint = new FakeCheckpoint()): void {
    const { boot, renewal } = templates.wayOf(kind);
    expect(boot).to.equal(undefined);
    renewal?.offer(checkpoint);
    renewal?.end();
  }
  const isBooted = (of = kind): boolean => {
    const { boot, renewal } = templates.wayOf(of);
    renewal?.end();
    boot?.end();
    return boot !== undefined;
  };

  it("are of the first started container of a kind, which the others wait for", async () => {
    const { boot, renewal } = templates.wayOf(kind);
    expect([boot, renewal]).to.deep.equal([undefined, renewal ?? "a renewal"]);
    expect(templates.wayOf(kind), "started, should it not wait").to.deep.equal({});
    const told: string[] = [];
    const waiting = templates.renewalOf(kind)?.then(() => told.push("ready"));
    expect(templates.renewalOf("nodejs:20")).to.equal(undefined);
    await nextTurn();
    told.push("nothing yet");
    const checkpoint = new FakeCheckpoint();
    renewal?.offer(checkpoint);
    renewal?.end();
    await waiting;
    expect(told).to.deep.equal(["nothing yet", "ready"]);
    expect(templates.renewalOf(kind)).to.equal(undefined);
    expect([isBooted(), isBooted("nodejs:20"), checkpoint.templates]).to.deep.equal([true, false, 1]);
  });

  it("are made by somebody else where the container that was to be one has failed", async () => {
    const { renewal } = templates.wayOf(kind);
    const waiting = templates.renewalOf(kind);
    renewal?.end();
    await waiting;
    startOne();
    expect(isBooted()).to.equal(true);
  });

  it("are due before they are too old: one container is started for the next, and all others booted until that is there", () => {
    const [first, second] = [new FakeCheckpoint(), new FakeCheckpoint()];
    startOne(first);
    nowMs = 4000;
    expect([templates.isDue(kind), isBooted()]).to.deep.equal([false, true]);
    nowMs = 4001;
    expect(templates.isDue(kind)).to.equal(true);
    const { boot, renewal } = templates.wayOf(kind);
    expect(boot).to.equal(undefined);
    expect([templates.isDue(kind), isBooted(), isBooted()]).to.deep.equal([false, true, true]);
    renewal?.offer(second);
    renewal?.end();
    expect([first.templates, second.templates]).to.deep.equal([0, 1]);
    nowMs = 4001 + 4000;
    expect([templates.isDue(kind), isBooted()]).to.deep.equal([false, true]);
  });

  it("are given up after a quarter of the age that containers may reach, whoever needs one", () => {
    const checkpoint = new FakeCheckpoint();
    startOne(checkpoint);
    nowMs = oldestMs;
    templates.sweep();
    expect(checkpoint.templates).to.equal(1);
    nowMs++;
    templates.sweep();
    expect(checkpoint.templates).to.equal(0);
    startOne();
    expect(isBooted()).to.equal(true);
  });

  it("stay where a boot fails that began with the one before", () => {
    const second = new FakeCheckpoint();
    startOne();
    const { boot } = templates.wayOf(kind);
    nowMs = 4001;
    const { renewal } = templates.wayOf(kind);
    renewal?.offer(second);
    renewal?.end();
    const failure = new RestorerError("freeze-timeout", "the boot did not return", false);
    boot?.failed(failure);
    boot?.end();
    expect(second.templates, "it is none that has failed").to.equal(1);
    expect(isBooted()).to.equal(true);
  });

  it("stay for what is being booted from them, whatever becomes of them meanwhile", () => {
    const [first, second] = [new FakeCheckpoint(), new FakeCheckpoint()];
    startOne(first);
    const [one, other] = [templates.wayOf(kind).boot, templates.wayOf(kind).boot];
    nowMs = 4001;
    startOne(second);
    one?.end();
    one?.end();
    expect([first.templates, second.templates]).to.deep.equal([1, 1]);
    other?.end();
    expect([first.templates, second.templates]).to.deep.equal([0, 1]);
    const last = templates.wayOf(kind).boot;
    nowMs += oldestMs + 1;
    templates.sweep();
    templates.close();
    expect(second.templates).to.equal(1);
    last?.end();
    expect(second.templates).to.equal(0);
  });

  it("are given up for as long as one would serve where the boot itself has failed, and then only", () => {
    const checkpoint = new FakeCheckpoint();
    startOne(checkpoint);
    const { boot } = templates.wayOf(kind);
    boot?.end();
    expect(boot?.hasFailed(new LeanError("start", "no cgroup"))).to.equal(false);
    const killed = new RestorerError("process-gone", "killed", false);
    expect(boot?.hasFailed(new LeanError("start", "killed", { cause: killed }))).to.equal(true);
    expect(checkpoint.templates).to.equal(1);
    const cause = new RestorerError("unsupported", "a socket", false);
    expect(boot?.hasFailed(new LeanError("start", "not booted", { cause }))).to.equal(true);
    expect(checkpoint.templates).to.equal(0);
    expect(templates.wayOf(kind), "nothing is renewed").to.deep.equal({});
    expect(failures.map(({ reason }) => reason)).to.deep.equal(["process-gone", "unsupported"]);
    nowMs = oldestMs;
    startOne();
    expect(isBooted()).to.equal(true);
  });

  it("are none of a container where none can be made, which serves nevertheless", () => {
    const checkpoint = new FakeCheckpoint();
    checkpoint.template = () => {
      throw new RestorerError("system", "no memory", true);
    };
    startOne(checkpoint);
    expect(failures.map(({ kind, reason }) => [kind, reason])).to.deep.equal([[kind, "system"]]);
    expect(templates.wayOf(kind)).to.deep.equal({});
  });

  it("are never of a process that has an action's checkpoint in use", async () => {
    const checkpoint = new FakeCheckpoint();
    await checkpoint.takeLevel({ pages: Number.POSITIVE_INFINITY });
    startOne(checkpoint);
    expect([checkpoint.templates, isBooted()]).to.deep.equal([0, false]);
    await checkpoint.rewind({ verify: true });
    startOne(checkpoint);
    expect([checkpoint.templates, isBooted()]).to.deep.equal([1, true]);
  });

  it("are told, with what boots from them, whenever there is another, or none any more", async () => {
    const told: (readonly [string, BootAhead | undefined])[] = [];
    templates = new Templates({ nowMs: () => nowMs }, settings, () =>
      Promise.reject(new RestorerError("unsupported", "a socket", true)),
    );
    templates.follow(
      (failure) => failures.push(failure),
      (copied) => copies.push(copied),
    );
    templates.followTemplates((...what) => told.push(what));
    const checkpoint = new FakeCheckpoint();
    startOne(checkpoint);
    const [[, boot] = []] = told;
    expect([told.length, boot?.isOver()]).to.deep.equal([1, false]);
    expect(await boot?.from({ pid: 1, goFd: 1 }).catch((error: RestorerError) => error.code)).to.equal(
      "unsupported",
    );
    expect([failures.length, boot?.isOver(), told.at(-1), checkpoint.templates]).to.deep.equal([
      ...[1, true],
      [kind, undefined],
      0,
    ]);
    expect(await boot?.from({ pid: 1, goFd: 1 }).catch((error: RestorerError) => error.code)).to.equal(
      "system",
    );
    expect(failures, "of what nobody wants any more nobody is told").to.have.length(1);
  });

  it("are given up where what was booted ahead fails its proof, unless that was killed", async () => {
    const told: (BootAhead | undefined)[] = [];
    templates.followTemplates((_, boot) => told.push(boot));
    startOne(new FakeCheckpoint());
    for (const [code, isKept] of [
      ["process-gone", true],
      ["verify-difference", false],
    ] as const) {
      const booted = new FakeCheckpoint();
      booted.behave = () => Promise.reject(new RestorerError(code, "no", false));
      const failure = await told[0]?.prove(booted).catch((error: RestorerError) => error.code);
      expect([failure, booted.verified, templates.boots(kind)]).to.deep.equal([code, [true], isKept]);
    }
    expect(failures).to.have.lengthOf(2);
  });

  it("are given up where what was booted ahead cannot be rehearsed, unless it has ended", () => {
    const told: (BootAhead | undefined)[] = [];
    templates.followTemplates((_, boot) => told.push(boot));
    startOne(new FakeCheckpoint());
    for (const [code, isKept] of [
      ["process-gone", true],
      ["start", false],
    ] as const) {
      told[0]?.failed(new LeanError(code, "no"));
      expect(templates.boots(kind), code).to.equal(isKept);
    }
    told[0]?.failed(new LeanError("start", "no"));
    expect(failures, "of what nobody wants any more nobody is told").to.have.lengthOf(2);
  });

  it("free what was booted ahead and killed when no proof of it is under way any more, however late", async () => {
    templates = new Templates({ nowMs: () => nowMs }, { ...settings, startTimeoutMs: 1 });
    const told: (BootAhead | undefined)[] = [];
    templates.followTemplates((_, boot) => told.push(boot));
    startOne(new FakeCheckpoint());
    let end = (): void => undefined;
    const booted = new FakeCheckpoint();
    booted.behave = () => new Promise((_, reject) => (end = () => reject(new Error("killed"))));
    expect(await told[0]?.prove(booted).catch(({ code }) => code)).to.equal("freeze-timeout");
    const discarding = told[0]?.discard(booted);
    await nextTurn();
    expect(booted.isReleased).to.equal(false);
    end();
    await discarding;
    expect(booted.isReleased).to.equal(true);
  });

  it("give a boot so much time and no more, end what it may wait for, and free what it gives later", async () => {
    let give = (_checkpoint: Checkpoint): void => undefined;
    const booting = new Promise<Checkpoint>((resolve) => {
      give = resolve;
    });
    templates = new Templates({ nowMs: () => nowMs }, { ...settings, startTimeoutMs: 1 }, () => booting);
    const checkpoint = new FakeCheckpoint();
    startOne(checkpoint);
    const { boot } = templates.wayOf(kind);
    const failure = await boot?.from({ pid: 1, goFd: 1 }).catch((error: unknown) => error);
    boot?.end();
    expect(failure).to.be.instanceOf(RestorerError);
    expect(failure).to.include({ code: "freeze-timeout", untouched: false });
    expect(checkpoint.embryosEnded, "the call may wait for it").to.equal(1);
    const late = new FakeCheckpoint();
    give(late);
    await nextTurn();
    expect(late.isReleased).to.equal(true);
  });

  it("tell once of each from which memory is copied", async () => {
    const why = new Error("the embryo is gone");
    templates = new Templates({ nowMs: () => nowMs }, settings, async (template) => {
      Object.assign(template, { whyCopied: why });
      return new FakeCheckpoint();
    });
    templates.follow(
      (failure) => failures.push(failure),
      (copied) => copies.push(copied),
    );
    startOne();
    for (let i = 0; i < 2; i++) {
      const { boot } = templates.wayOf(kind);
      await boot?.from({ pid: 1, goFd: 1 });
      boot?.end();
    }
    expect([copies, failures]).to.deep.equal([[{ kind, error: why }], []]);
  });

  it("are freed at the end, and none is taken any more", () => {
    const checkpoint = new FakeCheckpoint();
    startOne(checkpoint);
    nowMs = 4001;
    const { renewal } = templates.wayOf(kind);
    templates.close();
    renewal?.offer(checkpoint);
    renewal?.end();
    expect(checkpoint.templates).to.equal(0);
    expect(templates.wayOf(kind)).to.deep.equal({});
  });
});
