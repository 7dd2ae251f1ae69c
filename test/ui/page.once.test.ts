// The live page in a browser, in front of an invoker that is only shown: what it says, how it is used, and how it misses the invoker.

import { expect } from "chai";
import { type AdminServer, serveAdmin } from "../../invoker/http.ts";
import type { InvokerStatus } from "../../invoker/service.ts";
import { defaultWatchLimits } from "../../invoker/ui/watchers.ts";
import { type OpenPage, type Page, type Route, TestBrowser } from "../browser.ts";
import { StandIn, status } from "../unit/invoker/stand-in.ts";
import { within } from "../within.ts";
import { Gate } from "./gate.ts";

const [username, password] = ["operator", "of this"];
const limitMs = 90_000;
const everyMs = 50;
const container = { memoryMB: 256, owner: "guest/secret-of-somebody", lastUsed: 0 };
const pool: InvokerStatus["pool"] = {
  ...{ memoryMB: 2048, reservedMB: 1536, waiting: 4 },
  containers: [
    { ...container, id: 1, kind: "nodejs:20", state: "running" },
    { ...container, id: 2, kind: "python:3", state: "clean" },
    { ...container, id: 3, kind: "nodejs:20", state: "rewinding" },
    { ...container, id: 4, kind: "java:8", state: "warm", image: "secret/image:of-somebody" },
    { ...container, id: 5, kind: "nodejs:20", state: "starting" },
    { ...container, id: 6, kind: "nodejs:20", state: "tainted" },
  ],
};

/** Run in the page. */
const cellColours =
  '[...document.querySelectorAll("#grid button")].map((cell) => getComputedStyle(cell).backgroundColor)';
const cellStates =
  '[...document.querySelectorAll("#grid button")].map((cell) => cell.dataset.id + cell.dataset.state).join()';
const isInFull =
  'getComputedStyle(document.querySelector(".sprite")).display === "none" && document.querySelector("h1 img").naturalWidth > 0';

describe("the live page", function () {
  this.timeout(240_000);
  const browser = new TestBrowser();
  let invoker: StandIn;
  let server: AdminServer;
  let gate: Gate;
  before(async function () {
    await browser.open(this);
  });
  after(() => browser.close());
  beforeEach(async () => {
    invoker = new StandIn();
    invoker.shown = { ...status, pool };
    server = await serve();
    gate = await Gate.open(() => server.port);
  });
  afterEach(async () => {
    await gate.close();
    await server.close();
  });

  async function serve(limits: Partial<typeof defaultWatchLimits> = {}): Promise<AdminServer> {
    const settings = {
      ...{ host: "127.0.0.1", port: 0, username, password, showsMetrics: true, tls: undefined },
      transactionHeader: "X-Request-ID",
    };
    return await serveAdmin(invoker, settings, undefined, { ...defaultWatchLimits, everyMs, ...limits });
  }

  const address = (): string => `http://127.0.0.1:${gate.port}/ui`;
  async function open(options: Parameters<TestBrowser["page"]>[0] = {}): Promise<OpenPage> {
    const opened = await browser.page({ httpCredentials: { username, password }, ...options });
    await opened.page.goto(address());
    await opened.page.getByRole("status").getByText("Live").waitFor();
    return opened;
  }
  const says = (page: Page, text: string | RegExp): Promise<void> => page.getByText(text).first().waitFor();
  /** Resolves once the page's part has this text. */
  async function shows(page: Page, id: string, text: string): Promise<void> {
    await within(limitMs, async () =>
      (await page.locator(`#${id}`).textContent()) === text ? true : undefined,
    );
  }

  it("opens for an operator alone", async () => {
    const { page } = await browser.page();
    const answer = await page.goto(address()).catch(String);
    expect(answer).to.contain("ERR_INVALID_AUTH_CREDENTIALS");
    expect((await open()).errors).to.deep.equal([]);
  });

  it("asks for nothing but its own files, and runs without a complaint", async () => {
    const { page, errors, origins } = await open();
    await shows(page, "waiting", "4");
    expect([...origins]).to.deep.equal([new URL(address()).origin]);
    expect(errors).to.deep.equal([]);
  });

  it("says how the invoker is, in words", async () => {
    const { page } = await open();
    expect(await page.title()).to.equal("invoker0/0 · rewhisk");
    await shows(page, "phase", "ready");
    await shows(page, "rung", "rung: soft-dirty");
    await shows(page, "memory-share", "75%");
    await shows(page, "under-way", "3");
    invoker.disable();
    await shows(page, "phase", "disabled");
    invoker.shown = { ...status, pool, notReady: ["database", "bus"] };
    await shows(page, "phase", "no database, no bus");
    invoker.shown = { ...status, pool, phase: "draining", notReady: ["pool"] };
    await shows(page, "phase", "draining");
  });

  it("shows each container by colour, by shape and by words, and nothing of its owner", async () => {
    const { page } = await open();
    const cells = page.getByRole("toolbar", { name: "Containers" }).getByRole("button");
    await cells.nth(5).waitFor();
    const shapes = new Set<string>();
    for (const [i, { id, state, kind }] of pool.containers.entries()) {
      const cell = cells.nth(i);
      const name = await cell.getAttribute("aria-label");
      expect(name).to.contain(`Container ${id}: ${state}, `).and.to.contain(kind);
      shapes.add((await cell.locator("use").getAttribute("href")) ?? "");
    }
    const colours = new Set(await page.evaluate<string[]>(cellColours));
    expect([shapes.size, colours.size]).to.deep.equal([6, 6]);
    expect(await cells.nth(3).getAttribute("aria-label")).to.match(/Docker$/);
    const counts = page.locator("#states li b");
    expect(await counts.allTextContents()).to.deep.equal(["1", "1", "1", "1", "1", "1", "0"]);
    expect(await page.content()).to.not.match(/secret/);
  });

  it("follows containers that change, come and go", async () => {
    const { page } = await open();
    const [first, , , ...others] = pool.containers;
    if (first === undefined) throw new Error("no container");
    const containers = [{ ...first, state: "clean" as const }, ...others, { ...first, id: 9 }];
    invoker.shown = { ...status, pool: { ...pool, containers } };
    await within(limitMs, async () => {
      const ids = await page.evaluate(cellStates);
      return ids === "1clean,4warm,5starting,6tainted,9running" || undefined;
    });
  });

  it("counts what ends, and names it by its id", async () => {
    const { page } = await open();
    await says(page, "None has ended since this page was opened.");
    const { metrics, endings } = invoker.observer;
    metrics.activations.inc({ status: 0 }, 3);
    metrics.activations.inc({ status: 2 });
    metrics.starts.inc({ start: "rewound" }, 3);
    metrics.starts.inc({ start: "cold" });
    metrics.tainted.inc({ reason: "survivor" }, 2);
    for (let i = 0; i < 3; i++) metrics.rewind.observe({ rung: "soft-dirty" }, 0.0008);
    for (const tell of endings) {
      tell({ activationId: "a".repeat(32), status: 0, endedMs: 0, start: "rewound", initMs: 12, runMs: 3 });
      tell({ activationId: "b".repeat(32), status: 2, endedMs: 0 });
    }
    await shows(page, "ended", "4 ended, 1 failed");
    await shows(page, "rewind-half", "≤ 1 ms");
    const row = page.getByRole("row");
    await row
      .filter({ hasText: "a".repeat(32) })
      .filter({ hasText: /success.*rewound.*12 ms.*3 ms/ })
      .waitFor();
    await row
      .filter({ hasText: "b".repeat(32) })
      .filter({ hasText: /developer error.*not run/ })
      .waitFor();
    await row.filter({ hasText: /^rewound75%.*3$/ }).waitFor();
    await row.filter({ hasText: /^survivor100%22$/ }).waitFor();
    await page.getByRole("img", { name: /^3 rewinds, 0.8 ms on average/ }).waitFor();
    await page.getByRole("img", { name: /^Now .* per second/ }).waitFor();
  });

  it("holds the list of activations still when asked to", async () => {
    const { page } = await open();
    const pause = page.getByRole("button", { name: "Pause" });
    const end = (letter: string): void => {
      for (const tell of invoker.observer.endings)
        tell({ activationId: letter.repeat(32), status: 0, endedMs: 0 });
    };
    const firstId = page.locator("#recent .id").first();
    end("a");
    await firstId.getByText("a".repeat(32)).waitFor();
    await pause.press("Enter");
    expect(await pause.getAttribute("aria-pressed")).to.equal("true");
    end("b");
    // What is not held still goes on meanwhile.
    invoker.observer.metrics.activations.inc({ status: 0 });
    await shows(page, "ended", "1 ended, 0 failed");
    expect(await firstId.textContent()).to.equal("a".repeat(32));
    await pause.press("Enter");
    await firstId.getByText("b".repeat(32)).waitFor();
  });

  it("is used by keys alone", async () => {
    const { page } = await open();
    await page.locator("#grid button").nth(5).waitFor();
    await page.keyboard.press("Tab");
    const focused = page.locator(":focus");
    expect(await focused.getAttribute("aria-label")).to.match(/^Container 1: /);
    for (const [key, id] of [
      ["ArrowRight", 2],
      ["End", 6],
      ["ArrowRight", 6],
      ["Home", 1],
      ["ArrowLeft", 1],
    ] as const) {
      await page.keyboard.press(key);
      expect(await focused.getAttribute("data-id"), key).to.equal(String(id));
    }
    await page.keyboard.press("ArrowRight");
    await says(page, /^Container 2: clean, ready for anybody; python:3, 256 MB, lean$/);
    await page.keyboard.press("Tab");
    expect(await focused.textContent()).to.equal("Pause");
    await page.keyboard.press("Shift+Tab");
    expect(await focused.getAttribute("data-id")).to.equal("2");
  });

  it("says when the connection is lost, tries again, and goes on", async () => {
    const { page } = await open();
    await shows(page, "waiting", "4");
    gate.shut();
    await says(page, "Not connected");
    await says(page, /^The invoker does not answer\. What is shown is of \d\d:\d\d:\d\d\. /);
    invoker.shown = { ...status, pool: { ...pool, waiting: 0 } };
    gate.reopen();
    await page.getByRole("status").getByText("Live").waitFor();
    await shows(page, "waiting", "0");
    expect(await page.getByRole("button", { name: "Try now" }).isVisible()).to.equal(false);
  });

  it("is loaded again when a script of it was lost on the way, as soon as the invoker answers", async () => {
    const { page } = await browser.page({ httpCredentials: { username, password } });
    const once = { times: 1 };
    const loseWithInvoker = async (route: Route): Promise<void> => {
      await page.locator("footer").waitFor({ state: "attached" });
      gate.shut();
      await route.abort("connectionreset");
    };
    await page.route("**/ui/main.js", loseWithInvoker, once);
    // One that another asks for, when the page is loaded for the second time.
    await page.route("**/ui/words.js", (route) => route.abort("connectionreset"), once);
    await page.goto(address());
    await says(page, /^Not all of this page came/);
    gate.reopen();
    await page.getByRole("status").getByText("Live").waitFor();
  });

  it("fetches its style and its icon again when they were lost on the way", async () => {
    const { page } = await browser.page({ httpCredentials: { username, password } });
    for (const lost of ["style.css", "icon.svg"])
      await page.route(`**/ui/${lost}`, (route) => route.abort("connectionreset"), { times: 1 });
    await page.goto(address());
    await page.getByRole("status").getByText("Live").waitFor();
    await within(limitMs, async () => (await page.evaluate<boolean>(isInFull)) || undefined);
  });

  it("tries at once when told to", async () => {
    const { page } = await open();
    gate.shut();
    // Long enough for the click to come before that, on a busy machine too: the pauses grow.
    await says(page, /Next try in [678] s\./);
    gate.reopen();
    await page.getByRole("button", { name: "Try now" }).click();
    await page.getByRole("status").getByText("Live").waitFor();
  });

  it("misses an invoker that says nothing, though nothing was cut", async () => {
    const { page } = await open();
    gate.hold();
    await says(page, /^Nothing has been heard of the invoker for 5 s\./);
    await page.getByRole("status").getByText("Live").waitFor();
  });

  it("says when as many pages are open as may be, and comes in when there is room", async () => {
    await server.close();
    server = await serve({ watchersMax: 1 });
    const { page: first } = await open();
    const { page } = await browser.page({ httpCredentials: { username, password } });
    await page.goto(address());
    await says(page, /^As many pages watch this invoker as may: close one of them\./);
    await first.close();
    await page.getByRole("status").getByText("Live").waitFor();
  });

  it("begins its figures anew with another life of the invoker", async () => {
    const { page } = await open();
    invoker.observer.metrics.activations.inc({ status: 0 }, 1000);
    await shows(page, "ended", "1,000 ended, 0 failed");
    invoker = new StandIn();
    invoker.startedMs = 5;
    const old = server;
    server = await serve();
    await old.close();
    await shows(page, "ended", "0 ended, 0 failed");
    const label = await page.locator("#rate-plot").getAttribute("aria-label");
    expect(label).to.match(/^Now 0 per second|^No rate/);
  });

  for (const [what, options] of [
    ["a phone", { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }],
    ["a phone in the dark", { viewport: { width: 360, height: 740 }, colorScheme: "dark" }],
    ["a wide screen", { viewport: { width: 1920, height: 1080 } }],
  ] as const) {
    it(`fits ${what}`, async () => {
      const { page } = await open(options);
      for (const tell of invoker.observer.endings)
        tell({
          activationId: "a".repeat(32),
          status: 2,
          endedMs: 0,
          start: "rewound",
          initMs: 1234,
          runMs: 56_789,
        });
      await page.locator("#recent .id").first().waitFor();
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).to.be.at.most(0);
      const { text, shapes } = await page.evaluate<{ text: number; shapes: number }>(lowestContrasts);
      expect(text).to.be.at.least(4.5);
      expect(shapes).to.be.at.least(3);
    });
  }

  it("is dark where the reader wants it dark", async () => {
    const ground = async (colorScheme: "light" | "dark"): Promise<unknown> =>
      (await open({ colorScheme })).page.evaluate("getComputedStyle(document.body).backgroundColor");
    expect([await ground("light"), await ground("dark")]).to.deep.equal([
      "rgb(244, 246, 248)",
      "rgb(15, 20, 26)",
    ]);
  });
});

/** The lowest contrast with what is behind it, of text and of shapes, as WCAG counts it; run in the page. */
const lowestContrasts = `(() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour[3] !== 0) return colour;
    }
    return [255, 255, 255];
  };
  const lowest = (elements) => Math.min(...elements
    .filter((one) => one.checkVisibility({ visibilityProperty: true }))
    .map((one) => [light(parse(getComputedStyle(one).color)), light(behind(one))].sort((a, b) => b - a))
    .map(([high, low]) => (high + 0.05) / (low + 0.05)));
  const isText = (one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "");
  const text = lowest([...document.querySelectorAll("body *")].filter(isText));
  return { text, shapes: lowest([...document.querySelectorAll(".glyph")]) };
})()`;
