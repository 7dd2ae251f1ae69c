// Pictures of the live page under load, for the documents: light, dark and narrow.

import { setTimeout as sleep } from "node:timers/promises";
import { TestBrowser } from "../browser.ts";
import { LoadedPage } from "./load.ts";

const containers = 48;
/** Until the page shows two minutes of load. */
const loadMs = Number(process.env.LOAD_SECONDS ?? 125) * 1000;

const pictures = [
  { name: "live-page", viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  { name: "live-page-dark", viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  { name: "live-page-narrow", viewport: { width: 390, height: 844 }, colorScheme: "light" },
] as const;

/** Into `folder`, as PNG files. */
export async function takeScreenshots(folder: string): Promise<void> {
  const loaded = await LoadedPage.start(containers);
  const browser = new TestBrowser();
  try {
    await browser.open();
    const open = pictures.map(async ({ name, ...options }) => {
      const { page } = await browser.page(options);
      await page.goto(loaded.url);
      return { name, page };
    });
    const pages = await Promise.all(open);
    console.log(`Load for ${loadMs / 1000} s ...`);
    await sleep(loadMs);
    for (const { name, page } of pages) {
      const path = `${folder}/${name}.png`;
      await page.screenshot({ path, fullPage: true });
      console.log(path);
    }
  } finally {
    await browser.close();
    await loaded.stop();
  }
}
