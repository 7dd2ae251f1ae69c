// From what containers are booted, for how long, and that a kind which cannot be booted is started.

import { expect } from "chai";
import { LeanError } from "../../../pool/index.ts";
import type { Checkpoint } from "../../../pool/machine.ts";
import { Templates } from "../../../pool/templates.ts";
import { RestorerError, type Template } from "../../../restorer/index.ts";

const kind = "python:3";
const ageBeforeRetirementMs = 4000;

/** A checkpoint that counts how many of its templates are kept. */
function counting(): { readonly checkpoint: Checkpoint; readonly kept: () => number } {
  let kept = 0;
  const template = (): Template => {
    kept++;
    return { release: () => kept-- } as unknown as Template;
  };
  const rewind = (): never => {
    throw new Error("not asked for");
  };
  return {
    checkpoint: {
      ...{ summary: { threads: 1, pages: 1 }, level: undefined, takeLevel: rewind },
      ...{ rewind, release: () => undefined, template },
    },
    kept: () => kept,
  };
}

describe("templates", () => {
  let nowMs = 0;
  let templates: Templates;

  beforeEach(() => {
    nowMs = 0;
    templates = new Templates({ nowMs: () => nowMs }, { ageBeforeRetirementMs });
  });

  it("are of the first started container of a kind", () => {
    const [first, second] = [counting(), counting()];
    expect(templates.bootOf(kind)).to.equal(undefined);
    templates.offer(kind, first.checkpoint);
    templates.offer(kind, second.checkpoint);
    expect(templates.bootOf(kind)).to.be.a("function");
    expect(templates.bootOf("nodejs:20")).to.equal(undefined);
    expect([first.kept(), second.kept()]).to.deep.equal([1, 0]);
  });

  it("are renewed after a quarter of the age that containers may reach", () => {
    const [first, second] = [counting(), counting()];
    templates.offer(kind, first.checkpoint);
    nowMs = ageBeforeRetirementMs / 4;
    expect(templates.bootOf(kind)).to.be.a("function");
    nowMs++;
    expect(templates.bootOf(kind)).to.equal(undefined);
    templates.offer(kind, second.checkpoint);
    expect(templates.bootOf(kind)).to.be.a("function");
    expect([first.kept(), second.kept()]).to.deep.equal([0, 1]);
  });

  it("are given up where the boot itself has failed, and then only", () => {
    const { checkpoint, kept } = counting();
    templates.offer(kind, checkpoint);
    expect(templates.hasFailed(kind, new LeanError("start", "no cgroup"))).to.equal(false);
    const killed = new RestorerError("process-gone", "killed", false);
    expect(templates.hasFailed(kind, new LeanError("start", "killed", { cause: killed }))).to.equal(true);
    expect(kept()).to.equal(1);
    const cause = new RestorerError("unsupported", "a socket", false);
    expect(templates.hasFailed(kind, new LeanError("start", "not booted", { cause }))).to.equal(true);
    templates.offer(kind, checkpoint);
    expect(templates.bootOf(kind)).to.equal(undefined);
    expect(kept()).to.equal(0);
  });

  it("are freed at the end, and none is taken any more", () => {
    const { checkpoint, kept } = counting();
    templates.offer(kind, checkpoint);
    templates.close();
    templates.offer(kind, checkpoint);
    expect(kept()).to.equal(0);
    expect(templates.bootOf(kind)).to.equal(undefined);
  });
});
