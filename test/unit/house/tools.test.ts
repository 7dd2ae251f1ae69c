// What the project's own tools say to who asks for help, or for something else than there is.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import { projectFolder } from "../../../invoker/config/entries.ts";

function run(tool: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(projectFolder(), "test", tool), ...args], { encoding: "utf8" });
}

describe("the project's own tools", () => {
  for (const [tool, line] of [
    ["prove.mjs", "  npm run prove -- --without STEP     must fail, naming the row that noticed"],
    ["soak.mjs", "  npm run soak -- [--rewinds N | --minutes N] [--verify-one-in N] [--json FILE]"],
    [
      "chaos.mjs",
      "  npm run chaos -- [--minutes N] [--seed N] [--logs FOLDER]     0 minutes: every kind of fault once",
    ],
    [
      "../benchmarks/evaluate.mjs",
      "  npm run evaluate                     all benchmarks in turn: well over half an hour",
    ],
  ] as const)
    it(`tell how they are called: ${tool}`, () => {
      const { status, stdout } = run(tool, "--help");
      expect(status).to.equal(0);
      expect(stdout.split("\n")).to.include(line);
    });

  it("name what is wrong with how they are called", () => {
    const unknown = run("soak.mjs", "--rewound", "7");
    expect([unknown.status, unknown.stderr]).to.deep.equal([2, "Unknown option '--rewound'; see --help\n"]);
    const negative = run("soak.mjs", "--rewinds", "-7");
    expect(negative.status).to.equal(2);
    const none = run("soak.mjs", "--rewinds=none");
    expect([none.status, none.stderr]).to.deep.equal([
      2,
      "--rewinds none: a number above zero; see --help\n",
    ]);
  });
});
