// Reads the corpus of actions in test/actions: code, parameters, what the answers must hold, and fresh-process references.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { isDeepStrictEqual, promisify } from "node:util";
import type { Family } from "../pool/index.ts";

export { type Family, families } from "../pool/index.ts";

/** Any value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json };

/** One call of an action and what must come back. */
export interface Invocation {
  readonly value: JsonObject;
  readonly status: "success" | "application error";
  /** What the result must contain: objects may hold more, arrays and scalars must be equal. */
  readonly contains?: Json;
  /** Regular expressions that strings of the result must match, by dotted path. */
  readonly matches: Readonly<Record<string, string>>;
  /** The SHA-256 of the result as JSON with sorted keys, where the result is long. */
  readonly sha256?: string;
  /** Dotted paths whose values differ from run to run; all else is equal in every run on one interpreter. */
  readonly varies: readonly string[];
}

/** One action of the corpus. */
export interface CorpusAction {
  /** Unique: `nodejs/hello`. */
  readonly id: string;
  readonly name: string;
  readonly family: Family;
  readonly main: string;
  /** True: the code is an archive (zip, or compressed tar), built by test/actions/build.mjs. */
  readonly binary: boolean;
  /** The file that holds the code. */
  readonly file: string;
  /** Init parameters: in the environment before the code is loaded. */
  readonly env: Readonly<Record<string, string>>;
  readonly memoryMB: number;
  readonly timeoutMs: number;
  readonly tags: readonly string[];
  readonly invocations: readonly Invocation[];
}

/** What a fresh process made of an invocation. */
export interface FreshRun {
  readonly result: Json;
  readonly stdout: string;
  readonly stderr: string;
}

interface TableEntry {
  readonly name: string;
  readonly family: Family;
  readonly source: string;
  readonly pack?: "tar.gz" | "virtualenv";
  readonly main?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly memoryMB?: number;
  readonly timeoutMs?: number;
  readonly tags: readonly string[];
  readonly invocations: readonly (Partial<Invocation> & { readonly value: JsonObject })[];
}

// Compiled, this file lies in build/js/test.
const ROOT = path.resolve(import.meta.dirname, "../../..");
const ACTIONS = path.join(ROOT, "test/actions");
const BUILT = path.join(ROOT, "build/actions");

/** Reads a JSON file below test/actions. */
export function readTable<T>(name: string): T {
  return JSON.parse(readFileSync(path.join(ACTIONS, name), "utf8")) as T;
}

/** The file below test/actions, or below build/actions when it is an archive that the build makes. */
export function codeFile(source: string): string {
  return path.join(source.endsWith(".zip") || source.endsWith(".tar.gz") ? BUILT : ACTIONS, source);
}

function toAction(entry: TableEntry): CorpusAction {
  const inline = path.extname(entry.source) !== "";
  const archive = `${entry.family}-${entry.name}.${entry.pack === "tar.gz" ? "tar.gz" : "zip"}`;
  return {
    id: `${entry.family}/${entry.name}`,
    name: entry.name,
    family: entry.family,
    main: entry.main ?? "main",
    binary: !inline,
    file: codeFile(inline ? entry.source : archive),
    env: entry.env ?? {},
    memoryMB: entry.memoryMB ?? 256,
    timeoutMs: entry.timeoutMs ?? 60_000,
    tags: entry.tags,
    invocations: entry.invocations.map((invocation) => ({
      status: "success",
      matches: {},
      varies: [],
      ...invocation,
    })),
  };
}

/** The whole corpus, in the order of its table. The archives must have been built. */
export function loadCorpus(): readonly CorpusAction[] {
  return readTable<readonly TableEntry[]>("corpus.json").map(toAction);
}

/** The code as the runtime gets it: UTF-8 source, or the bytes of the archive. Throws if the archive was not built. */
export function readCode(action: { readonly file: string }): Buffer {
  return readFileSync(action.file);
}

/** The code as an action document carries it: source text, or the archive in base64. */
export function codeText(action: { readonly file: string; readonly binary: boolean }): string {
  return readCode(action).toString(action.binary ? "base64" : "utf8");
}

/** The value at a dotted path, or undefined. */
export function valueAt(value: Json | undefined, dotted: string): Json | undefined {
  let found: Json | undefined = value;
  for (const key of dotted.split(".")) {
    if (typeof found !== "object" || found === null) return undefined;
    found = (found as JsonObject)[key];
  }
  return found;
}

/** The value without what lies at a dotted path. */
export function without(value: Json, dotted: string): Json {
  const [key = "", ...rest] = dotted.split(".");
  if (typeof value !== "object" || value === null || Array.isArray(value) || !(key in value)) return value;
  const { [key]: inner, ...others } = value as JsonObject;
  if (rest.length === 0) return others;
  return { ...value, [key]: without(inner as Json, rest.join(".")) };
}

/**
 * The part of a result that is the same in every run: without the fields that vary, and of an application error,
 * as the invoker keeps it, the error alone.
 */
export function comparable(invocation: Invocation, result: Json): Json {
  const kept =
    invocation.status === "application error" ? { error: valueAt(result, "error") ?? null } : result;
  return invocation.varies.reduce(without, kept);
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const object = value as JsonObject;
  return Object.fromEntries(
    Object.keys(object)
      .sort((a, b) => (a < b ? -1 : 1))
      .map((key) => [key, sorted(object[key] as Json)]),
  );
}

/** JSON, shortened to what fits a message. */
export function show(value: Json | undefined): string {
  return String(JSON.stringify(value)).slice(0, 300);
}

function missing(expected: Json, found: Json | undefined, where: string): string | undefined {
  if (typeof expected !== "object" || expected === null) {
    return Object.is(expected, found) ? undefined : `${where} is ${show(found)}, not ${show(expected)}`;
  }
  if (typeof found !== "object" || found === null || Array.isArray(expected) !== Array.isArray(found)) {
    return `${where} is ${show(found)}, not ${show(expected)}`;
  }
  if (Array.isArray(expected) && expected.length !== (found as readonly Json[]).length) {
    return `${where} has ${(found as readonly Json[]).length} elements, not ${expected.length}`;
  }
  for (const [key, inner] of Object.entries(expected as JsonObject)) {
    const problem = missing(inner, (found as JsonObject)[key], `${where}.${key}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Says in words how a result fails the table's expectation, or nothing if it meets it. */
export function complaint(invocation: Invocation, result: Json): string | undefined {
  const failed = valueAt(result, "error") !== undefined;
  if (failed !== (invocation.status === "application error")) {
    return `not ${invocation.status}: ${show(result)}`;
  }
  if (invocation.contains !== undefined) {
    const problem = missing(invocation.contains, result, "result");
    if (problem !== undefined) return problem;
  }
  for (const [dotted, pattern] of Object.entries(invocation.matches)) {
    const text = valueAt(result, dotted);
    if (typeof text !== "string" || !new RegExp(pattern).test(text)) {
      return `${dotted} is ${show(text)} and does not match ${pattern}`;
    }
  }
  if (invocation.sha256 !== undefined) {
    const digest = createHash("sha256")
      .update(JSON.stringify(sorted(comparable(invocation, result))))
      .digest("hex");
    if (digest !== invocation.sha256) return `the result's SHA-256 is ${digest}, not ${invocation.sha256}`;
  }
  return undefined;
}

/** True if two results of one invocation are the same but for the fields that vary. */
export function sameResult(invocation: Invocation, one: Json, other: Json): boolean {
  return isDeepStrictEqual(comparable(invocation, one), comparable(invocation, other));
}

const references = new Map<string, Promise<readonly FreshRun[]>>();

/** What `freshRuns` gave for an action the first time. */
export function referenceRuns(action: CorpusAction): Promise<readonly FreshRun[]> {
  const runs = references.get(action.id) ?? freshRuns(action);
  references.set(action.id, runs);
  return runs;
}

/**
 * Runs every invocation of an action, each in a fresh process outside any container (this Node, or Debian's Python) and
 * without any code of runtimes/. Throws if one of them gave no answer.
 */
export async function freshRuns(action: CorpusAction): Promise<readonly FreshRun[]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [path.join(ACTIONS, "run-plain.mjs"), action.id],
    { maxBuffer: 1 << 26 },
  );
  const runs = stdout.trimEnd().split("\n");
  return runs.map((line) => {
    const run = JSON.parse(line) as FreshRun & { readonly failed?: string };
    if (run.failed !== undefined) throw new Error(`${action.id}: ${run.failed}\n${run.stderr}`);
    return run;
  });
}
