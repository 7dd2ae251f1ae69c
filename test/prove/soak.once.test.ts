// The soak run in its shortest form, and that its verdict notices growth.

import { expect } from "chai";
import { soak } from "./soak.ts";
import { complaints, growth, type SoakReport, table } from "./soak-verdict.ts";

const rewinds = 1000;

/** 51 samples that begin with 1000 and end higher by `risen`. */
function rising(name: string, risen: number): { readonly name: string; readonly values: number[] } {
  return { name, values: Array.from({ length: 51 }, (_, i) => 1000 + Math.round((risen * i) / 50)) };
}

const flat: SoakReport = { rewinds: 10, tookMs: 1, taints: [], columns: [rising("nodejs: RSS kB", 0)] };

describe("the verdict of a soak run", () => {
  it("lets pass what is flat, and what shrinks", () => {
    expect(complaints(flat)).to.deep.equal([]);
    expect(growth(rising("python: mappings", -100))).to.equal(undefined);
  });

  it("does not let pass a single descriptor, mapping or thread of a container", () => {
    for (const name of ["nodejs: descriptors", "python: mappings", "nodejs: threads", "invoker: descriptors"])
      expect(growth(rising(name, 2)), name).to.include(name);
  });

  it("does not let pass memory that grows, nor activations that get slower", () => {
    for (const name of ["invoker: RSS kB", "invoker: heap kB", "nodejs: cgroup kB", "python: page tables kB"])
      expect(growth(rising(name, 20_000)), name).to.include(name);
    expect(growth(rising("python: answer ms", 1000))).to.include("python: answer ms");
  });

  it("does not let pass a replaced container", () => {
    expect(complaints({ ...flat, taints: ["survivor: one"] })).to.deep.equal([
      "a container was replaced: survivor: one",
    ]);
  });
});

describe("a soak run", () => {
  it("rewinds one container of each runtime, and measures them and the invoker", async () => {
    const report = await soak({ progress: (made) => made / rewinds, verifyOneIn: 256 });
    expect(report.taints).to.deep.equal([]);
    expect(report.rewinds).to.be.at.least(rewinds);
    for (const { name, values } of report.columns)
      expect(
        values.slice(1).every((value) => value > 0),
        name,
      ).to.equal(true);
    for (const of of ["invoker", "nodejs", "python"])
      expect(table(report)).to.match(new RegExp(`^${of}: RSS kB +[0-9]+`, "m"));
  }).timeout(120_000);
});
