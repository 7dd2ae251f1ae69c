// docs/TROUBLESHOOTING.md has an entry for each code of each error class, and none that is none.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { taintReasons } from "../../../pool/index.ts";

const repository = fileURLToPath(new URL("../../../../../", import.meta.url));
const layers = ["standalone", "invoker", "pool", "restorer"];

const sources = layers.map((layer) =>
  readdirSync(join(repository, layer), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(join(repository, layer, name), "utf8"))
    .join("\n"),
);
const all = sources.join("\n");

const byText = (one: string, other: string): number => one.localeCompare(other);

function literalsOf(text: string): readonly string[] {
  return [...text.matchAll(/"([^"]+)"/g)].map(([, word = ""]) => word);
}

/** The words that a type of this name, or written like this, stands for. */
function codesOf(className: string, type: string): readonly string[] {
  if (className === "TaintError") return taintReasons;
  const alias = new RegExp(`type ${type} =([^;]*);`).exec(all)?.[1] ?? type;
  return literalsOf(alias);
}

/** By class: those whose errors have a code out of a closed list. */
function inSources(): ReadonlyMap<string, readonly string[]> {
  const classes = all.matchAll(/class (\w+Error) extends Error \{\s*readonly (?:code|reason): ([^;]+);/g);
  // What the restorer throws becomes a taint, with its code as the reason.
  const ownCodes = [...classes].filter(([, name]) => name !== "RestorerError");
  return new Map(
    ownCodes.map(([, name = "", type = ""]) => [name, [...new Set(codesOf(name, type))].sort(byText)]),
  );
}

/** By section: the first column of its table. */
function inDocument(): ReadonlyMap<string, readonly string[]> {
  const sections = readFileSync(join(repository, "docs/TROUBLESHOOTING.md"), "utf8").split(/^## /m);
  const named = sections.filter((section) => /^\w+Error\n/.test(section));
  const rows = (section: string): string[] =>
    [...section.matchAll(/^\| `([a-z-]+)`/gm)].map(([, code = ""]) => code);
  return new Map(named.map((section) => [section.split("\n")[0] ?? "", rows(section).sort(byText)]));
}

describe("docs/TROUBLESHOOTING.md", () => {
  const found = inSources();

  it("is compared with the error classes of all layers", () => {
    expect([...found.keys()]).to.include.members(["LeanError", "DockerError", "CouchError", "TaintError"]);
    for (const [name, codes] of found) expect(codes, name).not.to.be.empty;
  });

  it("has an entry for each code of the sources, and no other", () => {
    expect(Object.fromEntries(inDocument())).to.deep.equal(Object.fromEntries(found));
  });
});
