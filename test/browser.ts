// A headless Chromium for tests of pages, and pages that note what they ask for and what goes wrong in them.

import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

export type { Page, Route } from "playwright-core";

/** Of Debian's package, which test/set-up.mjs installs. */
export const chromiumFile = "/usr/bin/chromium";

/** It is to ask for nothing by itself. */
const switches = [
  ...["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  ...["--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
];

/** For all that is waited for in a page: only a machine with far too much to do comes near it. */
const patienceMs = 90_000;

export interface OpenPage {
  readonly page: Page;
  /** Exceptions, refused requests and what the console has of errors. */
  readonly errors: string[];
  /** The origin of every request so far, such as `http://127.0.0.1:8080`. */
  readonly origins: ReadonlySet<string>;
}

export class TestBrowser {
  #browser: Browser | undefined;
  #home: string | undefined;

  /** With an empty profile, and a home folder of its own. Where there is no browser `test` is skipped, if given. */
  async open(test?: Mocha.Context): Promise<void> {
    if (test !== undefined && !existsSync(chromiumFile)) {
      console.log(`      skipped: there is no ${chromiumFile}; on Debian: apt-get install -y chromium`);
      test.skip();
    }
    this.#home = await mkdtemp(join(tmpdir(), "rewhisk-browser-"));
    this.#browser = await chromium.launch({
      ...{ executablePath: chromiumFile, headless: true, chromiumSandbox: false, args: switches },
      env: { PATH: process.env.PATH ?? "", HOME: this.#home, TMPDIR: this.#home },
    });
  }

  /** An empty page that shares nothing with others: `httpCredentials`, `colorScheme`, `viewport` and more. */
  async page(options: BrowserContextOptions = {}): Promise<OpenPage> {
    if (this.#browser === undefined) throw new Error("the browser is not open");
    const context = await this.#browser.newContext(options);
    context.setDefaultTimeout(patienceMs);
    const page = await context.newPage();
    const errors: string[] = [];
    const origins = new Set<string>();
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    context.on("request", (request) => origins.add(new URL(request.url()).origin));
    return { page, errors, origins };
  }

  /** Also where it was never opened. */
  async close(): Promise<void> {
    await this.#browser?.close();
    if (this.#home !== undefined) await rm(this.#home, { recursive: true, force: true });
  }
}
