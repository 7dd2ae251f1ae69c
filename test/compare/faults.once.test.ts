// Comparisons that do not come to their end: what is refused, what hangs, and that nobody takes them for complete.

import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { type Comparing, isSound } from "../../benchmarks/compare/summary.ts";
import { within } from "../within.ts";
import { kind, limitMs, Setting, texts } from "./setting.ts";

const otherKey = { status: 401, body: { error: "The supplied authentication is invalid", code: "x" } };
const leftPackage = "rewhisk-compare-stock-1";

describe("a comparison that is not complete", function () {
  this.timeout(limitMs);
  const setting = Setting.inDescribe();

  it("is partial and exits with 1 where actions are refused", async () => {
    const { child, output } = setting.start(
      ...["--memory", "100000", "--parts", "first,warm", "--report", "refused.html"],
    );
    const [code] = await once(child, "close");
    expect(code, output()).to.equal(1);
    expect(output()).to.contain("Partial report: 2 of 2 steps are not complete.");
    expect(output()).to.match(/“first calls, nodejs:\d+”: \w+ refused: The action .* cannot be created: 400/);
    const found = JSON.parse(readFileSync(join(setting.folder, "refused.json"), "utf8"));
    expect(found.isSound).to.equal(false);
    expect(found.ending.kind).to.equal("incomplete");
    expect(found.ending.steps.map(({ during }: { during: string }) => during)).to.deep.equal([
      ...[`first calls, ${kind}`, `calls again, ${kind}`],
    ]);
    expect(found.alerts[0].level).to.equal("bad");
  });

  it("ends where a side does not take the key any more", async () => {
    const { front } = setting;
    front.rule = () => (front.invocations > 2 ? otherKey : "pass");
    const comparing = await setting.run(setting.options("--parts", "first,warm"));
    expect(comparing.ending).to.include({ kind: "lost", side: "stock", during: `first calls, ${kind}` });
    expect(texts(comparing)).to.match(
      /^Partial report: stock failed .* does not take the key any more \(401/,
    );
    await setting.removeLeft();
  });

  it("ends where an action is not created for want of a key", async () => {
    const { front } = setting;
    // After the last call of the first step.
    front.rule = (method) => (method === "PUT" && front.invocations === 3 ? otherKey : "pass");
    const comparing = await setting.run(setting.options("--parts", "first,warm"));
    expect(comparing.ending).to.include({ kind: "lost", side: "stock", during: `calls again, ${kind}` });
  });

  it("is partial where no call of a step succeeded on a side", async () => {
    setting.front.fate = (_number, action) => (action.startsWith("warm-") ? "cut" : "pass");
    const comparing = await setting.run(setting.options("--parts", "first,warm"));
    expect(isSound(comparing)).to.equal(false);
    expect(texts(comparing)).to.contain(
      `Partial report: 1 of 2 steps are not complete. “calls again, ${kind}”: no call of stock succeeded`,
    );
  });

  it("gives up an endpoint that hangs after its patience, and removes no longer than that", async () => {
    const { front } = setting;
    front.fate = (number) => (number === 1 ? "pass" : "cut");
    front.rule = (method) => (method !== "POST" && front.invocations > 1 ? "hold" : "pass");
    const reports: (readonly string[])[] = [];
    const report = ({ ledger }: Comparing): void => {
      reports.push([...ledger.notes]);
    };
    const comparing = await setting.run(setting.options("--parts", "first", "--patience", "1"), { report });
    expect(comparing.ending).to.include({ kind: "lost", side: "stock" });
    expect(texts(comparing)).to.contain("(nothing came for 5 s)");
    // Written before anything is removed, and without what came of that.
    expect(reports).to.deep.equal([[]]);
    expect(comparing.ledger.notes.join()).to.contain(`of the package ${leftPackage} are left in stock`);
    await setting.removeLeft();
  });

  it("has its report at Ctrl-C while an endpoint hangs, before anything is removed", async () => {
    const { front } = setting;
    front.rule = () => (front.invocations > 2 ? "hold" : "pass");
    const { child, output } = setting.start(...["--parts", "first", "--report", "hung.html"]);
    const closed = once(child, "close");
    try {
      await within(limitMs, () => front.held > 0 || child.exitCode !== null || undefined);
      const heldBefore = front.held;
      child.kill("SIGINT");
      // What is removed is asked for, and waits.
      await within(limitMs, () => front.held > heldBefore || child.exitCode !== null || undefined);
      expect(child.exitCode, output()).to.equal(null);
      expect(readFileSync(join(setting.folder, "hung.html"), "utf8")).to.contain("it was interrupted");
      expect(existsSync(join(setting.folder, "hung.json"))).to.equal(true);
    } finally {
      child.kill("SIGKILL");
      await closed;
      await setting.removeLeft();
    }
  });

  it("has its report at Ctrl-C while the creation of actions hangs", async () => {
    const { front } = setting;
    // After the last call of the first step.
    front.rule = (method) => (method === "PUT" && front.invocations === 3 ? "hold" : "pass");
    const interrupt = new AbortController();
    let reported: Comparing["ending"] | undefined;
    const running = setting.run(setting.options("--parts", "first,warm", "--patience", "1"), {
      signal: interrupt.signal,
      report: ({ ending }) => {
        reported = ending;
      },
    });
    await within(limitMs, () => front.held > 0 || undefined);
    interrupt.abort(new Error("SIGINT"));
    await running;
    expect(reported).to.deep.include({ kind: "interrupted" });
  });
});
