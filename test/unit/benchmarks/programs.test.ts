// Which languages the benchmarks run, and that each action that they make is a new one.

import { expect } from "chai";
import { families, familiesOf, kindOf, sizes } from "../../../benchmarks/programs.ts";

describe("the programs of the benchmarks", () => {
  it("are new ones for each number, in every language and size", () => {
    for (const family of families) {
      for (const program of Object.values(sizes)) {
        expect(program(family, 1)).to.equal(program(family, 1));
        expect(program(family, 1)).not.to.equal(program(family, 2));
      }
    }
  });

  it("are run in the languages of this machine, and the others are told of", () => {
    const said: string[] = [];
    const say = (line: string): void => void said.push(line);
    expect(familiesOf(Object.values(kindOf), say)).to.deep.equal(["nodejs", "python", "ruby"]);
    expect(said).to.deep.equal([]);
    expect(familiesOf(["nodejs:20", "python:3", "python:3.11"], say)).to.deep.equal(["nodejs", "python"]);
    expect(said).to.deep.equal(["ruby is left out: there is no ruby:3 on this machine"]);
  });
});
