// Which kind of a language two endpoints are compared with, and which steps a comparison has.

import { expect } from "chai";
import { padded } from "../../benchmarks/compare/actions.ts";
import { parts } from "../../benchmarks/compare/call.ts";
import { commonKind, isOffered } from "../../benchmarks/compare/inspect.ts";
import { Progress } from "../../benchmarks/compare/progress.ts";
import { stepsOf, stepsUpTo } from "../../benchmarks/compare/workloads.ts";
import { families } from "../../benchmarks/programs.ts";

const offer = (...kinds: readonly string[]): readonly { kind: string; isDefault: boolean }[] =>
  kinds.map((text) => ({ kind: text.replace("*", ""), isDefault: text.endsWith("*") }));

describe("what is compared", () => {
  it("is stock's default kind of a language where rewhisk has it too", () => {
    expect(commonKind("nodejs", offer("nodejs:18", "nodejs:20*"), offer("nodejs:20", "nodejs:24*"))).to.equal(
      "nodejs:20",
    );
  });

  it("is the last that both have where they do not have the default one in common", () => {
    const stock = offer("python:3.9", "python:3.10", "python:3.11", "python:3.12*");
    expect(commonKind("python", stock, offer("python:3.10", "python:3.11"))).to.equal("python:3.11");
  });

  it("is no kind of a language that they do not have in common", () => {
    expect(commonKind("python", offer("python:3"), offer("python:3.11", "nodejs:20"))).to.equal(undefined);
  });

  it("is whatever a side takes as its default where one does not tell its kinds", () => {
    expect(commonKind("python", undefined, offer("python:3"))).to.equal("python:default");
  });

  it("is a default only where a side has that language, as far as it tells", () => {
    expect(isOffered("nodejs:default", offer("python:3*"))).to.equal(false);
    expect(isOffered("nodejs:default", offer("nodejs:20"))).to.equal(true);
    expect(isOffered("nodejs:default", undefined)).to.equal(true);
    expect(isOffered("nodejs:18", offer("nodejs:20*"))).to.equal(false);
  });

  it("has a step for each part and kind, but one check alone", () => {
    const plan = {
      ...{ parts, calls: 1, actions: 1, sizes: [], packages: [], inFlight: 1, burst: 1, passes: 1 },
      ...{ passMs: 1, seed: 1 },
    };
    const titles = stepsOf(plan, ["nodejs:20", "python:3"]).map(({ title }) => title);
    expect(titles.length).to.equal(2 * parts.length - 1);
    expect(titles.slice(0, 3)).to.deep.equal([
      ...["this tool beside a bare client, nodejs:20", "first calls, nodejs:20", "first calls, python:3"],
    ]);
  });

  it("goes up to the wished number of actions in steps of four", () => {
    expect(stepsUpTo(100)).to.deep.equal([1, 4, 16, 64, 100]);
    expect(stepsUpTo(16)).to.deep.equal([1, 4, 16]);
    expect(stepsUpTo(1)).to.deep.equal([1]);
  });

  it("has code of the wished size, and the same for both sides", () => {
    for (const family of families) {
      expect(padded(family, 3, 10_000).length).to.be.within(9_990, 10_010);
      expect(padded(family, 3, 10_000)).to.equal(padded(family, 3, 10_000));
      expect(padded(family, 3, 10_000)).not.to.equal(padded(family, 4, 10_000));
    }
  });
});

describe("the progress of a comparison", () => {
  it("is one line on a terminal, which a message of its own replaces", () => {
    const written: string[] = [];
    const progress = new Progress({ write: (text) => void written.push(text), isTerminal: true });
    progress.begin("1 of 2, first calls", 10);
    progress.say("stop");
    const overwrite = "\r\u001b[K";
    expect(written[0]).to.match(/1 of 2, first calls: 0 of 10 calls, \d+ s since the start$/);
    expect(written.every((text) => text.startsWith(overwrite))).to.equal(true);
    expect(written[1]).to.equal(`${overwrite}stop\n`);
  });

  it("is a line for each step elsewhere", () => {
    const written: string[] = [];
    const progress = new Progress({ write: (text) => void written.push(text), isTerminal: false });
    progress.begin("1 of 2, first calls");
    for (let i = 0; i < 100; i++) progress.step();
    progress.begin("2 of 2, calls again");
    expect(written.map((line) => line.split(":")[0])).to.deep.equal([
      "1 of 2, first calls",
      "2 of 2, calls again",
    ]);
    expect(written.every((line) => line.endsWith("\n"))).to.equal(true);
  });
});
