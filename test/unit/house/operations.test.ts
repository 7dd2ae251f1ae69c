// docs/OPERATIONS.md has an entry for each alert, each reason of a taint and each of rewhisk's own settings, and none that is none.

import { readFileSync } from "node:fs";
import { expect } from "chai";
import { settingEntries } from "../../../invoker/config/entries.ts";
import { taintReasons } from "../../../pool/index.ts";
import { alertNames } from "../../monitoring/queries.ts";

const text = readFileSync("docs/OPERATIONS.md", "utf8");

/** What the first column of the section's table names. */
function entriesOf(heading: string): readonly string[] {
  const section = text.split(/^## /m).find((one) => one.startsWith(`${heading}\n`)) ?? "";
  const names = section.matchAll(/^\| +([^|]+?) +\|/gm);
  return Array.from(names, ([, cell = ""]) => cell).flatMap((cell) =>
    Array.from(cell.matchAll(/`([^`]+)`/g), ([, name = ""]) => name),
  );
}

describe("docs/OPERATIONS.md", () => {
  it("has an entry for each alert, and no other", () => {
    expect(entriesOf("Alerts")).to.have.members(alertNames());
  });

  it("has an entry for each reason of a taint, and no other", () => {
    expect(entriesOf("Taints")).to.have.members(taintReasons);
  });

  it("has an entry for each of rewhisk's own settings, and no other", () => {
    const own = [...settingEntries().keys()].filter((key) => key.startsWith("rewhisk."));
    expect(entriesOf("Settings")).to.have.members(own);
  });

  it("names no alert and no such setting that there is not", () => {
    const named = [...text.matchAll(/`(Rewhisk\w+|rewhisk\.[a-z][a-z.-]+)`/g)].map(([, name]) => name);
    expect([...alertNames(), ...settingEntries().keys()]).to.include.members(named);
  });
});
