// The programs on which the price of isolation is measured: pyperformance's as they are, and kernels of our own in C.

import { programsInside, shownInside } from "./machine.ts";

export interface Program {
  readonly suite: "pyperformance" | "C kernels";
  readonly name: string;
  /** A Python action that runs it once per activation. */
  readonly code: string;
}

/**
 * With the arguments that pyperformance itself gives. Left out: those that need another package, measure another process, or take more
 * than about a sixth of a second, which says the less of what surrounds an activation.
 */
const pyperformance: Readonly<Record<string, readonly string[]>> = {
  chaos: [],
  comprehensions: [],
  coroutines: [],
  deepcopy: [],
  deltablue: [],
  float: [],
  gc_collect: [],
  gc_traversal: [],
  generators: [],
  hexiom: [],
  json_dumps: [],
  json_loads: [],
  logging: ["format"],
  meteor_contest: [],
  nbody: [],
  pickle: ["pickle"],
  regex_effbot: [],
  regex_v8: [],
  richards: [],
  richards_super: [],
  spectral_norm: [],
  sqlite_synth: [],
  telco: [],
  typing_runtime_protocols: [],
  unpack_sequence: [],
};

const kernels = [
  ...["gemm", "two_mm", "three_mm", "jacobi_2d", "seidel_2d"],
  ...["lu", "cholesky", "floyd_warshall", "durbin", "atax"],
];

function ofPyperformance(name: string, given: readonly string[]): string {
  const file = `${shownInside}/packages/pyperformance/pyperformance/data-files/benchmarks/bm_${name}/run_benchmark.py`;
  return `import sys
sys.path.insert(0, ${JSON.stringify(programsInside)})
import pyperf
pyperf.load(${JSON.stringify(file)}, ${JSON.stringify(given)})
def main(args):
    return {"calls": pyperf.call_each()}
`;
}

function ofKernel(name: string): string {
  return `import ctypes
kernel = ctypes.CDLL(${JSON.stringify(`${shownInside}/kernels.so`)}).${name}
kernel.restype = ctypes.c_double
def main(args):
    return {"checksum": kernel()}
`;
}

export const suites: readonly Program[] = [
  ...Object.entries(pyperformance).map(
    ([name, given]): Program => ({ suite: "pyperformance", name, code: ofPyperformance(name, given) }),
  ),
  ...kernels.map((name): Program => ({ suite: "C kernels", name, code: ofKernel(name) })),
];
