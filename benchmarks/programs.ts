// The actions that the benchmarks run, in both languages and three sizes.

export const families = ["nodejs", "python"] as const;
export type Family = (typeof families)[number];

export const kindOf = { nodejs: "nodejs:20", python: "python:3" } as const;

/** An action that nobody has seen: its text differs from every other's. */
export function tiny(family: Family, serial: number): string {
  return family === "nodejs"
    ? `function main(args) { return { serial: ${serial}, name: args.name }; }`
    : `def main(args):\n  return {"serial": ${serial}, "name": args.get("name")}\n`;
}

/** A few megabytes and some library code. */
function middle(family: Family, serial: number): string {
  return family === "nodejs"
    ? `const zlib = require('zlib'); function main() { const all = []; for (let i = 0; i < 30000; i++) all.push({ i, s: 'x' + i }); return { serial: ${serial}, n: all.length, z: zlib.gzipSync(JSON.stringify(all)).length }; }`
    : `import decimal, csv, json\ndef main(args):\n  rows = [{"i": i, "s": "x%d" % i} for i in range(20000)]\n  return {"serial": ${serial}, "n": len(json.dumps(rows))}\n`;
}

/** Fifty megabytes written. */
function large(family: Family, serial: number): string {
  return family === "nodejs"
    ? `function main() { const b = Buffer.alloc(50 << 20, 1); return { serial: ${serial}, n: b.length }; }`
    : `def main(args):\n  b = bytearray(b"x") * (50 << 20)\n  return {"serial": ${serial}, "n": len(b)}\n`;
}

export const sizes = { tiny, middle, large } as const;
