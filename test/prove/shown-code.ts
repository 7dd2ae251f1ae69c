// Of the code that one owner's container was shown, the next owner finds nothing.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { CodeStore } from "../../pool/index.ts";
import { type Family, show } from "../corpus.ts";
import { files, zip } from "../runtimes/archives.ts";
import { Ground, type GroundOptions, type Program } from "./ground.ts";

const entries = { nodejs: "index.js", python: "__main__.py", ruby: "main.rb" } as const;
const bytesPerMB = 1024 * 1024;

const looking = {
  nodejs: `const fs = require("fs");
const main = () => ({ home: fs.readdirSync("/home/action"), mounts: fs.readFileSync("/proc/self/mountinfo", "utf8") });
if (typeof exports === "object") exports.main = main;`,
  python: `import os
def main(args): return {"home": os.listdir("/home/action"), "mounts": open("/proc/self/mountinfo").read()}
`,
  ruby: `def main(args) = { home: Dir.children("/home/action"), mounts: File.read("/proc/self/mountinfo") }
`,
} as const satisfies Record<Family, string>;

/** The one with an archive sees it, and the other one, before and after, the same without it. */
export async function complaintOfShownCode(
  family: Family,
  options: Partial<GroundOptions>,
): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "rewhisk-codes-"));
  const codes = new CodeStore({ folder: join(folder, "code"), maxBytes: bytesPerMB });
  const { change = (one) => one } = options;
  const ground = await Ground.start({
    ...{ family, name: `code-${family}` },
    ...options,
    change: (machine) => ({ ...change(machine), codes }),
  });
  const text: Program = { source: looking[family] };
  const archive: Program = { source: zip(files({ [entries[family]]: looking[family] })), binary: true };
  try {
    const before = await ground.visit(text, {}, { owner: "next" });
    const shown = await ground.visit(archive, {}, { owner: "one" });
    const { home = [] } = (shown.result ?? {}) as { readonly home?: readonly string[] };
    if (!home.includes("code") || codes.counts.uses.miss !== 1)
      return `nothing is shown: ${show(shown.result)}`;
    if (shown.taint !== undefined) return `the container was replaced: ${shown.taint.detail}`;
    const after = await ground.visit(text, {}, { owner: "next" });
    if (after.taint !== undefined) return `the container was replaced: ${after.taint.detail}`;
    return isDeepStrictEqual(after.result, before.result)
      ? undefined
      : `the next owner sees ${show(after.result)}`;
  } finally {
    await ground.stop();
    await codes.close();
    rmSync(folder, { recursive: true });
  }
}
