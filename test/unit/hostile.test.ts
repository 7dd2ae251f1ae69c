// The table of hostile actions is sound: code for each, an answer for each, and an observer that names what varies.
import { existsSync, readFileSync } from "node:fs";
import { expect } from "chai";
import {
  comparableReport,
  differences,
  hostileComplaint,
  loadHostile,
  loadObserver,
  MARKER,
} from "../hostile.ts";

describe("the hostile actions", () => {
  const actions = loadHostile();

  it("have distinct names, code that exists and at least one answer each", () => {
    expect(new Set(actions.map(({ id }) => id)).size).to.equal(actions.length);
    for (const { id, file, expect: answers } of actions) {
      expect(existsSync(file), `${file}: run node test/actions/build.mjs`).to.equal(true);
      expect(answers, id).not.to.be.empty;
    }
  });

  it("refuse an answer that is not in the table", () => {
    const loops = actions.find(({ id }) => id === "python/loops-for-ever");
    if (loops === undefined) throw new Error("python/loops-for-ever is gone");
    const late = "The action exceeded its time limits of 3000 milliseconds.";
    expect(hostileComplaint(loops, { status: "developer error", result: { error: late } })).to.equal(
      undefined,
    );
    for (const [status, result] of [
      ["application error", { error: late }],
      ["developer error", { error: late.replace("3000", "3001") }],
      ["success", {}],
    ] as const) {
      expect(hostileComplaint(loops, { status, result })).to.be.a("string");
    }
  });

  it("are looked after by observers that hold no copy of the marker they look for", () => {
    for (const family of ["nodejs", "python"] as const) {
      const source = readFileSync(loadObserver(family).file, "utf8");
      expect(source).not.to.include(MARKER);
      expect(source).to.include([...MARKER].reverse().join(""));
    }
  });

  it("are told apart by where two reports differ, but for the fields that vary", () => {
    const observer = { family: "python" as const, file: "", varies: ["process.user"] };
    const fresh = { process: { user: [1], cwd: "/" }, threads: ["a"] };
    const used = { process: { user: [2], cwd: "/tmp" }, threads: ["a", "b"] };
    expect(differences(comparableReport(observer, fresh), comparableReport(observer, used))).to.deep.equal([
      'report.process.cwd: "/" became "/tmp"',
      'report.threads: [] became ["b"]',
    ]);
    expect(differences(fresh, structuredClone(fresh))).to.deep.equal([]);
  });
});
