// The actions that the benchmarks run, in all languages and three sizes.

import type { Family } from "../pool/index.ts";

export type { Family };

/** Its text differs from number to number. */
type Program = Readonly<Record<Family, (serial: number) => string>>;

export const kindOf = {
  nodejs: "nodejs:20",
  python: "python:3",
  ruby: "ruby:3",
} as const satisfies Record<Family, string>;

export const families = Object.keys(kindOf) as readonly Family[];
/** What the benchmarks run that are not made with every language: they are there on every machine of ours. */
export const usualFamilies = ["nodejs", "python"] as const satisfies readonly Family[];
export type UsualFamily = (typeof usualFamilies)[number];

const tinyPrograms: Program = {
  nodejs: (serial) => `function main(args) { return { serial: ${serial}, name: args.name }; }`,
  python: (serial) => `def main(args):\n  return {"serial": ${serial}, "name": args.get("name")}\n`,
  ruby: (serial) => `def main(args)\n  { serial: ${serial}, name: args['name'] }\nend\n`,
};

/** A few megabytes and some library code. */
const middlePrograms: Program = {
  nodejs: (serial) =>
    `const zlib = require('zlib'); function main() { const all = []; for (let i = 0; i < 30000; i++) all.push({ i, s: 'x' + i }); return { serial: ${serial}, n: all.length, z: zlib.gzipSync(JSON.stringify(all)).length }; }`,
  python: (serial) =>
    `import decimal, csv, json\ndef main(args):\n  rows = [{"i": i, "s": "x%d" % i} for i in range(20000)]\n  return {"serial": ${serial}, "n": len(json.dumps(rows))}\n`,
  ruby: (serial) =>
    `require 'json'\nrequire 'zlib'\ndef main(args)\n  rows = Array.new(20000) { |i| { i: i, s: "x#{i}" } }\n  { serial: ${serial}, n: rows.size, z: Zlib.gzip(JSON.generate(rows)).bytesize }\nend\n`,
};

/** Fifty megabytes written. */
const largePrograms: Program = {
  nodejs: (serial) =>
    `function main() { const b = Buffer.alloc(50 << 20, 1); return { serial: ${serial}, n: b.length }; }`,
  python: (serial) =>
    `def main(args):\n  b = bytearray(b"x") * (50 << 20)\n  return {"serial": ${serial}, "n": len(b)}\n`,
  ruby: (serial) => `def main(args)\n  b = 'x' * (50 << 20)\n  { serial: ${serial}, n: b.bytesize }\nend\n`,
};

/** An action that nobody has seen: its text differs from every other's. */
export function tiny(family: Family, serial: number): string {
  return tinyPrograms[family](serial);
}

export const sizes = {
  tiny,
  middle: (family: Family, serial: number): string => middlePrograms[family](serial),
  large: (family: Family, serial: number): string => largePrograms[family](serial),
} as const;

/** Those of which there is a kind to measure; the others are told of, each in a line. */
export function familiesOf(
  kinds: readonly string[],
  say: (line: string) => void = console.log,
): readonly Family[] {
  return families.filter((family) => {
    const isHere = kinds.includes(kindOf[family]);
    if (!isHere) say(`${family} is left out: there is no ${kindOf[family]} on this machine`);
    return isHere;
  });
}
