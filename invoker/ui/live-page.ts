// The live page at `/ui`: its files, and the stream of snapshots that they show.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectFolder } from "../config/entries.ts";
import type { Answer } from "../http.ts";
import type { Watchers } from "./watchers.ts";

const types = {
  html: "text/html; charset=UTF-8",
  css: "text/css; charset=UTF-8",
  js: "text/javascript; charset=UTF-8",
  svg: "image/svg+xml",
} as const;

/** Below `invoker/ui/page`, which is served as it is. */
const files = [
  ...["style.css", "icon.svg", "main.js", "stream.js", "history.js"],
  ...["summary.js", "containers.js", "charts.js", "activations.js", "parts.js", "words.js"],
] as const;

/** Nothing from elsewhere, nothing inline but `script`, in nobody's frame. */
const policy = (script = ""): string =>
  `default-src 'none'; script-src 'self'${script}; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const headers = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": policy(),
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  // For proxies that would keep events back.
  "X-Accel-Buffering": "no",
} as const;

/** What a browser needs to ask for name and password. */
export const challenge = { "WWW-Authenticate": 'Basic realm="rewhisk", charset="UTF-8"' } as const;

export function isOfLivePage(path: string): boolean {
  return path === "/ui" || path.startsWith("/ui/");
}

/** By method and path, for operators alone. */
export function livePageRoutes(watchers: Watchers): { readonly [route: string]: () => Promise<Answer> } {
  return {
    "GET /ui": page,
    "GET /ui/": async () => ({
      status: 308,
      type: "text/plain; charset=UTF-8",
      body: "",
      headers: { Location: "../ui" },
    }),
    ...Object.fromEntries(files.map((name) => [`GET /ui/${name}`, () => file(name)])),
    "GET /ui/events": async () => stream(watchers),
  };
}

/** Its own script is known by its hash. */
async function page(): Promise<Answer> {
  const answer = await file("index.html");
  const [, script = ""] = /<script>(.*?)<\/script>/s.exec(answer.body) ?? [];
  const hash = createHash("sha256").update(script).digest("base64");
  return { ...answer, headers: { ...headers, "Content-Security-Policy": policy(` 'sha256-${hash}'`) } };
}

async function file(name: string): Promise<Answer> {
  const type = types[name.slice(name.lastIndexOf(".") + 1) as keyof typeof types];
  const body = await readFile(join(projectFolder(), "invoker", "ui", "page", name), "utf8");
  return { status: 200, type, body, headers };
}

function stream(watchers: Watchers): Answer {
  if (watchers.isFull) {
    const body = JSON.stringify({
      error: `${watchers.count} pages watch this invoker already: close one of them`,
    });
    return { status: 503, type: "application/json", body, headers: { ...headers, "Retry-After": "10" } };
  }
  return {
    ...{ status: 200, type: "text/event-stream", body: "" },
    ...{ headers, goesOn: (response) => watchers.add(response) },
  };
}
