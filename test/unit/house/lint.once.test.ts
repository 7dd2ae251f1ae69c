// The linter as the keeper of the house: clean as it stands, and not to be climbed past.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const root = fileURLToPath(new URL("../../../../../", import.meta.url));
const biome = join(root, "node_modules/@biomejs/biome/bin/biome");

function lint(folder: string): { status: number | null; text: string } {
  const run = spawnSync(process.execPath, [biome, "check", "--error-on-warnings", "--colors=off"], {
    cwd: folder,
    encoding: "utf8",
  });
  return { status: run.status, text: run.stdout + run.stderr };
}

/** Lints one file with one import, in a folder of its own with the house's rules. */
function lintImport(file: string, imported: string): { status: number | null; text: string } {
  const folder = mkdtempSync(join(tmpdir(), "rewhisk-lint-"));
  try {
    cpSync(join(root, "biome.json"), join(folder, "biome.json"));
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), `import { x } from "${imported}";\n\nexport const y = x;\n`);
    return lint(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("npm run lint", () => {
  it("finds nothing", () => {
    const { status, text } = lint(root);
    expect(status, text).to.equal(0);
  }).timeout(120_000);

  const climbing: readonly (readonly [file: string, imported: string])[] = [
    ["invoker/x.ts", "../standalone/main.ts"],
    ["pool/x.ts", "../invoker/index.ts"],
    ["pool/proxy/x.ts", "../../invoker/index.ts"],
    ["restorer/x.ts", "../pool/index.ts"],
  ];
  const reachingTooDeep: readonly (readonly [file: string, imported: string])[] = [
    ["standalone/x.ts", "../pool/index.ts"],
    ["standalone/x.ts", "../invoker/service.ts"],
    ["invoker/x.ts", "../restorer/index.ts"],
    ["pool/x.ts", "../restorer/native.ts"],
    ["restorer/x.ts", "koffi"],
    ["pool/x.ts", "koffi"],
  ];
  for (const [file, imported] of [...climbing, ...reachingTooDeep]) {
    it(`fails where ${file} imports ${imported}`, () => {
      const { status, text } = lintImport(file, imported);
      expect(status, text).to.equal(1);
      expect(text).to.contain("noRestrictedImports");
    });
  }

  for (const [file, imported] of [
    ["standalone/x.ts", "../invoker/index.ts"],
    ["invoker/x.ts", "../pool/index.ts"],
    ["pool/lean/x.ts", "../../restorer/index.ts"],
    ["restorer/native.ts", "koffi"],
  ] as const) {
    it(`lets ${file} import ${imported}`, () => {
      const { status, text } = lintImport(file, imported);
      expect(status, text).to.equal(0);
    });
  }
});
