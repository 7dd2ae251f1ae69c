// Reads which libraries containers have imported before their checkpoint is taken (`rewhisk.libraries`, `--libraries`).

import type { LibrarySet } from "../../pool/index.ts";
import { readNames, readSizeBytes } from "./units.ts";

const bytesPerMB = 2 ** 20;
/** What an action has that states no memory. */
const usualMemoryMB = 256;
const form =
  "it must be KIND=MODULE+MODULE, and may have a size and a number of containers, such as python:3=numpy+pandas 512m x2";
const families = ["python", "nodejs"];

/** What is wrong with an item. */
export interface LibraryProblem {
  readonly item: string;
  readonly why: string;
}

/** Items between commas, each `KIND=MODULE+MODULE`, with a size and a number after it if they are not 256m and x1. */
export function readLibrarySets(text: string): {
  readonly sets: readonly LibrarySet[];
  readonly problems: readonly LibraryProblem[];
} {
  const problems: LibraryProblem[] = [];
  const sets = new Map<string, LibrarySet>();
  for (const item of readNames(text)) {
    const set = readSet(item);
    if ("why" in set) problems.push(set);
    else if (sets.has(keyOf(set))) problems.push({ item, why: "it is there already" });
    else sets.set(keyOf(set), set);
  }
  return { sets: [...sets.values()], problems };
}

function readSet(item: string): LibrarySet | LibraryProblem {
  const [, kind = "", names = "", words = ""] = /^\s*([a-z]+:[\w.]+)=(\S+)((?:\s+\S+)*)\s*$/.exec(item) ?? [];
  if (kind === "") return { item, why: form };
  if (!families.some((family) => kind.startsWith(`${family}:`)))
    return { item, why: `only containers of ${families.join(" and ")} can have libraries` };
  const modules = [...new Set(names.split("+"))].sort((one, other) => (one < other ? -1 : 1));
  const isPython = kind.startsWith("python:");
  const name = isPython ? /^[A-Za-z_]\w*(?:\.\w+)*$/ : /^(?:@[\w.-]+\/)?[\w-][\w./-]*$/;
  const strange = modules.find((one) => !name.test(one));
  if (strange !== undefined) return { item, why: `'${strange}' is no name of a module` };
  let set: LibrarySet = { kind, modules, count: 1, memoryMB: usualMemoryMB };
  for (const word of words.split(/\s+/).filter(Boolean)) {
    const count = /^x([1-9]\d{0,3})$/.exec(word)?.[1];
    const memoryMB = Math.floor((readSizeBytes(word) ?? 0) / bytesPerMB);
    if (count !== undefined) set = { ...set, count: Number(count) };
    else if (memoryMB > 0) set = { ...set, memoryMB };
    else return { item, why: form };
  }
  return set;
}

function keyOf({ kind, modules }: LibrarySet): string {
  return `${kind}=${modules.join("+")}`;
}
