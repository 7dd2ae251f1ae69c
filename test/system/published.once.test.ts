// The benchmarks of published work in their smallest form: that each measures what it says, not how fast anything is.

import { expect } from "chai";
import type { Figure } from "../../benchmarks/figures.ts";
import { tiny } from "../../benchmarks/programs.ts";
import { dirtyPages } from "../../benchmarks/published/dirty-pages.ts";
import { isolation } from "../../benchmarks/published/isolation.ts";

const counts = (figures: readonly Figure[]): readonly (readonly [string, number])[] =>
  figures.filter(({ unit }) => unit === "ms").map(({ figure, n }) => [figure, n]);

describe("a benchmark of published work", () => {
  it("measures a program reused, rewound, at its checkpoint and started for each, in turn", async () => {
    const programs = [{ suite: "C kernels", name: "tiny", code: tiny("python", 0) } as const];
    const figures = await isolation({ programs, rounds: 2, freshEvery: 2 });
    expect(counts(figures)).to.deep.equal([
      ["C kernels: tiny | reused", 2],
      ["C kernels: tiny | rewound", 2],
      ["C kernels: tiny | at its checkpoint", 2],
      ["C kernels: tiny | started for each", 1],
      ["C kernels: tiny | rewound, run alone", 2],
      ["C kernels: tiny | rewound, until usable", 2],
      ["C kernels: tiny | at its checkpoint, until usable", 2],
    ]);
    expect(figures.map(({ figure }) => figure)).to.include("all, geometric mean | rewound ÷ reused");
    expect(figures.every(({ value }) => value > 0)).to.equal(true);
  });

  it("measures rewinds of pages that the checkpoint has, and of memory that an action maps", async () => {
    const figures = await dirtyPages({ pages: [16], megabytes: [1], ballastMB: 1, rounds: 1 });
    expect(figures.map(({ figure }) => figure)).to.deep.equal(
      ["nodejs", "python"].flatMap((family) => [
        `written: 16 pages (1 MB mapped before) | ${family}`,
        `mapped before: 1 MB (256 pages written) | ${family}`,
        `mapped and written by the action: 1 MB | ${family}`,
      ]),
    );
    expect(figures.every(({ n, value }) => n > 0 && value > 0)).to.equal(true);
  });
});
