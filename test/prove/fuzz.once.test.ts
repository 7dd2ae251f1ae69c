// The fuzzer: its steps, its shortest form, its kept cases, and that it finds what it is for.

import { readdirSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { families } from "../corpus.ts";
import { type FuzzCase, fuzz, runCase } from "./fuzz.ts";
import { fuzzBoth } from "./fuzz-both.ts";
import { type FuzzProgram, Repertoire } from "./fuzz-program.ts";
import { type FuzzGround, FuzzRun } from "./fuzz-run.ts";
import { shrink } from "./fuzz-shrink.ts";
import { bothAtOnce, ignoringDraws, placeCalled } from "./places.ts";
import { proveFolder } from "./promises.ts";

const regressions = `${proveFolder}regressions/`;
const seed = 4;
const activations = 150;
const activationsElsewhere = 20;
const numbers = [3, 5] as const;

describe("the fuzzer", () => {
  it("draws the same program from the same seed and number, and others from others", () => {
    const repertoire = new Repertoire("python");
    const draw = (of: number): string => JSON.stringify([1, 2, 3].map((index) => repertoire.draw(of, index)));
    expect(draw(1)).to.equal(draw(1));
    expect(draw(1)).not.to.equal(draw(2));
  });

  it("shrinks to the steps that matter, in their programs and their order, with the smallest numbers", async () => {
    const programs: readonly FuzzProgram[] = [
      [
        ["a", 9, 9],
        ["b", 100, 7],
        ["c", 1, 1],
      ],
      [
        ["d", 2, 2],
        ["e", 3, 3],
      ],
      [
        ["f", 4, 4],
        ["g", 5, 900],
        ["h", 6, 6],
      ],
    ];
    const shows = (tried: readonly FuzzProgram[]): Promise<boolean> => {
      const calls = tried.flatMap((program, at) => program.map(([name, n, m]) => ({ at, name, n, m })));
      const b = calls.find(({ name }) => name === "b");
      const g = calls.find(({ name }) => name === "g");
      return Promise.resolve(b !== undefined && g !== undefined && b.at < g.at && b.n >= 50 && g.m > 100);
    };
    expect(await shrink(programs, shows)).to.deep.equal([[["b", 50, 0]], [["g", 0, 450]]]);
  });

  for (const family of families) {
    it(`has enough steps for ${family}, each of which does what it says`, async function () {
      this.timeout(120_000);
      const run = await FuzzRun.start(family, `steps-${family}`);
      const complaints: string[] = [];
      try {
        const { steps } = run.repertoire;
        expect(steps.length).to.be.at.least(60);
        for (const { name, isRefused } of steps) {
          const { difference, unanswered, said = [], replaced } = await run.judge([[name, ...numbers]]);
          const word = said[0];
          for (const found of [difference, unanswered])
            if (found !== undefined) complaints.push(`${name}: ${found}`);
          if (replaced === undefined && word !== undefined && (word === "done") === isRefused)
            complaints.push(`${name}: ${word}`);
        }
      } finally {
        await run.stop();
      }
      expect(complaints).to.deep.equal([]);
    });
  }

  for (const [where, options] of Object.entries({
    "": { activations },
    [` ${bothAtOnce}`]: { activations: activationsElsewhere, place: bothAtOnce },
  }))
    it(`finds nothing different after ${options.activations} activations of each family${where}`, async function () {
      this.timeout(120_000 * families.length);
      const reports = await fuzzBoth({ seed, ...options });
      for (const { differences } of reports) expect(differences).to.deep.equal([]);
      expect(reports.map(({ family }) => family)).to.deep.equal(families);
    });

  for (const name of readdirSync(regressions)) {
    const { family, found, programs } = JSON.parse(readFileSync(regressions + name, "utf8")) as FuzzCase;
    it(`does not find again ${name}: ${found}`, async () => {
      expect(await runCase(family, programs)).to.equal(undefined);
    });
  }

  it("finds what is left at an action checkpoint where no files are removed", async function () {
    this.timeout(120_000);
    const { change = (machine) => machine, ...place } = ignoringDraws(placeCalled(bothAtOnce));
    const ground: FuzzGround = {
      ...place,
      change: (machine) => ({ ...change(machine), leftOut: "empty-scratch" }),
    };
    const blind = { family: "python", name: "blind-level", mostDifferences: 1 } as const;
    const { differences } = await fuzz({ ...blind, seed, activations, ground });
    expect(differences[0]?.found).to.match(/^report\.files/);
  });

  for (const family of families) {
    it(`finds what ${family} leaves where no files are removed, and names the step`, async function () {
      this.timeout(120_000);
      const ground: FuzzGround = { change: (machine) => ({ ...machine, leftOut: "empty-scratch" }) };
      const name = `blind-${family}`;
      const { differences } = await fuzz({ family, seed, activations, mostDifferences: 1, ground, name });
      const [{ found, programs } = { found: "nothing", programs: [] }] = differences;
      expect(found).to.match(/^report\.files/);
      expect(programs.flat()).to.have.length(1);
      expect(await runCase(family, programs)).to.equal(undefined);
    });
  }
});
