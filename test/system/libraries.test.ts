// Invokers whose containers have libraries imported in their base: who sees them, what is left of them, and what is refused.

import { readFileSync } from "node:fs";
import { expect } from "chai";
import { shownInside, surroundings } from "../../benchmarks/published/machine.ts";
import type { KeyValue, LibrarySet } from "../../invoker/index.ts";
import { drawsFile } from "../prove/draws.ts";
import { holdsWithin } from "../within.ts";
import { waysOfMaking } from "./booted.ts";
import { RealInvoker } from "./real-invoker.ts";

const memoryMB = 128;
/** It is decided every ten seconds. */
const learntWithinMs = 60_000;

/** Of each language one module that is there wherever its interpreter is, and actions that ask for it, look for it, and change it. */
const languages = {
  "nodejs:20": {
    module: "express",
    asking: `const e = require("express");
      const seen = e.mark ?? null;
      e.mark = "left";
      function main() { return { seen, mark: e.mark, random: Math.random() }; }`,
    looking:
      "function main() { return { seen: Object.keys(require.cache).filter((name) => name.includes('/express/')).length }; }",
    random: "require('dns')",
  },
  "python:3": {
    module: "unittest.mock",
    asking: `import unittest.mock as m, random
seen = getattr(m, "mark", None)
m.mark = "left"
def main(args):
    return {"seen": seen, "mark": m.mark, "random": random.random()}
`,
    looking:
      "import sys\ndef main(args):\n    return {'seen': len([name for name in sys.modules if name.startswith('unittest')])}\n",
    random: "multiprocessing",
  },
} as const;

const setOf = (kind: string, module: string, count = 1): LibrarySet => ({
  ...{ kind, modules: [module], count, memoryMB },
});
const asking = (...modules: string[]): readonly KeyValue[] => [{ key: "libraries", value: modules }];

interface Held {
  readonly libraries: string | undefined;
  readonly isUnused: boolean;
}
const containersOf = (real: RealInvoker): Held[] =>
  real.invoker.status().pool.containers.map(({ libraries, isUnused = false }) => ({ libraries, isUnused }));
const refused = (real: RealInvoker): unknown[] =>
  real.lines
    .map((line) => JSON.parse(line) as { event: string; libraries: string; reason: string })
    .filter(({ event }) => event === "libraries-refused")
    .map(({ libraries, reason }) => [libraries, reason]);

for (const kind of ["nodejs:20", "python:3"] as const)
  for (const way of waysOfMaking)
    describe(`a ${kind} container that was ${way} with libraries`, () => {
      const { module, ...code } = languages[kind];
      let real: RealInvoker;

      before(async () => {
        real = await RealInvoker.start({
          ...{ boots: way === "booted", userMemoryMB: 512, verifyFirst: Number.POSITIVE_INFINITY },
          stemCells: [{ kind, count: 1, memoryMB }],
          libraries: [setOf(kind, module, way === "booted" ? 2 : 1)],
        });
      });
      after(async () => {
        const taints = real.taints();
        await real.stop();
        expect(taints).to.deep.equal([]);
      });

      it("is for an action whose source asks for them, each time as it was when they were imported", async () => {
        real.put("asking", { kind, code: code.asking });
        const random = new Set<unknown>();
        for (let i = 0; i < 20; i++) {
          const { record } = await real.run("asking");
          const result = record.response.result as { random: number };
          expect(result).to.deep.include({ seen: null, mark: "left" });
          random.add(result.random);
        }
        expect(random.size).to.equal(20);
        const used = containersOf(real).filter(({ isUnused }) => !isUnused);
        expect(used).to.deep.equal([{ libraries: module, isUnused: false }]);
      });

      it("shows them to nobody else, and is not given to anybody else", async () => {
        real.put("looking", { kind, code: code.looking });
        for (let i = 0; i < 3; i++)
          expect((await real.run("looking")).record.response.result).to.deep.equal({ seen: 0 });
      });

      it("shows them to who asks for them by an annotation", async () => {
        real.put("annotated", { kind, code: code.looking, annotations: asking(module) });
        const { seen } = (await real.run("annotated")).record.response.result as { seen: number };
        expect(seen).to.be.above(0);
      });
    });

describe("an invoker whose libraries cannot be had", () => {
  for (const [kind, module, reason] of [
    ["python:3", "multiprocessing", "randomness"],
    ["python:3", "nothere", "missing"],
    ["python:3", "encodings.mbcs", "failed"],
    ["nodejs:20", "nothere", "missing"],
    ["nodejs:20", "dns", "randomness"],
  ] as const)
    it(`runs ${kind} actions without ${module}, and says once that it is '${reason}'`, async () => {
      const real = await RealInvoker.start({ userMemoryMB: 256, libraries: [setOf(kind, module)] });
      try {
        real.put("asking", { kind, code: languages[kind].looking, annotations: asking(module) });
        for (let i = 0; i < 2; i++)
          expect((await real.run("asking")).record.response.result).to.deep.equal({ seen: 0 });
        expect(refused(real)).to.deep.equal([[module, reason]]);
        expect(containersOf(real).map(({ libraries }) => libraries)).to.deep.equal([undefined]);
        expect(await real.metric(`rewhisk_libraries_refused_total{reason="${reason}"}`)).to.equal(1);
      } finally {
        await real.stop();
      }
    });
});

describe("an invoker that learns which libraries are asked for", () => {
  for (const kind of ["nodejs:20", "python:3"] as const)
    it(`has ${kind} containers with them after a while, for who asks for them`, async () => {
      const { module, asking: code, looking } = languages[kind];
      const imports = kind === "python:3" ? "random+unittest.mock" : module;
      const real = await RealInvoker.start({
        ...{ userMemoryMB: 512, learntMemoryMB: 256, verifyFirst: Number.POSITIVE_INFINITY },
        stemCells: [{ kind, count: 1, memoryMB: 256 }],
      });
      try {
        real.put("asking", { kind, code });
        real.put("looking", { kind, code: looking });
        for (let i = 0; i < 10; i++) await real.run("asking");
        const hasLearnt = (): boolean =>
          real.invoker
            .status()
            .pool.containers.some(({ libraries, state }) => libraries === imports && state === "clean");
        expect(await holdsWithin(learntWithinMs, hasLearnt)).to.equal(true);
        expect((await real.run("asking")).record.response.result).to.deep.include({
          seen: null,
          mark: "left",
        });
        expect(containersOf(real)).to.deep.include({ libraries: imports, isUnused: false });
        expect((await real.run("looking")).record.response.result).to.deep.equal({ seen: 0 });
        expect(real.taints()).to.deep.equal([]);
      } finally {
        await real.stop();
      }
    }).timeout(2 * learntWithinMs);
});

describe("numpy and pandas in the base of a container", () => {
  const packages = ["numpy", "pandas"];
  const modules = ["numpy", "numpy.random", "pandas"];
  const code = `${readFileSync(drawsFile("python", "numpy"), "utf8")}
def main(args):
    return draw()
`;

  for (const way of waysOfMaking)
    it(`draw other random numbers in each activation, in a container that was ${way}`, async () => {
      const around = surroundings("python");
      const [kind, runs] = ["python:3", 20];
      const real = await RealInvoker.start(
        {
          ...{ boots: way === "booted", userMemoryMB: 512, verifyFirst: Number.POSITIVE_INFINITY },
          libraries: [{ kind, modules, count: way === "booted" ? 2 : 1, memoryMB: 256 }],
        },
        "numpy",
        undefined,
        1,
        {
          repository: around.repository,
          environment: {
            PYTHONPATH: packages.map((name) => `${shownInside}/packages/${name}`).join(":"),
          },
        },
      );
      try {
        real.put("drawing", { kind, code });
        const drawn = new Map<string, Set<unknown>>();
        for (let i = 0; i < runs; i++) {
          const { record } = await real.run("drawing");
          expect(record.response.statusCode).to.equal(0);
          for (const [generator, value] of Object.entries(record.response.result as object))
            drawn.set(generator, (drawn.get(generator) ?? new Set()).add(value));
        }
        expect(drawn.size).to.be.above(5);
        for (const [generator, values] of drawn) expect(values.size, generator).to.equal(runs);
        expect(real.taints()).to.deep.equal([]);
        expect(new Set(containersOf(real).map(({ libraries }) => libraries))).to.deep.equal(
          new Set([modules.join("+")]),
        );
      } finally {
        await real.stop();
        around.remove();
      }
    }).timeout(120_000);
});
