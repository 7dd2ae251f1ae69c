// The report as its readers see it, in a browser: on a desk and on a phone, by day and in the dark, without a request to anywhere.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { reportPage } from "../../benchmarks/compare/report.ts";
import { projectFolder } from "../../invoker/config/entries.ts";
import { type Page, TestBrowser } from "../browser.ts";
import { comparingOf, ledgerOf } from "./comparing.ts";

const limitMs = 120_000;
const desk = { width: 1200, height: 900 };
const phone = { width: 390, height: 844 };

describe("the report in a browser", function () {
  this.timeout(limitMs);
  let folder: string;
  const browser = new TestBrowser();
  let address: string;

  before(async function () {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-report-"));
    const style = readFileSync(join(projectFolder(), "benchmarks", "compare", "report.css"), "utf8");
    const file = join(folder, "report.html");
    writeFileSync(file, reportPage(comparingOf(ledgerOf({ differs: true })), style, ["r.csv", "r.json"]));
    address = pathToFileURL(file).href;
    await browser.open(this);
  });
  after(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Widths in CSS pixels: of the page, of what it would need, of its plots. */
  const widths = (page: Page): Promise<{ page: number; needed: number; plots: readonly number[] }> =>
    page.evaluate(`({
      page: document.documentElement.clientWidth,
      needed: document.documentElement.scrollWidth,
      plots: Array.from(document.querySelectorAll("svg"), (plot) => plot.getBoundingClientRect().width),
    })`);

  for (const [where, viewport] of Object.entries({ desk, phone })) {
    it(`fits a ${where}, and asks for nothing`, async () => {
      const { page, errors, origins } = await browser.page({ viewport });
      await page.goto(address);
      const found = await widths(page);
      expect(found.needed).to.equal(found.page);
      expect(found.plots.length).to.equal(3);
      expect(Math.min(...found.plots)).to.be.above(250);
      expect(errors).to.deep.equal([]);
      expect([...origins]).to.deep.equal(["null"]);
      await page.close();
    });
  }

  it("shows what leads it on the first screen of a phone, before all figures", async () => {
    const { page } = await browser.page({ viewport: phone });
    await page.goto(address);
    const bottoms = await page.evaluate<readonly number[]>(
      `Array.from(document.querySelectorAll(".alert.bad, table"), (one) => one.getBoundingClientRect().bottom)`,
    );
    expect(bottoms).to.deep.equal([...bottoms].sort((a, b) => a - b));
    expect(bottoms[0]).to.be.below(phone.height);
    await page.close();
  });

  it("is light by day and dark at night", async () => {
    const grounds: string[] = [];
    for (const colorScheme of ["light", "dark"] as const) {
      const { page } = await browser.page({ viewport: desk, colorScheme });
      await page.goto(address);
      grounds.push(await page.evaluate(`getComputedStyle(document.body).backgroundColor`));
      await page.close();
    }
    expect(grounds).to.deep.equal(["rgb(251, 251, 249)", "rgb(20, 23, 26)"]);
  });
});
