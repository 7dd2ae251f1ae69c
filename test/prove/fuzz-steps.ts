// The catalogue of steps that change state, read from the sources in steps-of-fuzz/.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type TaintReason, taintReasons } from "../../pool/index.ts";
import type { Family } from "../corpus.ts";
import { endings } from "./promises.ts";

/** In the sources, seen from build/js/test/prove. */
const folder = fileURLToPath(new URL("../../../../test/prove/steps-of-fuzz/", import.meta.url));

/**
 * What a step may say about itself besides the reasons for which its container may be replaced. Slow: it takes milliseconds.
 * Rare: it costs the container, or the time until it is broken off.
 */
const words = ["slow", "rare", "refused", "hangs", "breaks"] as const;

/** An interpreter that comes to its end gives back threads and descriptors before its process is gone: the rewind may find it so. */
const foundAtTheEnd: readonly TaintReason[] = ["lost-thread", "lost-descriptor"];

/** One small change of state. A function of two natural numbers below `numbersBelow`. */
export interface Step {
  readonly name: string;
  readonly what: string;
  /** It and what it needs, in the language of the action; empty for an act of the hostile library. */
  readonly source: string;
  /** How often it is drawn, beside others. */
  readonly weight: number;
  /** The system refuses it. */
  readonly isRefused: boolean;
  /** The activation may end by its time-out. */
  readonly hangs: boolean;
  /** What runs after it in the same activation may fail, or wait for ever. */
  readonly breaks: boolean;
  /** Those for which the container may be replaced. */
  readonly reasons: readonly TaintReason[];
}

/** A step begins with a comment, `step WORDS: what it does`, and ends where the next one begins. */
const heading = /^(?:\/\*|\/\/|#) step((?: [a-z-]+)*): (.*?)(?: \*\/)?\n.*?(\w+)\(/gm;

function isWord(word: string): boolean {
  return (words as readonly string[]).includes(word) || (taintReasons as readonly string[]).includes(word);
}

/** The steps of one file. What stands before the first is shared by all of them. */
function stepsOf(file: string, text: string): readonly Step[] {
  const found = [...text.matchAll(heading)];
  const shared = text.slice(0, found[0]?.index);
  return found.map((match, i) => {
    const [, said = "", what = "", name = ""] = match;
    const about = said.split(" ").filter(Boolean);
    const unknown = about.find((word) => !isWord(word));
    if (unknown !== undefined) throw new Error(`${file}: ${name} says the unknown word ${unknown}`);
    const isOfC = file.endsWith(".c");
    const declared = isOfC || !about.includes("process-gone") ? about : [...about, ...foundAtTheEnd];
    return {
      ...{ name, what },
      source: isOfC ? "" : `${shared}${text.slice(match.index, found[i + 1]?.index)}`,
      weight: about.includes("rare") ? 1 : about.includes("slow") ? 4 : 24,
      isRefused: about.includes("refused"),
      ...{ hangs: about.includes("hangs"), breaks: about.includes("breaks") },
      reasons: taintReasons.filter((reason) => declared.includes(reason)),
    };
  });
}

/** All steps that a family has, those of the hostile library too. The same order every time. */
export function loadSteps(family: Family): readonly Step[] {
  const steps = readdirSync(folder)
    .filter((name) => [endings[family], "c"].some((ending) => name.endsWith(`.${ending}`)))
    .sort()
    .flatMap((name) => stepsOf(name, readFileSync(join(folder, name), "utf8")));
  const names = new Set(steps.map(({ name }) => name));
  if (names.size !== steps.length) throw new Error(`two steps for ${family} have the same name`);
  return steps;
}

/** The action that reports all that a fuzzed one could have changed. */
export function referenceSource(family: Family): string {
  return readFileSync(join(folder, `reference.${endings[family]}`), "utf8");
}
