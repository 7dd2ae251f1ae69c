// openwhisk-config/SETTINGS.md, made from settings.json: `npm run settings` writes it, a test holds it to the settings.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  allEntries,
  type IgnoredEntry,
  projectFolder,
  type SettingEntry,
} from "../invoker/config/entries.ts";
import { documentDifference } from "./generated-document.ts";

const file = join(projectFolder(), "openwhisk-config", "SETTINGS.md");

const head = `# Settings

Every key of OpenWhisk that concerns an invoker, and rewhisk's own. Made from \`settings.json\` by \`npm run settings\`; \`npm test\` fails where
they differ. Each is set as for OpenWhisk's invoker, the later way wins:

1. by the HOCON text in \`OPENWHISK_CONFIG\`, or in base64 in \`OPENWHISK_ENCODED_CONFIG\`. It may include \`classpath("application.conf")\`,
   which stands for the defaults below, and no other file;
2. by a variable: \`CONFIG_whisk_containerPool_userMemory\` sets \`whisk.container-pool.user-memory\`. Parts in camel case become kebab case,
   those that begin with a capital stay; items of lists are numbered (\`…_dnsServers_0\`), for a text is never a list; an empty value sets nothing; \`$NAME\` stands for the
   value of another variable. Keys in capitals are variables themselves.

Sizes: \`m\`, \`M\` and \`MiB\` are 2^20 bytes, \`MB\` is 10^6, a bare number is bytes. Durations have a unit: \`100 ms\`, \`10 seconds\`, \`5 m\`.
All malformed values are listed at once and the program ends with exit code 2; keys without effect, and keys nobody knows, are logged once.
`;

const units = { ms: " ms", B: " B", MB: " MB" } as const;

function defaultText({ default: usual, unit, required, standalone }: SettingEntry): string {
  if (required === true) return "required";
  if (usual === null) return "unset";
  if (typeof usual === "object") {
    const parts = Object.entries(usual).map(
      ([name, value]) => `\`${name} = ${value === "" ? '""' : value}\``,
    );
    return parts.length === 0 ? "none" : parts.join(", ");
  }
  const other = standalone === undefined ? "" : ` (standalone: ${standalone}${unit && units[unit]})`;
  return usual === "" ? '`""`' : `\`${usual}\`${unit === undefined ? "" : units[unit]}${other}`;
}

function section(title: string, columns: readonly string[], rows: readonly string[]): string {
  const line = columns.map(() => "---").join(" | ");
  return `## ${title}\n\n| ${columns.join(" | ")} |\n| ${line} |\n${rows.join("\n")}\n`;
}

function keyText({ key, variable }: SettingEntry | IgnoredEntry): string {
  return `\`${key}\`${variable === undefined ? "" : ` (\`${variable}\`)`}`;
}

/** The whole text, but for how its columns are aligned. */
export function settingsDocument(): string {
  const entries = allEntries();
  const heeded = entries.flatMap((entry) => ("type" in entry ? [entry] : []));
  const ignored = entries.flatMap((entry) => ("reason" in entry ? [entry] : []));
  const rows = (of: readonly SettingEntry[]): string[] =>
    of.map((entry) => `| ${keyText(entry)} | ${defaultText(entry)} | ${entry.meaning} |`);
  const columns = ["key", "default", "meaning here"];
  return [
    head,
    section("Honoured", columns, rows(heeded.filter(({ here }) => here === undefined))),
    section(
      "Of the standalone server's controller, without effect on an invoker",
      columns,
      rows(heeded.filter(({ here }) => here === "standalone")),
    ),
    section(
      "Not applicable",
      ["key", "why"],
      ignored.map((entry) => `| ${keyText(entry)} | ${entry.reason} |`),
    ),
  ].join("\n");
}

/** The first line in which the file differs from the settings; undefined: it says what they say. */
export function settingsDifference(): string | undefined {
  return documentDifference(file, settingsDocument());
}

if (process.argv[1] === import.meta.filename) writeFileSync(file, settingsDocument());
