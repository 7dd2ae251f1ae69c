// Both sides on this machine: rewhisk beside the same controller with every action in a Docker container as stock has it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Row } from "../../benchmarks/compare/statistics.ts";
import { projectFolder } from "../../invoker/config/entries.ts";

const limitMs = 300_000;

describe("npm run compare -- --here", function () {
  this.timeout(limitMs);

  it("starts both sides, finds their results equal, and ends them", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rewhisk-here-test-"));
    try {
      const script = join(projectFolder(), "benchmarks", "compare", "run.mjs");
      const few = ["--calls", "2", "--parts", "first,warm", "--gap", "0", "--report", join(folder, "r.html")];
      const child = spawn(process.execPath, [script, "--here", ...few], {
        ...{ cwd: folder, env: { ...process.env, TMPDIR: folder }, stdio: ["ignore", "pipe", "pipe"] },
      });
      let output = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
          output += text;
        });
      }
      const [code] = await once(child, "close");
      expect(code, output).to.equal(0);
      const found = JSON.parse(readFileSync(join(folder, "r.json"), "utf8"));
      expect(found).to.deep.include({ isSound: true, compared: 8, alerts: [] });
      expect(found.facts.stock.build).to.contain("in a Docker container");
      // A container of Docker's keeps the action that it was made for.
      const inits = (part: string): readonly unknown[] =>
        found.figures
          .filter((row: Row & { part: string }) => row.part === part && row.measure === "init")
          .map(({ spreads }: Row) => spreads.stock?.n);
      expect(inits("first")).to.deep.equal([2, 2]);
      expect(inits("warm").filter((count) => count !== undefined)).to.deep.equal([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
