// Each step of a rewind is missed by a promise where it is left out.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";

const prove = fileURLToPath(new URL("../../../../test/prove.mjs", import.meta.url));

describe("a step of the rewind that is left out", () => {
  it("is missed by a promise that names it", async () => {
    // In a process of its own, which has the test build of the library. It fails where nothing notices.
    const run = promisify(execFile)(process.execPath, [prove, "--without-each"]);
    const { code, stdout, stderr } = await run.then(
      ({ stdout }) => ({ code: 0, stdout, stderr: "" }),
      (failure: { code: number; stdout: string; stderr: string }) => failure,
    );
    expect(stdout.split("\n").filter((line) => line.includes("NOT MISSED"))).to.deep.equal([]);
    expect(code, stderr).to.equal(0);
  }).timeout(600_000);
});
