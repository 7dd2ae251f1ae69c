// What runs without the tools of development has its packages without them: `npm ci --omit=dev`.

import { readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const root = fileURLToPath(new URL("../../../../../", import.meta.url));

/** `npm start`, which brings all packages, alone runs what is in standalone/cluster/: a stand-in for CouchDB. */
const folders = ["restorer", "pool", "invoker", "standalone", "runtimes"];
const leftOut = /\/node_modules\/|^standalone\/cluster\//;

const imported =
  /(?:\bfrom|\bimport|\bimport\(|\brequire\w*\(|\brequire\w*\.resolve\()\s*"([@a-zA-Z][\w@./-]*)"/g;

interface Locked {
  readonly packages: { readonly [path: string]: { readonly dev?: boolean } | undefined };
}

const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as Locked;
const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly dependencies: { readonly [name: string]: string };
};

/** Paths from the root. */
function filesOf(folder: string, ending: RegExp): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((path) => join(folder, path))
    .filter((path) => ending.test(path) && !leftOut.test(path));
}

/** The packages that a source names, without what Node itself brings. */
function packagesIn(source: string): readonly string[] {
  return Array.from(source.matchAll(imported), ([, name = ""]) => name)
    .filter((name) => !isBuiltin(name))
    .map((name) => /^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name);
}

describe("what is needed at run time", () => {
  for (const folder of folders) {
    it(`of ${folder}/ is among the dependencies`, () => {
      const missing = filesOf(folder, /\.(?:ts|js|mjs)$/)
        .flatMap((path) => packagesIn(readFileSync(join(root, path), "utf8")).map((name) => ({ path, name })))
        .filter(({ name }) => dependencies[name] === undefined);
      expect(missing).to.deep.equal([]);
    });
  }

  it("of a runtime's mounts is installed without the tools of development", () => {
    const mounts = filesOf("runtimes", /\/runtime\.json$/)
      .map(
        (path) =>
          JSON.parse(readFileSync(join(root, path), "utf8")) as {
            readonly mounts: readonly { readonly from: string }[];
          },
      )
      .flatMap((runtime) => runtime.mounts.map(({ from }) => from))
      .filter((from) => from.startsWith("node_modules/"));
    expect(mounts).not.to.be.empty;
    expect(
      mounts.filter((from) => packages[from] === undefined || packages[from]?.dev === true),
    ).to.deep.equal([]);
  });

  it("is found in every form of naming it", () => {
    const source = `import a from "a"; import type { B } from "@b/c/d"; import "e"; await import("f/g");
      require("h"); requireHere("i"); requireHere.resolve("j"); import x from "node:fs"; import y from "./y.ts"; require("path")`;
    expect(packagesIn(source)).to.deep.equal(["a", "@b/c", "e", "f", "h", "i", "j"]);
  });
});
