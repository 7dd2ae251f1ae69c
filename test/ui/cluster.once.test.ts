// A cluster's invoker as its operators watch it: the live page, and the metrics that alerts and dashboard ask for.

import { expect } from "chai";
import { freePort } from "../../standalone/cluster/java.ts";
import { TestBrowser } from "../browser.ts";
import { ClusterSetting, nodeKind } from "../cluster/cluster-setting.ts";
import { alertQueries, dashboardQueries, selectorsOf } from "../monitoring/queries.ts";
import { within } from "../within.ts";
import { markedAction, showsNothingOf } from "./secrets.ts";

const limitMs = 120_000;
/** `whisk.invoker.username` and `.password` where they are not set. */
const credentials = "invoker.user:invoker.pass";
/** Put to every series by who scrapes it. */
const scrapeLabels = ["instance", "job"];

interface Scraped {
  readonly names: ReadonlySet<string>;
  /** `name label`, and `name label value` */
  readonly labels: ReadonlySet<string>;
}

describe("a cluster's invoker that is watched", function () {
  this.timeout(2 * limitMs);
  let cluster: ClusterSetting;
  let port: number;
  let activationId: string;

  before(async () => {
    cluster = await ClusterSetting.start();
    port = await freePort();
    const shown = {
      CONFIG_whisk_metrics_prometheusEnabled: "true",
      CONFIG_whisk_metrics_kamonEnabled: "true",
    };
    await cluster.invoker({ name: "watched", id: 0, variables: { PORT: String(port), ...shown } });
    await cluster.areSeenAs(["up"]);
    const { name, code, annotations, parameters } = markedAction;
    await cluster.controller.put(name, { exec: { kind: nodeKind, code }, annotations, parameters });
  });
  after(() => cluster.close());

  async function invoke(): Promise<string> {
    const { name, args } = markedAction;
    const { body } = await cluster.controller.invoke(name, args);
    expect(body.response.result.error).to.equal(args.secret);
    activationId = body.activationId;
    return activationId;
  }

  it("shows nothing of what activations are given, print and give", async () => {
    await showsNothingOf(`http://${credentials}@127.0.0.1:${port}/ui/events`, invoke);
  });

  it("has its live page behind the name and password of its other pages", async function () {
    const browser = new TestBrowser();
    try {
      await browser.open(this);
      const { page } = await browser.page();
      await page.goto(`http://${credentials}@127.0.0.1:${port}/ui`);
      await page
        .locator("#name")
        .getByText(/^invoker0/)
        .waitFor();
      await page.locator("#phase").getByText("ready").waitFor();
      await page
        .getByRole("row")
        .filter({ hasText: await invoke() })
        .waitFor();
    } finally {
      await browser.close();
    }
  });

  async function scrape(): Promise<Scraped> {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const names = new Set<string>();
    const labels = new Set<string>();
    for (const [, name = "", all = ""] of text.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/gm)) {
      names.add(name);
      for (const [, label = "", value = ""] of all.matchAll(/(\w+)="([^"]*)"/g)) {
        labels.add(`${name} ${label}`).add(`${name} ${label} ${value}`);
      }
    }
    return { names, labels };
  }

  it("has every metric that alerts and dashboard name, with those labels and values", async () => {
    // How much of a topic is unread is asked of the broker for the first time after a while.
    const { names, labels } = await within(limitMs, async () => {
      const all = await scrape();
      return all.names.has("gauge_kafka_invoker0_counter") ? all : undefined;
    });
    const selectors = [...alertQueries(), ...dashboardQueries()].flatMap(selectorsOf);
    expect(selectors).to.have.length.above(50);
    // `up` is Prometheus' own.
    for (const { name, matchers } of selectors.filter((one) => one.name !== "up")) {
      if (name instanceof RegExp) {
        expect(
          [...names].some((one) => name.test(one)),
          String(name),
        ).to.equal(true);
        continue;
      }
      expect(names.has(name), name).to.equal(true);
      for (const { label, value } of matchers.filter((one) => !scrapeLabels.includes(one.label)))
        expect(labels.has(`${name} ${label} ${value}`), `${name} ${label}="${value}"`).to.equal(true);
    }
  });
});
