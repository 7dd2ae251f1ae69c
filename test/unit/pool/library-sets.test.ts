// The library sets of a pool that learns some.

import { expect } from "chai";
import { baseOf } from "../../../pool/libraries.ts";
import { LibrarySets } from "../../../pool/library-sets.ts";
import type { Job, LibrarySet } from "../../../pool/types.ts";

const kind = "python:3";
const memoryMB = 256;
const job = (...imports: string[]): Job => ({
  ...{ kind, memoryMB, owner: "a", modules: new Set(imports), imports },
});
const base = (libraries: string): string => baseOf({ kind, libraries });

describe("library sets that are learnt", () => {
  let nowMs: number;
  const open = (learntMemoryMB: number, libraries: readonly LibrarySet[] = []): LibrarySets =>
    new LibrarySets({ libraries, learntMemoryMB }, () => nowMs);
  const note = (sets: LibrarySets, times: number, one: Job): void => {
    for (let i = 0; i < times; i++) sets.note(one);
  };
  const names = (sets: LibrarySets): unknown[] => sets.cells.map(({ libraries }) => libraries);

  beforeEach(() => {
    nowMs = 0;
  });

  it("are none where they may have no memory", () => {
    const sets = open(255);
    note(sets, 100, job("numpy"));
    expect([sets.isLearning, sets.learn(), names(sets)]).to.deep.equal([false, false, []]);
  });

  it("are tried one at a time, and kept where their import takes long", () => {
    const sets = open(1024);
    note(sets, 100, job("numpy"));
    note(sets, 50, job("json"));
    expect([sets.learn(), names(sets)]).to.deep.equal([true, ["numpy"]]);
    expect([sets.learn(), names(sets)]).to.deep.equal([false, ["numpy"]]);
    sets.measured(base("numpy"), 200);
    expect([sets.learn(), names(sets)]).to.deep.equal([true, ["numpy", "json"]]);
    sets.measured(base("json"), 0.1);
    expect([sets.learn(), names(sets)]).to.deep.equal([true, ["numpy"]]);
    expect([sets.learn(), names(sets)]).to.deep.equal([false, ["numpy"]]);
  });

  it("are none while memory is short, but those of the operator are, and are learnt again afterwards", () => {
    const given = { kind, modules: ["pandas"], count: 1, memoryMB };
    const sets = open(1024, [given]);
    note(sets, 100, job("numpy"));
    sets.learn();
    expect(names(sets)).to.have.members(["numpy", "pandas"]);
    const isLearnt = (libraries?: string): boolean => sets.isLearnt({ kind, libraries });
    expect([isLearnt("numpy"), isLearnt("pandas"), isLearnt()]).to.deep.equal([true, false, false]);
    sets.restrain(true);
    expect([sets.learn(), names(sets)]).to.deep.equal([false, ["pandas"]]);
    sets.restrain(false);
    expect(sets.learn()).to.equal(true);
    expect(names(sets)).to.have.members(["numpy", "pandas"]);
  });

  it("are for jobs as the operator's are, which come first in nothing", () => {
    const sets = open(256, [{ kind, modules: ["numpy"], count: 1, memoryMB }]);
    note(sets, 100, job("numpy", "pandas"));
    sets.measured(base("numpy"), 200);
    sets.measured(base("numpy+pandas"), 800);
    sets.learn();
    expect(sets.of(job("numpy", "pandas")).libraries).to.deep.equal(["numpy+pandas", "numpy"]);
    expect(sets.of(job("numpy")).libraries).to.deep.equal(["numpy"]);
  });

  it("are none that spare little beside the operator's, which nobody may ask for alone", () => {
    const sets = open(256, [{ kind, modules: ["numpy"], count: 1, memoryMB }]);
    sets.measured(base("numpy"), 200);
    note(sets, 10, job("numpy", "json"));
    sets.learn();
    sets.measured(base("json+numpy"), 201);
    expect([sets.learn(), names(sets)]).to.deep.equal([false, ["numpy"]]);
  });

  it("are given up where they cannot be had, and tried again after a while if they are still asked for", () => {
    const sets = open(256);
    note(sets, 100, job("nothere"));
    sets.learn();
    sets.refused.refuse(base("nothere"), nowMs);
    expect([sets.learn(), names(sets)]).to.deep.equal([true, []]);
    nowMs += 600_001;
    expect([sets.learn(), names(sets)]).to.deep.equal([true, ["nothere"]]);
  });

  it("are given up when nobody asks for them any more", () => {
    const sets = open(256);
    note(sets, 100, job("numpy"));
    sets.learn();
    sets.measured(base("numpy"), 200);
    nowMs += 5 * 600_000;
    expect([sets.learn(), names(sets)]).to.deep.equal([false, ["numpy"]]);
    nowMs += 4 * 600_000;
    expect([sets.learn(), names(sets)]).to.deep.equal([true, []]);
  });

  it("are not learnt from jobs that an image runs", () => {
    const sets = open(256);
    note(sets, 100, { ...job("numpy"), image: { name: "i", pull: false, sentinelled: true } });
    expect(sets.learn()).to.equal(false);
  });
});
