// The stand-in for pyperf: what a program of pyperformance registers is called once per activation.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { projectFolder } from "../../../invoker/index.ts";

const standIn = join(projectFolder(), "benchmarks", "published", "programs");

describe("the stand-in for pyperf", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-pyperf-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** What a program prints that is loaded, and called twice. */
  function run(program: string, ...given: readonly string[]): readonly string[] {
    const file = join(folder, "run_benchmark.py");
    writeFileSync(file, program);
    const script = `import sys; sys.path.insert(0, ${JSON.stringify(standIn)}); import pyperf
print("has", pyperf.load(${JSON.stringify(file)}, ${JSON.stringify(given)}))
pyperf.call_each(); print("again"); pyperf.call_each()`;
    const argv = ["-IBc", script];
    return execFileSync("/usr/bin/python3", argv, { encoding: "utf8" }).trim().split("\n");
  }

  it("calls each kind of benchmark once, in its order", () => {
    const program = `import pyperf
async def later(word): print("async", word)
if __name__ == "__main__":
    runner = pyperf.Runner(processes=3)
    runner.metadata["description"] = "three"
    runner.bench_func("one", lambda a, b: print("func", a + b), 1, 2)
    runner.bench_time_func("two", lambda loops, a: print("time", loops, a), "x", inner_loops=20)
    runner.bench_async_func("three", later, "y")
`;
    const calls = ["func 3", "time 1 x", "async y"];
    expect(run(program)).to.deep.equal(["has 3", ...calls, "again", ...calls]);
  });

  it("gives a program its arguments", () => {
    const program = `import pyperf
runner = pyperf.Runner(add_cmdline_args=print)
runner.argparser.add_argument("benchmark")
runner.argparser.add_argument("--iterations", type=int, default=7)
options = runner.parse_args()
runner.bench_func("one", print, options.benchmark, runner.args.iterations)
`;
    expect(run(program, "iterparse")).to.deep.equal(["has 1", "iterparse 7", "again", "iterparse 7"]);
  });

  it("lets classes of a program be pickled, as those of a program that was started", () => {
    const program = `import pickle, pyperf
class Kept: pass
pyperf.Runner().bench_func("one", lambda: print(type(pickle.loads(pickle.dumps(Kept()))).__name__))
`;
    expect(run(program)).to.deep.equal(["has 1", "Kept", "again", "Kept"]);
  });
});
