// The tables of docs/EVALUATION.md: from figures to text, and into the page.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { type Figure, fromSamples, geometricMean, ratio } from "../../../benchmarks/figures.ts";
import { type Claim, claims, unfound } from "../../../benchmarks/published/claims.ts";
import {
  claimsTable,
  numberText,
  pivot,
  type Run,
  sections,
  verdict,
  withSections,
} from "../../../benchmarks/published/document.ts";
import { evaluated } from "../../../benchmarks/published/evaluate.ts";
import { summary } from "../../../benchmarks/published/isolation.ts";
import { projectFolder } from "../../../invoker/index.ts";

const bench = "isolation";
const ms = (figure: string, ...samples: readonly number[]): Figure =>
  fromSamples({ bench, figure, unit: "ms" }, samples);

describe("a geometric mean", () => {
  it("takes halving and doubling for nothing", () => {
    expect(geometricMean([0.5, 2])).to.be.closeTo(1, 1e-12);
    expect(geometricMean([2, 8])).to.be.closeTo(4, 1e-12);
  });
});

describe("a table of an evaluation", () => {
  it("has a line for each program, a column for each policy, and how many were measured", () => {
    const figures = [
      ms("a | reused", 1, 2, 3),
      ms("a | fresh", 100),
      ratio({ bench, figure: "a | fresh ÷ reused" }, [100], [2]),
      ms("b | reused", 4, 4, 4),
    ];
    expect(pivot("program", figures).split("\n")).to.deep.equal([
      "| program | reused | fresh | fresh ÷ reused | n |",
      "| --- | --- | --- | --- | --- |",
      "| a | 2.00 / 3.00 / 3.00 | 100 / 100 / 100 | 50.0 | 3, 1 |",
      "| b | 4.00 / 4.00 / 4.00 |  |  | 3 |",
    ]);
  });

  it("shows a figure that is none as a dash", () => {
    expect(numberText(Number.NaN)).to.equal("–");
    expect([1234.5, 12.34, 1.234, 0.01234].map(numberText)).to.deep.equal(["1235", "12.3", "1.23", "0.012"]);
  });

  it("has the means of a suite over its own programs alone", () => {
    const column = "rewound ÷ reused";
    const figures = ["x: a", "x: b", "y: c"].map((row, i) =>
      ratio({ bench, figure: `${row} | ${column}` }, [2 * 4 ** i], [1]),
    );
    const found = summary(figures, "x", (row) => row.startsWith("x: "));
    expect(found.map(({ figure, n }) => [figure, n])).to.deep.equal([
      [`x, geometric mean | ${column}`, 2],
      [`x, over programs | ${column}`, 2],
    ]);
    expect(found[0]?.value).to.be.closeTo(4, 1e-12);
    expect(found[1]).to.include({ p50: 2, p95: 8 });
  });
});

describe("what stands beside a published figure", () => {
  const claim: Claim = {
    ...{ system: "SOCK", published: "10 ms", place: "sock", here: "ours", from: [bench], unit: "ms" },
    ours: () => 5,
    theirs: { value: 10, better: "less" },
  };

  it("says better or worse, and by how much", () => {
    expect(verdict(claim, 5)).to.equal("better, 2.00 times");
    expect(verdict(claim, 40)).to.equal("**worse**, 4.00 times");
    expect(verdict({ ...claim, theirs: { value: 10, better: "more" } }, 40)).to.equal("better, 4.00 times");
    expect(verdict({ ...claim, unit: "%" }, 12)).to.equal("**worse** by 2.00 points");
  });

  it("says not yet of what is not built, and nothing of what was not measured", () => {
    expect(verdict({ ...claim, notYet: true }, 40)).to.equal("not yet; **worse**, 4.00 times");
    expect(verdict({ ...claim, notYet: true }, undefined)).to.equal("not yet");
    expect(verdict(claim, undefined)).to.equal("not measured");
  });

  it("is there for every claim, whatever has been measured", () => {
    expect(claimsTable({}).split("\n")).to.have.length(claims.length + 2);
  });

  it("is missed where its benchmark has been run without it", () => {
    expect(unfound({})).to.be.empty;
    const missed = unfound({ rewind: [ms("nodejs tiny", 1)] });
    expect(missed.map(({ here }) => here)).to.deep.equal(["one rewind after a tiny Python action, p50"]);
  });

  it("comes from benchmarks that the evaluation runs", () => {
    expect(
      claims.flatMap(({ from }) => from).filter((name) => !(evaluated as readonly string[]).includes(name)),
    ).to.be.empty;
  });
});

describe("the page of an evaluation", () => {
  const run: Run = {
    date: "2026-01-02T03:04:05Z",
    machine: "a machine",
    load: 0.25,
    stolen: 0.034,
    figures: [ms("a | b", 1)],
  };

  it("keeps what is written by hand, and its tables are replaced", () => {
    const page = "before\n<!-- figures: x -->\n\nold\n\n<!-- end: x -->\nafter\n";
    const once = withSections(page, new Map([["x", "new"]]));
    expect(once).to.equal("before\n<!-- figures: x -->\n\nnew\n\n<!-- end: x -->\nafter\n");
    expect(withSections(once, new Map([["x", "new"]]))).to.equal(once);
  });

  it("refuses a table that it has no place for", () => {
    expect(() => withSections("", new Map([["x", ""]]))).to.throw("no place for x");
  });

  it("has a place for every benchmark of the evaluation, and for the comparison", () => {
    const page = readFileSync(join(projectFolder(), "docs", "EVALUATION.md"), "utf8");
    const texts = sections(Object.fromEntries(evaluated.map((name) => [name, run])));
    expect([...texts.keys()]).to.deep.equal(["summary", ...evaluated]);
    expect(withSections(page, texts)).to.include("Measured 2026-01-02 on a machine, by");
  });
});
