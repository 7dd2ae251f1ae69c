// Machines that lack something, and machines that run out of something: what is said, and that nothing is wrongly called clean.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { probe } from "../../restorer/index.ts";
import { instanceName } from "./instance.ts";
import { RealInvoker } from "./real-invoker.ts";
import { StandaloneProgram } from "./standalone-program.ts";

const kinds = ["nodejs:20", "python:3"] as const;

/** Executes its arguments under a filter that allows every call: prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, { RET ALLOW }). */
const filtered = [
  "/usr/bin/python3",
  "-c",
  `
import ctypes, os, struct, sys
allow = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0x7fff0000))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", 1, ctypes.addressof(allow)))
if ctypes.CDLL(None).prctl(22, 2, program, 0, 0) != 0: sys.exit("no filter")
os.execvp(sys.argv[1], sys.argv[1:])
`,
] as const;

describe("npm start", () => {
  let dataFolder: string;
  beforeEach(() => {
    dataFolder = mkdtempSync(join(tmpdir(), "rewhisk-bad-days-"));
  });
  afterEach(() => rmSync(dataFolder, { recursive: true, force: true }));

  for (const capability of ["sys_ptrace", "sys_admin"])
    it(`without CAP_${capability.toUpperCase()} does not start, and names it`, async () => {
      const under = ["setpriv", `--bounding-set=-${capability}`];
      const program = new StandaloneProgram({ dataFolder, under });
      const [status] = await program.ended;
      expect(program.output).to.match(
        new RegExp(`^Missing: CAP_${capability.toUpperCase()}\\. Remedy: start rewhisk as root`, "m"),
      );
      expect(status).to.equal(2);
    });

  it("under a seccomp filter says that nothing can be rewound and why, and serves with containers used once", async () => {
    const program = await StandaloneProgram.start({ dataFolder, under: filtered });
    const code = "let uses = 0; function main() { return { uses: ++uses }; }";
    await program.send("PUT", "actions/count", { exec: { kind: "nodejs:20", code } });
    const results: unknown[] = [];
    for (let i = 0; i < 3; i++)
      results.push((await program.send("POST", "actions/count?blocking=true&result=true", {})).body);
    await program.interrupt();
    expect(program.line("rewinding")).to.match(
      /not possible.*used once \(rewhisk runs under a seccomp filter/,
    );
    expect(results).to.deep.equal([{ uses: 1 }, { uses: 1 }, { uses: 1 }]);
  });
});

describe("the best rung", () => {
  it("needs nothing of vm.unprivileged_userfaultfd", async function () {
    const setting = readFileSync("/proc/sys/vm/unprivileged_userfaultfd", "latin1").trim();
    const { rungs } = await probe();
    const best = rungs.find(({ rung }) => rung === "write-protect");
    if (setting !== "0" || best?.proven !== true) {
      console.log(`      skipped: the setting is ${setting}; the rung: ${best?.why || "proven"}`);
      this.skip();
    }
  });
});

for (const kind of kinds)
  describe(`a ${kind} container`, () => {
    it("for whose checkpoint there is no memory is not made, which is told, and is made once there is", () => {
      const host = join(import.meta.dirname, "short-of-memory.js");
      const { stdout, stderr, status } = spawnSync(process.execPath, [host, instanceName("short"), kind], {
        encoding: "utf8",
        timeout: 60_000,
      });
      expect(status, stderr).to.equal(0);
      const { refused, start, states } = JSON.parse(stdout) as { [what: string]: unknown };
      expect(refused).to.match(/checkpoint of process.*Cannot allocate memory; give .*user-memory/);
      expect(start, "once there is memory").to.equal("cold");
      expect(states).to.deep.equal(["running", "running"]);
    });

    it("whose limit is too small for its runtime is not made, and its limit is named", async () => {
      const stemCells = [{ kind, count: 1, memoryMB: 6 }];
      const real = await RealInvoker.start({ userMemoryMB: 6, stemCells });
      const failures = real.lines.filter((line) => line.includes('"container-start-failed"'));
      await real.stop();
      expect(failures.length).to.be.above(0);
      for (const failure of failures) expect(failure).to.match(/for want of memory: its limit is 6 MB/);
    });
  });
