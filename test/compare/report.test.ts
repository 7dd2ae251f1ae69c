// The report: what leads it, that it is one page which asks for nothing, and the same figures for other programs.

import { expect } from "chai";
import type { Series } from "../../benchmarks/compare/call.ts";
import { callsAsCsv, figuresAsJson } from "../../benchmarks/compare/export.ts";
import { Ledger } from "../../benchmarks/compare/ledger.ts";
import { Markup, markup } from "../../benchmarks/compare/markup.ts";
import { reportPage } from "../../benchmarks/compare/report.ts";
import { allRows } from "../../benchmarks/compare/statistics.ts";
import type { Comparing, Ending } from "../../benchmarks/compare/summary.ts";
import { activation, comparingOf, first, ledgerOf } from "./comparing.ts";

const pageOf = (comparing: Comparing): string => reportPage(comparing, "p > b { }", ["c.csv", "c.json"]);
/** What a reader comes to, in this order. */
const headings = (page: string): readonly string[] =>
  Array.from(
    page.matchAll(/<h2>(.*?)<\/h2>|<p class="alert \w+">(\w+ \w+)/g),
    ([, two, alert]) => two ?? alert ?? "",
  );

describe("the report of a comparison", () => {
  it("begins with the summary where all is well", () => {
    const page = pageOf(comparingOf(ledgerOf()));
    expect(headings(page)).to.deep.equal(["In short", "First calls", "Throughput", "What was compared"]);
    expect(page).to.contain("4 pairs of outcomes compared");
    expect(page).to.match(/First calls: nodejs:20, never called before<\/td><td>101<\/td><td>3\.00<\/td>/);
    expect(page).to.match(/class="group ratio better">33\.7/);
  });

  it("is one page with plots, which asks for nothing from elsewhere", () => {
    const page = pageOf(comparingOf(ledgerOf()));
    // Two for the first calls, one for the throughput.
    expect(page.match(/<svg /g)?.length).to.equal(3);
    expect(page).not.to.match(/<script|<link|<img|<iframe|@import|url\(|\ssrc=|\shref=/);
    expect(page).to.contain("p > b { }");
  });

  it("leads with results that differ, and shows both", () => {
    const page = pageOf(comparingOf(ledgerOf({ differs: true })));
    expect(headings(page).slice(0, 3)).to.deep.equal(["Results differ", "Results that differ", "In short"]);
    expect(page).to.contain("in 1 of 4 pairs");
    expect(page).to.contain("<code>{&quot;result&quot;:3}</code>");
    expect(page).to.contain("<code>{&quot;result&quot;:&quot;&lt;b&gt;other&lt;/b&gt;&quot;}</code>");
  });

  it("says at its head that it is partial, and which side failed", () => {
    const ending: Ending = { kind: "lost", side: "stock", during: "first calls", why: "ECONNREFUSED" };
    const page = pageOf(comparingOf(ledgerOf(), ending));
    expect(headings(page)[0]).to.equal("Partial report");
    expect(page).to.contain("stock failed after 1 min 30 s, during “first calls”: ECONNREFUSED");
    const stopped = pageOf(comparingOf(ledgerOf(), { kind: "interrupted", during: "warm" }));
    expect(stopped).to.contain("it was interrupted after 1 min 30 s");
  });

  it("has nothing but what was measured before the first call", () => {
    const page = pageOf(comparingOf(new Ledger(), { kind: "interrupted", during: "warm" }));
    expect(headings(page)).to.deep.equal(["Partial report", "What was compared"]);
  });

  it("tells of failed calls, throttling and outages, and leaves failures out of the figures", () => {
    const ledger = ledgerOf({ fails: true });
    ledger.throttled.stock.answers = 3;
    ledger.throttled.stock.waitedMs = 7000;
    ledger.outages.push({ side: "rewhisk", startedMs: 60_000, lastedMs: 4000 });
    const page = pageOf(comparingOf(ledger));
    expect(page).to.contain("2 calls gave no successful activation");
    expect(page).to.contain("stock throttled 3 calls (429), which cost 7 s of waiting");
    expect(page).to.contain("rewhisk did not answer for 4 s, 1 min 0 s after the start");
    expect(page).to.contain("Calls without a successful activation");
    expect(allRows(ledger)[0]?.spreads.stock?.n).to.equal(3);
  });

  it("says at its head which steps are not complete, the first of them alone where there are many", () => {
    const steps = [1, 2, 3, 4, 5, 6].map((number) => ({
      ...{ side: "stock" as const, during: `step ${number}`, why: "stock refused: no" },
    }));
    const page = pageOf(comparingOf(ledgerOf(), { kind: "incomplete", steps, of: 9 }));
    expect(headings(page)[0]).to.equal("Partial report");
    expect(page).to.contain("6 of 9 steps are not complete. “step 1”: stock refused: no. “step 2”");
    expect(page).to.contain("“step 4”: stock refused: no. And 2 more, which are in the JSON file.");
    expect(page).not.to.contain("step 5");
  });

  it("has one line for all outages of a side", () => {
    const ledger = ledgerOf();
    for (const startedMs of [10_000, 20_000, 30_000]) {
      ledger.outages.push({ side: "stock", startedMs, lastedMs: 1000 });
    }
    ledger.outages.push({ side: "rewhisk", startedMs: 60_000, lastedMs: 4000 });
    const { length } = headings(pageOf(comparingOf(ledger)));
    expect(length).to.equal(headings(pageOf(comparingOf(ledgerOf()))).length + 2);
    expect(pageOf(comparingOf(ledger))).to.contain(
      "stock did not answer for 3 s in all, 3 times, first 10 s after the start",
    );
  });

  it("says of a ratio whether chance may have made it, and whether it is a loss", () => {
    const ledger = new Ledger();
    const add = (side: "stock" | "rewhisk", tookMs: number, index: number): boolean =>
      ledger.activation(
        { series: first, side, pass: 0, index },
        { ...activation, outcome: "" },
        { startedMs: 0, tookMs, throttled: 0 },
      );
    for (let i = 0; i < 20; i++) add("stock", 10 + i, i);
    for (let i = 0; i < 20; i++) add("rewhisk", 40 + i, i);
    expect(pageOf(comparingOf(ledger))).to.match(/ratio worse">0\.\d+\u202f× \(.*?\): worse/);
    ledger.calls.length = 0;
    for (let i = 0; i < 20; i++) for (const side of ["stock", "rewhisk"] as const) add(side, 10 + i, i);
    expect(pageOf(comparingOf(ledger))).to.match(/ratio even">1\.00\u202f× \(.*?\): even/);
  });
});

describe("a comparison for other programs", () => {
  it("has a line of CSV for each call", () => {
    const lines = callsAsCsv(ledgerOf()).split("\r\n");
    expect(lines[0]).to.equal(
      "part,kind,subject,side,pass,index,startedMs,tookMs,waitMs,initMs,durationMs,activationId,throttled",
    );
    expect(lines[1]).to.equal("first,nodejs:20,never called before,stock,0,0,0.000,100.000,5,3,4,0123,0");
    expect(lines.length).to.equal(1 + 8 + 1);
  });

  it("quotes what has commas", () => {
    const ledger = new Ledger();
    const series: Series = { ...first, subject: 'a, "b"' };
    const times = { startedMs: 0, tookMs: 1, throttled: 0 };
    ledger.activation({ series, side: "stock", pass: 0, index: 0 }, { ...activation, outcome: "" }, times);
    expect(callsAsCsv(ledger)).to.contain('first,nodejs:20,"a, ""b""",stock');
  });

  it("has all figures and what went wrong as JSON", () => {
    const ending: Ending = { kind: "lost", side: "stock", during: "x", why: "y" };
    const found = JSON.parse(figuresAsJson(comparingOf(ledgerOf({ differs: true }), ending)));
    expect(found.isSound).to.equal(false);
    expect(found.ending).to.deep.equal(ending);
    expect(found.differences[0].outcomes.stock).to.equal('{"result":3}');
    expect(found.figures[0]).to.include({ part: "first", kind: "nodejs:20", measure: "call", unit: "ms" });
    expect(found.figures[0].spreads.stock).to.deep.equal({ p50: 101, p95: 103, p99: 103, n: 4 });
    expect(JSON.parse(figuresAsJson(comparingOf(ledgerOf()))).isSound).to.equal(true);
  });
});

describe("markup", () => {
  it("is escaped unless it is markup already", () => {
    expect(
      markup`<p title="${'"'}">${"<&>'"}${[1, markup`<b>${"x"}</b>`]}${new Markup("<i>")}</p>`.text,
    ).to.equal('<p title="&quot;">&lt;&amp;&gt;&#39;1<b>x</b><i></p>');
  });
});
