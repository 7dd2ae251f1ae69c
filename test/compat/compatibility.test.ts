// Every section of the protocol has its rows, every row its proof, and the page says what the rows say.

import { expect } from "chai";
import { complaintsOf, loadSections, type Section } from "../compatibility.ts";
import { compatibilityDifference } from "../compatibility-document.ts";

/** How many sections each chapter of the protocol has, from chapter 0 on. */
const sectionsOfChapter = [3, 4, 6, 5, 5, 4, 8, 12, 3, 9, 3, 4, 3, 2, 5, 4];
/** The first section of chapter 0 is 0.1, as in all others. */
const all = sectionsOfChapter.flatMap((count, chapter) =>
  Array.from({ length: count }, (_, i) => `${chapter}.${i + 1}`),
);

const sections = loadSections();
const own = "test/compat/compatibility.test.ts";

function sectionWith(row: Partial<Section["rows"][number]>): Section {
  return { section: "0.1", title: "t", rows: [{ stock: "does", state: "supported", ...row }] };
}

describe("what is compatible", () => {
  it("is said of every section, in order", () => {
    expect(sections.map(({ section }) => section)).to.deep.equal(all);
    for (const { section, rows } of sections) expect(rows, section).not.to.be.empty;
  });

  it("is shown by tests that there are, or said to be otherwise", () => {
    expect(complaintsOf(sections).join("\n")).to.equal("");
  });

  it("is what docs/COMPATIBILITY.md says", () => {
    expect(compatibilityDifference(), "npm run compatibility").to.equal(undefined);
  });

  const faults: readonly (readonly [string, Partial<Section["rows"][number]>, RegExp])[] = [
    ["supported and shown by nothing", {}, /no test shows/],
    ["different and says not how", { state: "differs" }, /how, or why/],
    ["of no known state", { state: "fine" as "differs", here: "x" }, /fine is no state/],
    [
      "shown by a file that is not there",
      { tests: [{ file: "test/no.test.ts", title: "x" }] },
      /no test file/,
    ],
    ["shown by a file without tests", { tests: [{ file: "test/corpus.ts", title: "x" }] }, /no test file/],
    ["shown by a test that is not there", { tests: [{ file: own, title: "is shown" }] }, /has no test/],
    [
      "shown by a case that is not there",
      { tests: [{ file: own, title: "is not accepted where it is of no colour" }] },
      /has no test/,
    ],
  ];
  for (const [what, row, complaint] of faults) {
    it(`is not accepted where it is ${what}`, () => {
      expect(complaintsOf([sectionWith(row)]).join()).to.match(complaint);
    });
  }

  it("may be shown by one case of a test, or by all of them", () => {
    const titles = ["is not accepted where it is of no known state", `is not accepted where it is \${what}`];
    const tests = titles.map((title) => ({ file: own, title }));
    expect(complaintsOf([sectionWith({ tests })])).to.deep.equal([]);
  });

  it("is no longer what the page says when the data have changed", () => {
    const [first, ...others] = sections;
    for (const changed of [
      others,
      [...sections, sectionWith({})],
      [{ ...first, title: "t" } as Section, ...others],
    ])
      expect(compatibilityDifference(changed)).not.to.equal(undefined);
  });
});
