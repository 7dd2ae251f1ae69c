// Measures: one rewind against what the activation before it has done to memory: pages written, of a mapping that the checkpoint
//   has; the size of that mapping, with as many pages written; and memory that the action itself has mapped and written, which a
//   rewind unmaps.
// Does not measure: what the writing costs the action; pages that differ from one activation to the next (what has been written
//   once is copied back after every activation from then on); emptying the scratch; rewinds that are verified.
// Varies: the language; pages written, one after the other; megabytes mapped before the checkpoint; megabytes mapped by the action.

import { Bench } from "../bench.ts";
import { type Figure, fromSamples } from "../figures.ts";
import { kindOf, type UsualFamily, usualFamilies } from "../programs.ts";
import { programsInside, surroundings } from "./machine.ts";

const bench = "dirty-pages";
/** Of containers: twice what is mapped, for the largest, and the runtime. */
const memoryMB = 3072;
/** Where the size of the mapping varies. */
const fixedPages = 1024;

const pagesWritten = [0, 16, 256, 1024, 4096, 16_384, 65_536];
const megabytesMapped = [16, 64, 256, 1024];

/** Writes a byte of each of so many pages of the mapping from before the checkpoint, or of one of its own. */
const action = {
  python: `import mmap, sys
def main(args):
    own = args["ownMB"] << 20
    area = mmap.mmap(-1, own, flags=mmap.MAP_PRIVATE) if own else sys.modules["ballast"].area
    for page in range(own // 4096 or args["pages"]):
        area[page * 4096] = args["mark"]
    main.kept = area if own else None
    return {"bytes": len(area)}
`,
  nodejs: `let kept;
function main(args) {
  const own = args.ownMB * 2 ** 20;
  const area = own ? Buffer.alloc(own) : globalThis.ballast;
  const pages = own / 4096 || args.pages;
  for (let page = 0; page < pages; page++) area[page * 4096] = args.mark;
  kept = own ? area : undefined;
  return { bytes: area.length };
}
`,
} as const satisfies Record<UsualFamily, string>;

const startedWith = {
  python: (own: readonly string[]) => [...own.slice(0, -1), `${programsInside}/ballast.py`],
  nodejs: (own: readonly string[]) => ["--require", `${programsInside}/ballast.cjs`, ...own],
} as const satisfies Record<UsualFamily, (own: readonly string[]) => readonly string[]>;

interface Case {
  readonly ballastMB: number;
  readonly pages: number;
  readonly ownMB: number;
}

/** Milliseconds of rewinds of one container but for the first, which finds its pages written for the first time, and for verified ones. */
async function measure(
  family: UsualFamily,
  { ballastMB, pages, ownMB }: Case,
  rounds: number,
): Promise<readonly number[]> {
  const around = surroundings(family, startedWith[family]);
  try {
    const one = await Bench.start(kindOf[family], "always", {
      name: bench,
      stemCell: { memoryMB },
      settings: { verifyFirst: 1, rewindTimeoutMs: 30_000 },
      factory: { repository: around.repository, environment: { BALLAST_MB: String(ballastMB) } },
    });
    try {
      for (let round = 0; round <= rounds; round++)
        await one.call(action[family], { pages, ownMB, mark: 2 + (round % 200) });
      return one.rewinds
        .slice(1)
        .filter((timings) => !timings.verified)
        .map(({ totalUs }) => totalUs / 1000);
    } finally {
      await one.stop();
    }
  } finally {
    around.remove();
  }
}

const roundsFor = (megabytes: number, most: number): number => (megabytes >= 256 ? Math.min(8, most) : most);

export async function dirtyPages({
  pages: written = pagesWritten,
  megabytes = megabytesMapped,
  ballastMB = 256,
  rounds = 30,
} = {}): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const add = async (family: UsualFamily, row: string, one: Case, most: number): Promise<void> => {
    const samples = await measure(family, one, most);
    figures.push(fromSamples({ bench, figure: `${row} | ${family}`, unit: "ms" }, samples));
  };
  for (const family of usualFamilies) {
    for (const pages of written)
      await add(
        family,
        `written: ${pages} pages (${ballastMB} MB mapped before)`,
        { ballastMB, pages, ownMB: 0 },
        rounds,
      );
    for (const mapped of megabytes) {
      // No more than there are.
      const one = { ballastMB: mapped, pages: Math.min(fixedPages, mapped * 256), ownMB: 0 };
      await add(
        family,
        `mapped before: ${mapped} MB (${one.pages} pages written)`,
        one,
        roundsFor(mapped, rounds),
      );
    }
    for (const ownMB of megabytes)
      await add(
        family,
        `mapped and written by the action: ${ownMB} MB`,
        { ballastMB: 0, pages: 0, ownMB },
        roundsFor(ownMB, rounds),
      );
  }
  return figures;
}
