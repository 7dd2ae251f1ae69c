// The command line of a comparison.

import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { families } from "../programs.ts";
import { type BySide, bySide, type Part, parts } from "./call.ts";
import type { CodeSize, Plan } from "./scene.ts";

export interface Options extends Plan {
  /** Undefined: both sides are to be started here. */
  readonly places: BySide<{ readonly url: URL; readonly auth: string }> | undefined;
  readonly insecure: boolean;
  /** Undefined: those that both sides have. */
  readonly kinds: readonly string[] | undefined;
  readonly memoryMB: number;
  /** The HTML file. */
  readonly reportFile: string;
  readonly prefix: string;
  readonly keep: boolean;
  readonly gapMs: number;
  readonly patienceMs: number;
  /** What was asked for, for the report: without keys. */
  readonly asked: string;
}

/** What is wrong with a command line: a line for each point. */
export class OptionsError extends Error {
  readonly code = "options";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "OptionsError";
    this.problems = problems;
  }
}

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const known = {
  ...{ stock: text, rewhisk: text, auth: text, "stock-auth": text, "rewhisk-auth": text, insecure: flag },
  ...{ here: flag, parts: text, kinds: text, calls: text, sizes: text, packages: text, actions: text },
  ...{ "in-flight": text, burst: text, passes: text, seconds: text, memory: text, seed: text },
  ...{ report: text, prefix: text, keep: flag, gap: text, patience: text, help: flag },
};
const msPerSecond = 1000;
const gapHereMs = 100;
const largestCode = 40;
const bytesOf: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20 };

type Values = Readonly<Partial<Record<keyof typeof known, string | boolean>>>;

/** Undefined: help is wished for. `folder` is what file names are seen from. Throws OptionsError with all that is wrong. */
export function readOptions(argv: readonly string[], folder: string): Options | undefined {
  const values = parse(argv);
  if (values.help === true) return undefined;
  const problems: string[] = [];
  const given = (name: keyof typeof known, absent: string): string => String(values[name] ?? absent);
  const number = (name: keyof typeof known, absent: number, least: number): number => {
    const value = Number(given(name, String(absent)));
    if (Number.isSafeInteger(value) && value >= least) return value;
    problems.push(`--${name} ${values[name]}: it is a whole number from ${least} on`);
    return absent;
  };
  const list = (name: keyof typeof known, absent: string): readonly string[] =>
    given(name, absent)
      .split(",")
      .map((one) => one.trim())
      .filter((one) => one !== "");
  const options: Options = {
    places: readPlaces(values, problems),
    insecure: values.insecure === true,
    parts: readParts(list("parts", parts.join()), problems),
    kinds: values.kinds === undefined ? undefined : readKinds(list("kinds", ""), problems),
    calls: number("calls", 100, 1),
    actions: number("actions", 100, 1),
    sizes: list("sizes", "1k,100k,1m").flatMap((one) => readSize(one, problems)),
    packages: readPackages(
      list("packages", "nodejs=express,nodejs=openwhisk,python=requests,python=decimal,ruby=net/http"),
      problems,
    ),
    inFlight: number("in-flight", 8, 1),
    burst: number("burst", 20, 1),
    passes: number("passes", 3, 1),
    passMs: number("seconds", 5, 1) * msPerSecond,
    memoryMB: number("memory", 256, 1),
    seed: number("seed", 1, 0),
    reportFile: resolve(folder, given("report", "build/compare.html")),
    prefix: readPrefix(given("prefix", "rewhisk-compare"), problems),
    keep: values.keep === true,
    gapMs: number("gap", values.here === true ? gapHereMs : 0, 0),
    patienceMs: number("patience", 30, 0) * msPerSecond,
    asked: withoutKeys(argv),
  };
  if (problems.length > 0) throw new OptionsError(problems);
  return options;
}

function parse(argv: readonly string[]): Values {
  try {
    return parseArgs({ args: [...argv], options: known, strict: true }).values;
  } catch (error) {
    throw new OptionsError([(error as Error).message]);
  }
}

function readPlaces(values: Values, problems: string[]): Options["places"] {
  if (values.here === true) {
    const others = ["stock", "rewhisk", "auth", "stock-auth", "rewhisk-auth"] as const;
    const given = others.filter((name) => values[name] !== undefined).map((name) => `--${name}`);
    if (given.length > 0) problems.push(`--here starts both sides itself: leave out ${given.join(", ")}`);
    return undefined;
  }
  return bySide((side) => {
    const url = values[side];
    const auth = values[`${side}-auth`] ?? values.auth;
    if (url === undefined) problems.push(`--${side} is missing: give the API host of both sides, or --here`);
    if (auth === undefined)
      problems.push(`--auth is missing (or --${side}-auth): the key of a namespace of ${side}`);
    else if (!/^[^:]+:.+$/.test(String(auth))) problems.push(`the key for ${side} is no UUID:KEY`);
    return { url: readUrl(side, String(url ?? "localhost"), problems), auth: String(auth) };
  });
}

function readUrl(side: string, given: string, problems: string[]): URL {
  const full = /^\w+:\/\//.test(given) ? given : `https://${given}`;
  const url = new URL(URL.canParse(full) ? full : "none:");
  if (!/^https?:$/.test(url.protocol)) {
    problems.push(`--${side} ${given}: it is no address, one looks like https://openwhisk.example`);
  } else if (url.username !== "") {
    problems.push(`--${side}: the address has a key in it, give it by --auth or --${side}-auth`);
  }
  return url;
}

function readParts(names: readonly string[], problems: string[]): readonly Part[] {
  const unknown = names.filter((name) => !(parts as readonly string[]).includes(name));
  if (unknown.length > 0) problems.push(`--parts ${unknown.join(", ")}: there are ${parts.join(", ")}`);
  return parts.filter((part) => names.includes(part));
}

function readKinds(kinds: readonly string[], problems: string[]): readonly string[] {
  for (const kind of kinds) {
    const family = families.find((one) => kind.startsWith(`${one}:`));
    if (family === undefined)
      problems.push(`--kinds ${kind}: there are actions for ${families.join(", ")} alone`);
  }
  return kinds;
}

function readSize(given: string, problems: string[]): readonly CodeSize[] {
  const [, digits = "", unit = ""] = /^(\d+)([km]?)$/i.exec(given) ?? [];
  const bytes = Number(digits) * (bytesOf[unit.toLowerCase()] ?? 1);
  if (digits !== "" && bytes <= largestCode * 2 ** 20) return [{ text: given.toLowerCase(), bytes }];
  problems.push(`--sizes ${given}: a size is a number with k or m, up to ${largestCode}m`);
  return [];
}

function readPackages(given: readonly string[], problems: string[]): Plan["packages"] {
  return given.flatMap((one) => {
    const [, language, name = ""] = /^(\w+)=(@?[\w./-]+)$/.exec(one) ?? [];
    const family = families.find((known) => known === language);
    if (family !== undefined) return [{ family, name }];
    problems.push(`--packages ${one}: one looks like nodejs=express or python=decimal`);
    return [];
  });
}

function readPrefix(prefix: string, problems: string[]): string {
  if (!/^\w[\w.-]{0,99}$/.test(prefix))
    problems.push(`--prefix ${prefix}: letters, digits, dots and dashes alone`);
  return prefix;
}

function withoutKeys(argv: readonly string[]): string {
  return argv
    .map((argument, i) => {
      if (/^--(\w+-)?auth$/.test(argv[i - 1] ?? "")) return "…";
      return argument.replace(/^(--(\w+-)?auth)=.*/, "$1=…");
    })
    .join(" ");
}
