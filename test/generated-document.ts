// Compares a page that is made from data with what the data say now.

import { readFileSync } from "node:fs";

/** What the text says, without how its tables are aligned. */
function comparable(text: string): readonly string[] {
  return text.split("\n").flatMap((line) => {
    const plain = line
      .replace(/\s+/g, " ")
      .replace(/(\| ?-+ ?)+\|/, "")
      .trim();
    return plain === "" ? [] : [plain];
  });
}

/** The first line in which the file differs from `wanted`; undefined: it says the same. */
export function documentDifference(file: string, wanted: string): string | undefined {
  const [written, due] = [comparable(readFileSync(file, "utf8")), comparable(wanted)];
  const place = Array.from({ length: Math.max(written.length, due.length) }).findIndex(
    (_, i) => written[i] !== due[i],
  );
  return place < 0 ? undefined : (due[place] ?? `surplus: ${written[place]}`);
}
