// Templates of a former life: who waits for them, how long they serve, and that one which is refused holds nobody back.

import { expect } from "chai";
import { type Facts, firstDifference } from "../../../pool/fingerprint.ts";
import { LeanError } from "../../../pool/index.ts";
import type { TemplateStored } from "../../../pool/makings.ts";
import { StoredError } from "../../../pool/template-file.ts";
import type { StoredTemplate, TemplateStore } from "../../../pool/template-store.ts";
import { Templates } from "../../../pool/templates.ts";
import { RestorerError, type Waiting } from "../../../restorer/index.ts";
import { holdsWithin } from "../../within.ts";
import { FakeCheckpoint } from "./fake-machine.ts";

const kind = "python:3";
const ageBeforeRetirementMs = 20_000;
const oldestMs = 5000;
const waiting: Waiting = { pid: 1, goFd: 1 };

class FakeStore implements Pick<TemplateStore, "stored" | "load" | "keep" | "remove"> {
  readonly did: string[] = [];
  /** What the file has. */
  found: StoredTemplate | StoredError | undefined;
  /** It is not read before. */
  mayRead: Promise<void> = Promise.resolve();

  stored(): readonly string[] {
    return [kind];
  }
  async load(of: string, oldest: number): Promise<StoredTemplate | undefined> {
    this.did.push(`load ${of} ${oldest}`);
    await this.mayRead;
    if (this.found instanceof StoredError) throw this.found;
    return this.found;
  }
  async keep(of: string, _: unknown, pid: number, bornMs: number): Promise<boolean> {
    this.did.push(`keep ${of} of ${pid}, born ${bornMs}`);
    return true;
  }
  async remove(of: string): Promise<void> {
    this.did.push(`remove ${of}`);
  }
}

describe("stored templates", () => {
  let nowMs = 0;
  let store: FakeStore;
  let told: TemplateStored[] = [];
  let failures: unknown[] = [];
  let checkpoint: FakeCheckpoint;

  beforeEach(() => {
    nowMs = 10_000;
    told = [];
    failures = [];
    store = new FakeStore();
    checkpoint = new FakeCheckpoint();
  });

  function open(
    bootFrom = async (): Promise<FakeCheckpoint> => new FakeCheckpoint(),
    startTimeoutMs = 60_000,
  ): Templates {
    const templates = new Templates(
      { nowMs: () => nowMs, setByMs: () => 1_000_000 },
      { ageBeforeRetirementMs, startTimeoutMs },
      bootFrom,
      store as unknown as TemplateStore,
    );
    templates.follow(
      (failure) => failures.push(failure),
      () => undefined,
      (stored) => told.push(stored),
    );
    return templates;
  }
  const storedOf = (bornMs: number, requireSameFiles: (pid: number) => void = () => undefined) => {
    const template = checkpoint.template();
    return { template, bornMs: bornMs + 1_000_000, requireSameFiles };
  };
  const results = (): readonly string[] => told.map(({ result }) => result);

  it("are waited for, and serve for as long as they would have in the life that made them", async () => {
    store.found = storedOf(nowMs - oldestMs + 100);
    const templates = open();
    expect(templates.wayOf(kind), "started, should it not wait").to.deep.equal({});
    await templates.renewalOf(kind);
    const { boot } = templates.wayOf(kind);
    // It is due already: one container is started for the next.
    expect(boot).to.equal(undefined);
    const again = templates.wayOf(kind).boot;
    expect([again !== undefined, results()]).to.deep.equal([true, ["loaded"]]);
    again?.end();
    nowMs += 101;
    templates.sweep();
    expect(templates.wayOf(kind).boot).to.equal(undefined);
    expect([checkpoint.templates, store.did]).to.deep.equal([0, ["load python:3 5000", "remove python:3"]]);
  });

  it("are none where there is none that serves, and the next container is for one, which is written", async () => {
    store.found = new StoredError("changed", "another kernel");
    const templates = open();
    await templates.renewalOf(kind);
    expect(told).to.deep.equal([{ kind, result: "changed", error: store.found }]);
    const { renewal } = templates.wayOf(kind);
    renewal?.offer(checkpoint, 123);
    renewal?.end();
    expect(templates.boots(kind)).to.equal(true);
    await Promise.resolve();
    expect(store.did).to.deep.equal(["load python:3 5000", "keep python:3 of 123, born 1010000"]);
  });

  it("that are not the same in a container end without a boot, and hold nobody back, however many have tried", async () => {
    const why = new StoredError("changed", "another /usr/bin/python3");
    store.found = storedOf(nowMs, () => {
      throw why;
    });
    let boots = 0;
    const templates = open(async () => {
      boots++;
      return new FakeCheckpoint();
    });
    await templates.renewalOf(kind);
    const [one, other] = [templates.wayOf(kind).boot, templates.wayOf(kind).boot];
    for (const boot of [one, other]) {
      const error = await boot?.from(waiting).catch((failure: unknown) => failure);
      expect(error).to.equal(why);
      const failure = new LeanError("start", "not booted", { cause: error });
      expect(boot?.hasFailed(failure)).to.equal(true);
      boot?.end();
    }
    expect([boots, failures, results(), checkpoint.templates]).to.deep.equal([
      0,
      [],
      ["loaded", "changed"],
      0,
    ]);
    const renewal = templates.renewalInstead(kind);
    expect(renewal).to.not.equal(undefined);
    expect(templates.renewalInstead(kind), "only one").to.equal(undefined);
    renewal?.end();
  });

  it("from which nothing can be booted are given up, and no new one with them", async () => {
    store.found = storedOf(nowMs);
    const templates = open();
    await templates.renewalOf(kind);
    const boot = templates.wayOf(kind).boot;
    boot?.end();
    boot?.failed(new RestorerError("process-gone", "killed", false));
    expect([templates.boots(kind), failures.length]).to.deep.equal([true, 1]);
    boot?.failed(new RestorerError("mapping", "differs", false));
    expect(results()).to.deep.equal(["loaded", "unbootable"]);
    const { renewal } = templates.wayOf(kind);
    renewal?.offer(new FakeCheckpoint());
    renewal?.end();
    boot?.failed(new RestorerError("mapping", "differs", false));
    expect(templates.boots(kind), "from that of this life").to.equal(true);
  });

  it("are waited for no longer than a start is, and freed where they come later", async () => {
    store.found = storedOf(nowMs);
    let read = (): void => undefined;
    store.mayRead = new Promise((resolve) => (read = resolve));
    const templates = open(undefined, 1);
    await templates.renewalOf(kind);
    expect([results(), templates.renewalOf(kind)]).to.deep.equal([["unbootable"], undefined]);
    const { renewal } = templates.wayOf(kind);
    const started = new FakeCheckpoint();
    renewal?.offer(started);
    renewal?.end();
    read();
    expect(await holdsWithin(10_000, () => checkpoint.templates === 0)).to.equal(true);
    expect([templates.boots(kind), started.templates]).to.deep.equal([true, 1]);
  });

  it("that come after the end are freed", async () => {
    store.found = storedOf(nowMs);
    const templates = open();
    const loading = templates.renewalOf(kind);
    templates.close();
    await loading;
    expect(checkpoint.templates).to.equal(0);
  });
});

describe("facts", () => {
  const facts: Facts = { kernel: "6.1", build: "a" };
  it("differ by the first that is another, missing, or new", () => {
    expect(firstDifference(facts, { ...facts })).to.equal(undefined);
    expect(firstDifference(facts, { ...facts, kernel: "6.2" })).to.equal("kernel");
    expect(firstDifference(facts, { kernel: "6.1" })).to.equal("build");
    expect(firstDifference(facts, { ...facts, rung: "x" })).to.equal("rung");
  });
});
