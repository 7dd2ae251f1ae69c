// The queries of the alerts and of the dashboard, and what they name.

import { readFileSync } from "node:fs";

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

export const alertsFile = "monitoring/alerts.yml";

export function dashboardPanels(): readonly Panel[] {
  const { panels } = JSON.parse(readFileSync("monitoring/dashboard.json", "utf8")) as {
    readonly panels: readonly Panel[];
  };
  return panels;
}

export function alertNames(): string[] {
  return Array.from(readFileSync(alertsFile, "utf8").matchAll(/- alert: (\w+)/g), ([, name]) => name ?? "");
}

/** With what Grafana puts in for its variables. */
export function dashboardQueries(): string[] {
  const queries = dashboardPanels().flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  return queries.map((query) => query.replaceAll("$__rate_interval", "1m").replaceAll("$instance", ".*"));
}

/** Each on one line. */
export function alertQueries(): string[] {
  const text = readFileSync(alertsFile, "utf8");
  const queries = text.matchAll(/^ +expr: (?:\|\n((?: {10,}.*\n)+)|'(.*)'|(.*))$/gm);
  return Array.from(queries, ([, block, quoted, plain]) => (block ?? quoted ?? plain ?? "").trim());
}

export interface Selector {
  /** Or a pattern for the whole name. */
  readonly name: string | RegExp;
  readonly matchers: readonly { readonly label: string; readonly value: string }[];
}

const notNames = new Set(["and", "or", "unless"]);

/** What a query selects: every name in it that is neither a function nor a word of the language. */
export function selectorsOf(query: string): Selector[] {
  const bare = query.replaceAll(/\b(?:by|without) \([^)]*\)/g, "");
  const found = bare.matchAll(
    /(?<![\w"$])([a-zA-Z_:][\w:]*)?(\{[^}]*\})|(?<![\w"$])([a-zA-Z_:][\w:]*)(?![\w:]*\s*[({])/g,
  );
  return Array.from(found, ([, before, braces = "", alone]): Selector => {
    const matchers = Array.from(braces.matchAll(/(\w+)=~?"([^"]*)"/g), ([, label = "", value = ""]) => {
      return { label, value };
    });
    const pattern = matchers.find(({ label }) => label === "__name__");
    const name = pattern ? new RegExp(`^${pattern.value}$`) : (before ?? alone ?? "");
    return { name, matchers: matchers.filter((one) => one !== pattern) };
  }).filter(({ name }) => !notNames.has(String(name)));
}
