// docs/COMPATIBILITY.md, made from compat/compatibility.json: `npm run compatibility` writes it, a test holds it to the data.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../invoker/config/entries.ts";
import {
  type CompatibilityRow,
  loadSections,
  type NamedTest,
  type Section,
  states,
} from "./compatibility.ts";
import { documentDifference } from "./generated-document.ts";

const file = join(projectFolder(), "docs", "COMPATIBILITY.md");

const head = `# Compatibility

What stock's invoker of Apache OpenWhisk does, section by section of the protocol, and what rewhisk does: in clusters whose controllers use the
sharding balancer, 1.0.0 and 2.0.0. Where a section is about controllers, the row speaks of the controller stand-in in \`standalone/\`.

- _supported_: as stock does it; the tests named show it.
- _differs_: otherwise, on purpose or without harm; the row says how and why. A test is named where there is one.
- _not yet_: there is no code for it, or no test that shows it.
- _not applicable_: not the matter of an invoker of such a cluster, or refused by name; the row says why.

_Lean_ containers are rewhisk's own, of the kinds it has runtimes for; _Docker_ containers run every other image. Made from
\`test/compat/compatibility.json\` by \`npm run compatibility\`; \`npm test\` fails where they differ, where a named test does not exist, and where
nothing shows what is called supported. In a title “…” stands for what the test fills in.
`;

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = columns.map(() => "---");
  return [columns, line, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const cell = (text: string): string => text.replaceAll("|", "\\|");

/** Each file once, with its titles. */
function testsText(tests: readonly NamedTest[]): string {
  const files = [...new Set(tests.map(({ file: path }) => path))].map((path) => {
    const titles = tests.flatMap((test) => (test.file === path ? [`“${cell(shown(test.title))}”`] : []));
    return `[${path.slice("test/".length)}](../${path}) ${titles.join(", ")}`;
  });
  return files.join("; ") || "–";
}

const shown = (title: string): string => title.replaceAll(/\$\{[^}]*\}/g, "…");

function rowText({ stock, state, here, tests = [] }: CompatibilityRow): readonly string[] {
  const said = here === undefined ? `_${state}_` : `_${state}_: ${cell(here)}`;
  return [cell(stock), said, testsText(tests)];
}

function sectionText({ section, title, rows }: Section): string {
  return `## ${section} ${title}\n\n${table(["stock", "here", "shown by"], rows.map(rowText))}\n`;
}

function sumText(sections: readonly Section[]): string {
  const rows = sections.flatMap((section) => section.rows);
  const counts = states.map((state) => String(rows.filter((row) => row.state === state).length));
  return `${table(states, [counts])}\n`;
}

/** The whole text, but for how its columns are aligned. */
export function compatibilityDocument(sections: readonly Section[] = loadSections()): string {
  return [head, sumText(sections), ...sections.map(sectionText)].join("\n");
}

/** The first line in which the page differs from the data; undefined: it says what they say. */
export function compatibilityDifference(sections?: readonly Section[]): string | undefined {
  return documentDifference(file, compatibilityDocument(sections));
}

if (process.argv[1] === import.meta.filename) writeFileSync(file, compatibilityDocument());
