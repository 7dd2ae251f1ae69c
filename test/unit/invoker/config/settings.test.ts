// settings.json and the table made from it.

import { expect } from "chai";
import { allEntries, type SettingEntry, settingEntries } from "../../../../invoker/config/entries.ts";
import { SettingReader } from "../../../../invoker/config/reader.ts";
import { settingsDifference } from "../../../settings-document.ts";

const needsUnit = { size: /^M?B$/, duration: /^ms$/ };

/** Whether the default is a value that the type can have. */
const fits: { readonly [type in SettingEntry["type"]]: (value: SettingEntry["default"]) => boolean } = {
  integer: (value) => Number.isSafeInteger(value),
  number: (value) => typeof value === "number",
  size: (value) => Number.isSafeInteger(value),
  duration: (value) => Number.isSafeInteger(value),
  boolean: (value) => typeof value === "boolean",
  string: (value) => typeof value === "string",
  class: (value) => typeof value === "string" && /^[\w.]+$/.test(value),
  names: () => false,
  list: (value) => Array.isArray(value) && value.length === 0,
  lists: (value) => typeof value === "object",
  block: (value) => typeof value === "object",
};

describe("settings.json", () => {
  it("explains every key once", () => {
    const entries = allEntries();
    expect(new Set(entries.map((entry) => entry.key)).size).to.equal(entries.length);
    for (const entry of entries) {
      expect("reason" in entry ? entry.reason : entry.meaning, entry.key).to.match(/\.$/);
    }
  });

  it("has for each key a default that it may have, and a unit where it needs one", () => {
    for (const entry of settingEntries().values()) {
      const { key, type, default: usual, unit, choices, required } = entry;
      if (usual !== null) expect(fits[type](usual), key).to.equal(true);
      if (required === true) expect(usual, key).to.equal(null);
      if (choices !== undefined && usual !== null) expect(choices, key).to.include(usual);
      if (type === "size" || type === "duration") expect(unit, key).to.match(needsUnit[type]);
      else expect(unit, key).to.equal(undefined);
      if (typeof usual === "number") {
        const { least = 0, above = -1, most = Number.POSITIVE_INFINITY } = entry;
        expect(usual, key).to.be.within(least, most).and.above(above);
      }
    }
  });

  it("is what SETTINGS.md says", () => {
    expect(settingsDifference(), "npm run settings").to.equal(undefined);
  });

  it("has what is asked of it, or else says so", () => {
    const reader = new SettingReader(new Map());
    expect(() => reader.number("whisk.no-such-key")).to.throw("settings.json has no whisk.no-such-key");
    expect(() => reader.number("whisk.container-pool.user-cpus")).to.throw("it needs a number");
  });
});
