// Which library sets are worth their memory.

import { expect } from "chai";
import { type Asked, chooseSets, Demand, type Facts } from "../../../pool/demand.ts";
import type { LibrarySet } from "../../../pool/types.ts";

const kind = "python:3";
const memoryMB = 256;
const asked = (modules: string, times: number): Asked => ({
  ...{ kind, modules: new Set(modules.split("+")), times },
  base: `${kind} with ${modules}`,
});
const given = (modules: string): LibrarySet => ({ kind, modules: modules.split("+"), count: 1, memoryMB });
const base = (libraries: string): string => `${kind} with ${libraries}`;

function chosen(facts: Partial<Facts>, most = 2): string[] {
  const usual = {
    asked: [],
    importMs: new Map(),
    isRefused: () => false,
    held: new Set<string>(),
    given: [],
  };
  return chooseSets({ ...usual, ...facts }, most, memoryMB).map(({ modules }) => modules.join("+"));
}
const importMs = (times: { readonly [libraries: string]: number }): ReadonlyMap<string, number> =>
  new Map(Object.entries(times).map(([libraries, ms]) => [base(libraries), ms]));

describe("the choice of library sets", () => {
  it("is none where nobody asks, or hardly anybody", () => {
    expect(chosen({})).to.deep.equal([]);
    expect(chosen({ asked: [asked("numpy", 3)] })).to.deep.equal([]);
  });

  it("tries what is asked for often enough, without knowing what its import takes", () => {
    expect(chosen({ asked: [asked("numpy", 4)] })).to.deep.equal(["numpy"]);
  });

  it("gives up what was tried and takes nearly no time to import", () => {
    expect(chosen({ asked: [asked("json", 1000)], importMs: importMs({ json: 0.1 }) })).to.deep.equal([]);
  });

  it("is those that spare most: how often, times the import", () => {
    const often = { asked: [asked("a", 100), asked("b", 20), asked("c", 10)] };
    const times = { importMs: importMs({ a: 10, b: 400, c: 300 }) };
    expect(chosen({ ...often, ...times })).to.deep.equal(["b", "c"]);
    expect(chosen({ ...often, ...times }, 3)).to.deep.equal(["b", "c", "a"]);
    expect(chosen({ ...often, ...times }, 0)).to.deep.equal([]);
  });

  it("is the small set alone where the large one that extends it spares little more", () => {
    const facts = {
      asked: [asked("numpy", 100), asked("numpy+x", 100)],
      importMs: importMs({ numpy: 200, "numpy+x": 201 }),
    };
    expect(chosen(facts)).to.deep.equal(["numpy"]);
  });

  it("is both where enough ask for each", () => {
    const facts = {
      asked: [asked("numpy", 100), asked("numpy+pandas", 100)],
      importMs: importMs({ numpy: 200, "numpy+pandas": 800 }),
    };
    expect(chosen(facts)).to.deep.equal(["numpy+pandas", "numpy"]);
  });

  it("leaves out what cannot be had", () => {
    const isRefused = (one: string): boolean => one === base("a");
    expect(chosen({ asked: [asked("a", 100), asked("b", 10)], isRefused })).to.deep.equal(["b"]);
  });

  it("counts what the operator has given, and does not choose it again", () => {
    const facts = { asked: [asked("numpy", 100), asked("numpy+x", 10)], given: [given("numpy")] };
    expect(chosen({ ...facts, importMs: importMs({ numpy: 200, "numpy+x": 210 }) })).to.deep.equal([]);
    expect(chosen({ ...facts, importMs: importMs({ numpy: 200, "numpy+x": 900 }) })).to.deep.equal([
      "numpy+x",
    ]);
  });

  it("keeps what is there unless another one spares half as much again", () => {
    const facts = (times: number) => ({
      ...{ asked: [asked("a", 10), asked("b", times)], importMs: importMs({ a: 100, b: 100 }) },
      held: new Set([base("a")]),
    });
    expect(chosen(facts(14), 1)).to.deep.equal(["a"]);
    expect(chosen(facts(16), 1)).to.deep.equal(["b"]);
  });

  it("is made for each kind by what is asked for there", () => {
    const other = { ...asked("numpy", 2), kind: "python:3.12", base: "python:3.12 with numpy" };
    expect(chosen({ asked: [asked("numpy", 2), other] })).to.deep.equal([]);
  });
});

describe("the work of the choice", () => {
  it("looks once whether each set serves each who asks, however many are chosen", () => {
    let looked = 0;
    class Names extends Set<string> {
      override has(name: string): boolean {
        looked++;
        return super.has(name);
      }
    }
    const all = Array.from({ length: 100 }, (_, i) => {
      const names = Array.from({ length: 20 }, (_, j) => `${"m".repeat(90)}${j === 19 ? `x${i}` : j}`);
      return { ...asked(names.join("+"), 100), modules: new Names(names) };
    });
    expect(chosen({ asked: all }, 50)).to.have.lengthOf(50);
    expect(looked).to.be.at.most(100 * 100 * 20);
  });
});

describe("what has been asked for", () => {
  it("counts for half after ten minutes, whatever the order of the modules", () => {
    const demand = new Demand();
    demand.note(kind, ["pandas", "numpy"], 0);
    demand.note(kind, ["numpy", "pandas", "numpy"], 0);
    expect(demand.of(0)).to.deep.equal([asked("numpy+pandas", 2)]);
    expect(demand.of(600_000)).to.deep.equal([asked("numpy+pandas", 1)]);
    demand.note(kind, ["numpy", "pandas"], 600_000);
    expect(demand.of(600_000)).to.deep.equal([asked("numpy+pandas", 2)]);
  });

  it("leaves out who imports nothing, more than anybody does, or files of its own", () => {
    const demand = new Demand();
    demand.note(kind, [], 0);
    demand.note(
      kind,
      Array.from({ length: 21 }, (_, i) => `m${i}`),
      0,
    );
    for (const odd of ["./a", "/a", "a/../b", "a+b", "", "..", "@a", "a b"])
      demand.note(kind, ["json", odd], 0);
    expect(demand.of(0)).to.deep.equal([]);
    demand.note("nodejs:20", ["@a/b/c.js", "d.e-f"], 0);
    expect(demand.of(0)).to.have.lengthOf(1);
  });

  it("forgets what counts least where there is too much", () => {
    const demand = new Demand();
    demand.note(kind, ["old"], 0);
    for (let i = 0; i < 100; i++) demand.note(kind, [`m${i}`], 1000);
    const names = demand.of(1000).map(({ modules }) => [...modules].join());
    expect(names).to.have.lengthOf(100);
    expect(names).to.not.include("old");
  });

  it("is learnt however many others are asked for once each", () => {
    const demand = new Demand();
    for (let i = 0; i < 2000; i++) {
      demand.note(kind, [`m${i}`], i);
      if (i % 20 === 0) demand.note(kind, ["numpy"], i);
    }
    const found = demand.of(2000);
    expect(found.find(({ base: one }) => one === base("numpy"))?.times).to.be.above(50);
    expect(chosen({ asked: found })).to.deep.equal(["numpy"]);
  });

  it("leaves out names that nobody gives a module for good", () => {
    const demand = new Demand();
    demand.note(kind, ["m".repeat(101)], 0);
    expect(demand.of(0)).to.deep.equal([]);
  });
});
