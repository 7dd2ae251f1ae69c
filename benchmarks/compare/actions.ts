// The actions that both sides get: those of the benchmarks, padded, or with a package to import.

import { type Family, families, tiny } from "../programs.ts";
import { chance, noise } from "./chance.ts";

/** Undefined: no action is written for kinds of that language. */
export function familyOf(kind: string): Family | undefined {
  return families.find((family) => kind.startsWith(`${family}:`));
}

const comment = { nodejs: "//", python: "#", ruby: "#" } as const satisfies Record<Family, string>;
const lineLength = 120;

/** The tiny action with a comment that brings its code to this size. */
export function padded(family: Family, serial: number, sizeBytes: number): string {
  const code = `${tiny(family, serial)}\n`;
  const lines: string[] = [];
  const text = noise(Math.max(0, sizeBytes - code.length), chance(serial + 1));
  const perLine = lineLength - comment[family].length - 1;
  for (let i = 0; i < text.length; i += lineLength) {
    lines.push(`${comment[family]}${text.slice(i, i + perLine)}\n`);
  }
  return code + lines.join("");
}

const imports: Readonly<Record<Family, (quoted: string, serial: number) => string>> = {
  nodejs: (quoted, serial) =>
    `let found = true;\ntry { require(${quoted}); } catch { found = false; }\nfunction main(args) { return { serial: ${serial}, name: args.name, found }; }\n`,
  python: (quoted, serial) =>
    `import importlib\ntry:\n  importlib.import_module(${quoted})\n  found = True\nexcept ImportError:\n  found = False\ndef main(args):\n  return {"serial": ${serial}, "name": args.get("name"), "found": found}\n`,
  ruby: (quoted, serial) =>
    `FOUND = begin\n  require ${quoted}\n  true\nrescue LoadError\n  false\nend\ndef main(args)\n  { serial: ${serial}, name: args['name'], found: FOUND }\nend\n`,
};

/** Imports a package when it is loaded, and tells whether it was there. */
export function importing(family: Family, serial: number, name: string): string {
  return imports[family](JSON.stringify(name), serial);
}
