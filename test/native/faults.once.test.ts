// Every call of the native library made to go wrong in every way: the process is untouched, rewound or dead, never between.

import { expect } from "chai";
import { faultLines, injectFaults } from "./faults-table.ts";

const runsAtLeast = 4000;
const rowsAtLeast = 150;

describe("a fault at any call of the native library", () => {
  it("leaves a process untouched, done with or dead, and nothing else behind", async () => {
    const table = await injectFaults({ all: false });
    expect(table.complaints.slice(0, 20).join("\n"), `${table.complaints.length} complaints`).to.equal("");
    expect(table.runs).to.be.at.least(runsAtLeast);
    const phases = new Set(table.counts.map(({ phase }) => phase));
    expect(phases).to.include.members(["template", "save", "load", "embryo", "boot", "birth", "proof"]);
    expect(faultLines(table).length).to.be.at.least(rowsAtLeast);
  }).timeout(900_000);
});
