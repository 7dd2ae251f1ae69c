// The alerts and the dashboard as Prometheus reads them: each query is one, each alert fires when it should and only then.

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import {
  alertNames,
  alertQueries,
  alertsFile,
  dashboardPanels,
  dashboardQueries,
  selectorsOf,
} from "./queries.ts";

const run = promisify(execFile);
const unpacked = "build/prometheus/usr/bin/promtool";
const promtool = existsSync(unpacked) ? unpacked : "promtool";
const firingTests = "test/monitoring/alerts.test.yml";

describe("the alerts", () => {
  it("are rules to Prometheus", async () => {
    const { stdout } = await run(promtool, ["check", "rules", alertsFile]);
    expect(stdout).to.contain(`SUCCESS: ${alertNames().length} rules found`);
  });

  it("all fire on an invoker with which everything is wrong, and none on one that is well", async () => {
    await run(promtool, ["test", "rules", firingTests]);
    const fired = readFileSync(firingTests, "utf8").matchAll(/alertname="(\w+)"/g);
    expect(Array.from(fired, ([, name]) => name)).to.have.members(alertNames());
    expect(alertQueries()).to.have.length(alertNames().length);
  });

  it("all say how bad it is, what is the matter and what to do", () => {
    const rules = readFileSync(alertsFile, "utf8").split("- alert: ").slice(1);
    for (const rule of rules) {
      expect(rule).to.match(/severity: (critical|warning|info) /);
      expect(rule).to.match(/summary: ".+"\n +remedy: .+\n/);
    }
  });
});

describe("the dashboard", () => {
  it("has queries that Prometheus can read, and legends of labels that they leave", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rewhisk-dashboard-"));
    try {
      const rules = dashboardQueries().map((expr, i) => ({ record: `query:${i}`, expr }));
      const file = join(folder, "queries.json");
      writeFileSync(file, JSON.stringify({ groups: [{ name: "dashboard", rules }] }));
      const { stdout } = await run(promtool, ["check", "rules", file]);
      expect(stdout).to.contain(`SUCCESS: ${rules.length} rules found`);
    } finally {
      rmSync(folder, { recursive: true });
    }
    for (const { targets = [] } of dashboardPanels()) {
      for (const { expr, legendFormat } of targets) {
        const [, kept = "instance"] = /\bby \(([^)]*)\)/.exec(expr) ?? [];
        for (const [, label = ""] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
          expect(kept.split(", "), `${legendFormat} of ${expr}`).to.contain(label);
        }
      }
    }
  });

  it("has panels that do not overlap, each under a number and a title of its own", () => {
    const panels = dashboardPanels();
    expect(new Set(panels.map(({ id }) => id)).size).to.equal(panels.length);
    expect(new Set(panels.map(({ title }) => title)).size).to.equal(panels.length);
    const taken = new Set<string>();
    for (const { title, gridPos } of panels) {
      const { x, y, w, h } = gridPos;
      expect(x + w, title).to.be.at.most(24);
      for (let row = y; row < y + h; row++)
        for (let column = x; column < x + w; column++) {
          expect(taken.has(`${row} ${column}`), title).to.equal(false);
          taken.add(`${row} ${column}`);
        }
    }
  });
});

describe("the reading of queries", () => {
  it("finds what they select, by name or by pattern, with the labels", () => {
    expect(
      selectorsOf('sum by (le) (rate(a_bucket{x="1",y=~"2|3"}[5m])) > 0.01 * b_total and c > 0'),
    ).to.deep.equal([
      {
        name: "a_bucket",
        matchers: [
          { label: "x", value: "1" },
          { label: "y", value: "2|3" },
        ],
      },
      { name: "b_total", matchers: [] },
      { name: "c", matchers: [] },
    ]);
    expect(selectorsOf('{__name__=~"gauge_.+"} > 5')).to.deep.equal([{ name: /^gauge_.+$/, matchers: [] }]);
  });
});
