// The values that an environment sets, gathered as stock does: plain variables, HOCON text and CONFIG_ variables.

import { allEntries, settingEntries } from "./entries.ts";
import { HoconError, leavesOf, mergeTrees, readHocon, type Scalar, type Tree, treeAt } from "./hocon.ts";
import { shapeProblems } from "./shapes.ts";

/** As process.env. */
export type Environment = { readonly [name: string]: string | undefined };

/** All values that are set, under their keys, and what cannot be read at all or stands where it cannot be read. */
export interface Gathered {
  readonly values: ReadonlyMap<string, Scalar>;
  readonly problems: readonly string[];
}

const prefix = "CONFIG_";

/**
 * The later of these wins: METRICS_… variables, OPENWHISK_CONFIG (or else OPENWHISK_ENCODED_CONFIG), CONFIG_… variables.
 * Other plain variables have keys of their own. Empty values count as absent.
 */
export function gatherSettings(environment: Environment): Gathered {
  const problems: string[] = [];
  let tree: Tree = new Map();
  const plain = new Map<string, Scalar>();
  for (const { key, variable } of allEntries()) {
    const name = variable ?? key;
    const text = /^[A-Z_]+$/.test(name) ? environment[name] : undefined;
    if (text === undefined || text === "") continue;
    if (variable === undefined) plain.set(key, { text, origin: name });
    else tree = mergeTrees(tree, treeAt(key.split("."), { text, origin: name }));
  }
  const file = fileTree(environment, problems);
  tree = mergeTrees(tree, file);
  const variables: (readonly [key: string, Scalar])[] = [];
  for (const [name, given] of Object.entries(environment).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!name.startsWith(prefix)) continue;
    const text = dereferenced(given ?? "", environment);
    if (text === "") continue;
    const path = keyPath(name);
    const value = { text, origin: name };
    tree = mergeTrees(tree, treeAt(path, value));
    variables.push([path.join("."), value]);
  }
  // Before one has hidden another.
  problems.push(...shapeProblems([...leavesOf(file), ...variables]));
  return { values: new Map([...leavesOf(tree), ...plain]), problems };
}

/** `CONFIG_whisk_containerPool_userMemory`: parts in camel case become kebab case, those that begin with a capital stay. */
function keyPath(variable: string): readonly string[] {
  const parts = variable.slice(prefix.length).split("_");
  return parts
    .filter((part) => part !== "")
    .map((part) =>
      /^[A-Z]/.test(part)
        ? part
        : part.replace(/([a-z0-9])([A-Z])/g, (_, before: string, capital: string) => {
            return `${before}-${capital.toLowerCase()}`;
          }),
    );
}

/** `$NAME` stands for the value of another variable, if that has one. */
function dereferenced(text: string, environment: Environment): string {
  return (text.startsWith("$") && environment[text.slice(1)]) || text;
}

function fileTree(environment: Environment, problems: string[]): Tree {
  const encoded = environment.OPENWHISK_ENCODED_CONFIG ?? "";
  const name = environment.OPENWHISK_CONFIG ? "OPENWHISK_CONFIG" : "OPENWHISK_ENCODED_CONFIG";
  if (name === "OPENWHISK_ENCODED_CONFIG" && !/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(encoded)) {
    problems.push(`${name} is not base64: encode the HOCON text, or give it as OPENWHISK_CONFIG`);
    return new Map();
  }
  const text = environment.OPENWHISK_CONFIG || Buffer.from(encoded, "base64").toString();
  try {
    return readHocon(text, name, (path) => defaultText(path) ?? environment[path]);
  } catch (error) {
    if (!(error instanceof HoconError)) throw error;
    problems.push(`${name} line ${error.line}: ${error.message}`);
    return new Map();
  }
}

const unitTexts = { B: "", MB: "m", ms: "ms" } as const;

/** The default of a key as HOCON would have it, for a text that refers to a key of stock's own file. */
function defaultText(key: string): string | undefined {
  const entry = settingEntries().get(key);
  if (entry === undefined || entry.default === null || typeof entry.default === "object") return undefined;
  return `${entry.default}${entry.unit === undefined ? "" : unitTexts[entry.unit]}`;
}
