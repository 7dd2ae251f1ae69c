// Measures: the first and the further calls of an action whose code is an archive, from its lease to its answer and until its container can be
//   used again: unpacked in each container, out of the code store, and out of it with action checkpoints, in turn.
// Does not measure: the invoker; the sync to disk, which nobody waits for.
// Varies: the language, and how large the archive is: files of 10 KB that cannot be compressed.

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CodeStore } from "../pool/index.ts";
import { type Entry, files, zip } from "../test/runtimes/archives.ts";
import { Bench, type CallTimes } from "./bench.ts";
import { type Figure, fromSamples, ratio } from "./figures.ts";
import { kindOf, usualFamilies } from "./programs.ts";

const fileBytes = 10_000;
const sizes = { "1 MB": 100, "10 MB": 1000 } as const;
/** First calls, each of an archive of its own; after each so many further ones. */
const rounds = 12;
const furtherCalls = 3;
const bytesPerMB = 1024 * 1024;

const entry = {
  nodejs: { "index.js": "exports.main = () => ({});" },
  python: { "__main__.py": "def main(args): return {}\n" },
} as const;

function archiveOf(family: keyof typeof entry, count: number): Buffer {
  const many = Array.from(
    { length: count },
    (_, i): Entry => ({
      path: `data/${i % 10}/${i}.bin`,
      content: randomBytes(fileBytes),
    }),
  );
  return zip([...files(entry[family]), ...many]);
}

export async function archives(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const folder = mkdtempSync(join(tmpdir(), "rewhisk-bench-codes-"));
  const stores: CodeStore[] = [];
  const storing = (name: string) => {
    const codes = new CodeStore({ folder: join(folder, name), maxBytes: 1024 * bytesPerMB });
    stores.push(codes);
    return codes;
  };
  for (const family of usualFamilies)
    for (const [size, count] of Object.entries(sizes)) {
      const kind = kindOf[family];
      const [codes, codesOfLevels] = [storing(`${family}-${count}`), storing(`${family}-${count}-levels`)];
      const ways = {
        unpacked: await Bench.start(kind, "always", { name: "unpacked" }),
        stored: await Bench.start(kind, "always", {
          name: "stored",
          change: (machine) => ({ ...machine, codes }),
        }),
        "stored, checkpoint": await Bench.start(kind, "always", {
          name: "levels",
          change: (machine) => ({ ...machine, codes: codesOfLevels }),
          settings: { levelMemoryMB: 256, levelInitMs: 0 },
        }),
      };
      const samples = new Map<string, number[]>();
      const note = (what: string, { answeredMs, usableMs }: CallTimes): void => {
        for (const [until, ms] of [
          ["answered", answeredMs],
          ["usable", usableMs],
        ] as const)
          samples.set(`${what}, ${until}`, [...(samples.get(`${what}, ${until}`) ?? []), ms]);
      };
      for (let round = 0; round < rounds; round++) {
        const archive = archiveOf(family, count);
        for (const [way, bench] of Object.entries(ways)) note(`${way}, first`, await bench.call(archive));
        for (let i = 0; i < furtherCalls; i++)
          for (const [way, bench] of Object.entries(ways)) note(`${way}, further`, await bench.call(archive));
      }
      for (const bench of Object.values(ways)) await bench.stop();
      const named = (figure: string) => ({ bench: "archives", figure: `${family} ${size}, ${figure}` });
      for (const [what, ms] of samples) figures.push(fromSamples({ ...named(what), unit: "ms" }, ms));
      const of = (what: string): number[] => samples.get(what) ?? [];
      for (const call of ["first", "further"] as const)
        figures.push(
          ratio(
            named(`stored / unpacked, ${call}`),
            of(`stored, ${call}, answered`),
            of(`unpacked, ${call}, answered`),
          ),
        );
    }
  for (const store of stores) await store.close();
  rmSync(folder, { recursive: true });
  return figures;
}
