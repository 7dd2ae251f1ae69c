// The rows of docs/COMPATIBILITY.md: what stock's invoker does, section by section, what this one does, and the tests that show it.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../invoker/config/entries.ts";

/** Differs: on purpose, or at least harmlessly. Not yet: there is no code for it, or no test that shows it. */
export const states = ["supported", "differs", "not yet", "not applicable"] as const;

export interface NamedTest {
  /** From the project's folder. */
  readonly file: string;
  /** Of an `it` or a `describe`, as it is run; what is computed may stay as in the source: `${kind}`. */
  readonly title: string;
}

export interface CompatibilityRow {
  readonly stock: string;
  readonly state: (typeof states)[number];
  /** How it differs, what is missing, or why it does not apply; of what is supported only where it needs a word. */
  readonly here?: string;
  readonly tests?: readonly NamedTest[];
}

export interface Section {
  /** As in the specification: `7.10`. */
  readonly section: string;
  readonly title: string;
  readonly rows: readonly CompatibilityRow[];
}

export function loadSections(): readonly Section[] {
  const file = join(projectFolder(), "test", "compat", "compatibility.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { readonly sections: readonly Section[] }).sections;
}

/** A title between quotes, or the one variable that holds it. */
const titles = /\b(?:it|describe)\(\s*(?:(["'`])((?:\\.|(?!\1).)*)\1|(\w+),)/gs;
const placeholder = /\$\{[^}]*\}/;

/** Whether the source has a test of this title. What fills a placeholder must stand in it too, in quotes. */
function hasTitle(source: string, title: string): boolean {
  for (const [, quote, text = "", variable] of source.matchAll(titles)) {
    if (quote === '"' || quote === "'") {
      if (text.replaceAll(/\\(.)/g, "$1") === title) return true;
      continue;
    }
    const template = variable === undefined ? text : `\${${variable}}`;
    const parts = template.split(placeholder).map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
    const [, ...fillings] = new RegExp(`^${parts.join("(.+)")}$`, "s").exec(title) ?? [undefined];
    const isThere = (filling = ""): boolean =>
      source.includes(placeholder.test(filling) ? filling : JSON.stringify(filling));
    if (title === template || (fillings.length > 0 && fillings.every(isThere))) return true;
  }
  return false;
}

function complaintOfTest({ file, title }: NamedTest): string | undefined {
  const path = join(projectFolder(), file);
  if (!/^test\/.*\.test\.ts$/.test(file) || !existsSync(path)) return `there is no test file ${file}`;
  return hasTitle(readFileSync(path, "utf8"), title) ? undefined : `${file} has no test “${title}”`;
}

/** Says what is wrong with the rows, a line for each fault. */
export function complaintsOf(sections: readonly Section[]): readonly string[] {
  return sections.flatMap(({ section, rows }) =>
    rows.flatMap(({ stock, state, here = "", tests = [] }) => {
      const complaints = tests.map(complaintOfTest);
      if (!states.includes(state)) complaints.push(`${state} is no state`);
      if (state === "supported" && tests.length === 0) complaints.push("no test shows that it is supported");
      if (state !== "supported" && here === "") complaints.push("it does not say how, or why");
      return complaints.flatMap((one) => (one === undefined ? [] : [`${section}, ${stock}: ${one}`]));
    }),
  );
}
