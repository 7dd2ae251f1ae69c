// Reads the table of hostile actions: what each does, what OpenWhisk must answer, and who looks for what it left.
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import {
  codeFile,
  type Family,
  type Json,
  type JsonObject,
  readTable,
  show,
  valueAt,
  without,
} from "./corpus.ts";

/** One answer that may be given. Where several are listed, OpenWhisk leaves it open, or the outcome is a race. */
export interface ExpectedAnswer {
  readonly status: "success" | "application error" | "developer error";
  /** The error's exact text. */
  readonly error?: string;
  /** A regular expression for the error's text. */
  readonly errorMatches?: string;
  /** Fields of the result. */
  readonly contains?: JsonObject;
}

/** A hostile action in one family. */
export interface HostileAction {
  /** Unique: `python/fork-bomb`. */
  readonly id: string;
  readonly name: string;
  readonly family: Family;
  /** What it does, in words that continue "an action that". */
  readonly what: string;
  readonly binary: boolean;
  readonly file: string;
  /** The source is followed by a comment up to this size. */
  readonly paddedToMB: number;
  readonly value: JsonObject;
  readonly timeoutMs: number;
  readonly memoryMB: number;
  readonly logsMB: number;
  readonly expect: readonly ExpectedAnswer[];
  /** True: a race decides whether its container can be rewound. Else only an action that ends its runtime costs it. */
  readonly mayCostContainer: boolean;
  /** Texts that the activation's log must contain. */
  readonly logs: readonly string[];
}

/** The action that reports all it can find out about its container. */
export interface Observer {
  readonly family: Family;
  readonly file: string;
  /** Dotted paths of the report that differ between a fresh container and a clean one. */
  readonly varies: readonly string[];
}

/** The answer of an activation as its record holds it. */
export interface Answer {
  readonly status: string;
  readonly result: Json;
}

interface Entry {
  readonly name: string;
  readonly families: readonly Family[];
  readonly what: string;
  readonly source?: string;
  readonly archive?: string;
  readonly paddedToMB?: number;
  readonly mayCostContainer?: boolean;
  readonly value?: JsonObject;
  readonly nested?: number;
  readonly timeoutMs?: number;
  readonly memoryMB?: number;
  readonly logsMB?: number;
  readonly expect: readonly ExpectedAnswer[] | Readonly<Partial<Record<Family, readonly ExpectedAnswer[]>>>;
  readonly logs?: readonly string[];
}

interface Table {
  readonly marker: string;
  readonly observers: Readonly<
    Record<Family, { readonly source: string; readonly varies: readonly string[] }>
  >;
  readonly actions: readonly Entry[];
}

const ENDINGS = { nodejs: "js", python: "py", ruby: "rb" } satisfies Record<Family, string>;

const COMMENTS = { nodejs: "//", python: "#", ruby: "#" } satisfies Record<Family, string>;

/** Programs around the texts of two, which stay as they are. */
const COMBINED = {
  nodejs: (sources) => `
const [hostile, observe] = [${sources}].map((source) => new Function("require", source + "\\nreturn main;")(require));
const main = (args) => (args.observe ? observe : hostile)(args);`,
  python: (sources) => `
def load(source):
    names = {"__name__": "main__"}
    exec(source, names)
    return names["main"]
hostile, observe = map(load, [${sources}])
def main(args):
    return (observe if args.get("observe") else hostile)(args)
`,
  // What is defined at the top is the top level's: the two have the same name for it there.
  ruby: (sources) => `
HOSTILE, OBSERVE = [${sources.replaceAll("#", "\\#")}].map do |source|
  eval(source, TOPLEVEL_BINDING)
  method(:main)
end
def main(args)
  (args['observe'] ? OBSERVE : HOSTILE).call(args)
end
`,
} satisfies Record<Family, (sources: string) => string>;

/** What every hostile action is given and some leave behind; an observer counts it in its process's memory. */
export const MARKER = readTable<Table>("hostile/hostile.json").marker;

function isForAll(expect: Entry["expect"]): expect is readonly ExpectedAnswer[] {
  return Array.isArray(expect);
}

function nest(levels: number): Json {
  let value: JsonObject = {};
  for (let level = 1; level < levels; level++) value = { nested: value };
  return value;
}

function toAction(entry: Entry, family: Family): HostileAction {
  const { name, what, expect, archive } = entry;
  const source = `hostile/${family}/${entry.source ?? name}.${ENDINGS[family]}`;
  return {
    id: `${family}/${name}`,
    name,
    family,
    what,
    binary: archive !== undefined,
    file: codeFile(archive === undefined ? source : `hostile-${family}-${archive}.zip`),
    paddedToMB: entry.paddedToMB ?? 0,
    value: {
      marker: MARKER,
      ...entry.value,
      ...(entry.nested === undefined ? {} : { nested: nest(entry.nested) }),
    },
    timeoutMs: entry.timeoutMs ?? 10_000,
    memoryMB: entry.memoryMB ?? 256,
    logsMB: entry.logsMB ?? 10,
    expect: isForAll(expect) ? expect : (expect[family] ?? []),
    mayCostContainer: entry.mayCostContainer ?? false,
    logs: entry.logs ?? [],
  };
}

/** All hostile actions. The archives among them must have been built by test/actions/build.mjs. */
export function loadHostile(): readonly HostileAction[] {
  const { actions } = readTable<Table>("hostile/hostile.json");
  return actions.flatMap((entry) => entry.families.map((family) => toAction(entry, family)));
}

/** The observer of a family. */
export function loadObserver(family: Family): Observer {
  const { source, varies } = readTable<Table>("hostile/hostile.json").observers[family];
  return { family, file: codeFile(`hostile/${source}`), varies };
}

/** An action's source or archive, as long as the table says. */
export function hostileCode({ family, file, paddedToMB }: HostileAction): Buffer {
  const code = readFileSync(file);
  if (paddedToMB === 0) return code;
  const padding = Buffer.alloc(paddedToMB * 1024 * 1024 - code.length, "x");
  padding.write(COMMENTS[family]);
  return Buffer.concat([code, padding]);
}

/** The source of an action that observes when its parameter `observe` is true, and else does what the hostile one does. */
export function selfObserving(action: HostileAction, observer: Observer): string {
  const sources = [action, observer].map(({ file }) => JSON.stringify(readFileSync(file, "utf8")));
  return COMBINED[action.family](sources.join(", "));
}

function isAsExpected(expected: ExpectedAnswer, { status, result }: Answer): boolean {
  if (status !== expected.status) return false;
  const error = valueAt(result, "error");
  if (expected.error !== undefined && error !== expected.error) return false;
  if (expected.errorMatches !== undefined) {
    if (typeof error !== "string" || !new RegExp(expected.errorMatches).test(error)) return false;
  }
  return Object.entries(expected.contains ?? {}).every(([key, value]) =>
    isDeepStrictEqual(valueAt(result, key), value),
  );
}

/** Says in words how an answer is none of those that may be given, or nothing if it is one of them. */
export function hostileComplaint(action: HostileAction, answer: Answer): string | undefined {
  if (action.expect.some((expected) => isAsExpected(expected, answer))) return undefined;
  return `${answer.status}: ${show(answer.result)}, but expected one of ${JSON.stringify(action.expect)}`;
}

/** The part of an observer's report that must be the same in a fresh and in a rewound container. */
export function comparableReport(observer: Observer, report: Json): Json {
  return observer.varies.reduce(without, report);
}

/** Where two reports differ: dotted paths with both values, shortened. */
export function differences(one: Json | undefined, other: Json | undefined, where = "report"): string[] {
  if (isDeepStrictEqual(one, other)) return [];
  const objects = [one, other].every((value) => typeof value === "object" && value !== null);
  if (!objects || Array.isArray(one) !== Array.isArray(other)) {
    return [`${where}: ${show(one)} became ${show(other)}`];
  }
  if (Array.isArray(one) && Array.isArray(other)) {
    const gone = one.filter((value) => !other.some((kept) => isDeepStrictEqual(kept, value)));
    const come = other.filter((value) => !one.some((kept) => isDeepStrictEqual(kept, value)));
    return [`${where}: ${show(gone)} became ${show(come)}`];
  }
  const keys = new Set([...Object.keys(one as JsonObject), ...Object.keys(other as JsonObject)]);
  return [...keys].flatMap((key) =>
    differences((one as JsonObject)[key], (other as JsonObject)[key], `${where}.${key}`),
  );
}
