// HOCON, the format of stock's configuration files: values after substitution, all of them as text.

import { type Assignment, HoconError, type HoconNode } from "./hocon-nodes.ts";
import { parseHocon } from "./hocon-parse.ts";

export { HoconError } from "./hocon-nodes.ts";

/** One value as text; null where it says `null`. `origin` tells people where it stands. */
export interface Scalar {
  readonly text: string | null;
  readonly origin: string;
}

export type Tree = Scalar | readonly Tree[] | ReadonlyMap<string, Tree>;
export type TreeObject = ReadonlyMap<string, Tree>;

/** What a substitution finds that no assignment of the text makes: `path` is dotted. */
export type Fallback = (path: string) => string | undefined;

/**
 * All values of a text. References see the whole text, those to their own key what stood before them; stock's bundled files
 * may be included and add nothing, since their values are the defaults. Throws HoconError.
 */
export function readHocon(text: string, name: string, fallback: Fallback): TreeObject {
  const value = new Resolver(parseHocon(text), name, fallback).root();
  return value instanceof Map ? value : new Map();
}

/** Objects are joined key by key, anything else of `over` replaces what it meets. */
export function mergeTrees(base: Tree | undefined, over: Tree): Tree {
  if (!(base instanceof Map && over instanceof Map)) return over;
  const merged = new Map<string, Tree>(base);
  for (const [key, value] of over) merged.set(key, mergeTrees(merged.get(key), value));
  return merged;
}

/** The object that holds only this value. */
export function treeAt(path: readonly string[], value: Tree): Tree {
  return path.reduceRight<Tree>((inner, key) => new Map([[key, inner]]), value);
}

/** Every single value under its dotted key; items of lists under their numbers. */
export function leavesOf(tree: Tree, prefix = ""): ReadonlyMap<string, Scalar> {
  if ("origin" in tree) return new Map([[prefix, tree]]);
  const entries = tree instanceof Map ? [...tree] : [...(tree as readonly Tree[]).entries()];
  return new Map(
    entries.flatMap(([key, value]) => [...leavesOf(value, prefix === "" ? `${key}` : `${prefix}.${key}`)]),
  );
}

type LookUp = (path: readonly string[]) => Tree | undefined;

class Resolver {
  readonly #assignments: readonly Assignment[];
  readonly #name: string;
  readonly #fallback: Fallback;
  /** References that are being followed, to notice circles. */
  readonly #following = new Set<string>();

  constructor(assignments: readonly Assignment[], name: string, fallback: Fallback) {
    this.#assignments = assignments;
    this.#name = name;
    this.#fallback = fallback;
  }

  root(): Tree | undefined {
    return this.#valueAt([], this.#assignments, this.#assignments.length);
  }

  /** What the first `count` assignments make of `path`. `outside` looks up what objects inside of lists refer to. */
  #valueAt(
    path: readonly string[],
    assignments: readonly Assignment[],
    count: number,
    outside?: LookUp,
  ): Tree | undefined {
    let value: Tree | undefined;
    for (const [index, assignment] of assignments.slice(0, count).entries()) {
      if (!startsAlike(path, assignment.path)) continue;
      const common = Math.min(path.length, assignment.path.length);
      const lookUp = outside ?? ((wanted) => this.#lookUpBefore(wanted, assignment, index));
      const assigned = this.#evaluate(assignment.node, lookUp);
      if (assigned === undefined) continue;
      const below = assignment.path.slice(common);
      const inner = descend(assigned, path.slice(common));
      if (inner !== undefined) value = mergeTrees(value, treeAt(below, inner));
      else if (!(assigned instanceof Map)) value = undefined;
    }
    return value;
  }

  /** A reference to the key that is being assigned means what stood there before. */
  #lookUpBefore(wanted: readonly string[], { path }: Assignment, index: number): Tree | undefined {
    return startsAlike(wanted, path) ? this.#valueAt(wanted, this.#assignments, index) : this.#follow(wanted);
  }

  #evaluate(node: HoconNode, lookUp: LookUp): Tree | undefined {
    switch (node.is) {
      case "text":
        return { text: node.text, origin: `${this.#name} line ${node.line}` };
      case "list":
        return node.items.map((item) => this.#evaluate(item, lookUp)).filter((one) => one !== undefined);
      case "object":
        return this.#valueAt([], node.assignments, node.assignments.length, lookUp) ?? new Map();
      case "reference":
        return this.#resolve(node, lookUp);
      case "joined":
        return this.#join(node, lookUp);
    }
  }

  #resolve(
    { path, optional, line }: HoconNode & { readonly is: "reference" },
    lookUp: LookUp,
  ): Tree | undefined {
    const found = lookUp(path);
    if (found !== undefined) return found;
    const name = path.join(".");
    const text = this.#fallback(name);
    if (text !== undefined) return { text, origin: `${this.#name} line ${line}` };
    if (optional) return undefined;
    throw new HoconError(
      line,
      `\${${name}} is defined nowhere (or by itself alone): define it, or write \${?${name}} if it may be absent`,
    );
  }

  #follow(path: readonly string[]): Tree | undefined {
    const name = path.join(".");
    if (this.#following.has(name)) return undefined;
    this.#following.add(name);
    try {
      return this.#valueAt(path, this.#assignments, this.#assignments.length);
    } finally {
      this.#following.delete(name);
    }
  }

  #join({ parts, line }: HoconNode & { readonly is: "joined" }, lookUp: LookUp): Tree | undefined {
    const values = parts.flatMap((part) => {
      const value = this.#evaluate(part, lookUp);
      return value === undefined ? [] : [{ value, isBlank: part.is === "text" && part.blank }];
    });
    const solid = values.filter(({ isBlank }) => !isBlank).map(({ value }) => value);
    if (solid.length === 0) return undefined;
    if (solid.every((value): value is readonly Tree[] => Array.isArray(value))) return solid.flat();
    if (solid.every((value) => value instanceof Map)) {
      return solid.reduce<Tree>((merged, value) => mergeTrees(merged, value), new Map());
    }
    if (values.every(({ value }) => "origin" in value)) {
      const text = values.map(({ value }) => (value as Scalar).text ?? "null").join("");
      return { text, origin: `${this.#name} line ${line}` };
    }
    throw new HoconError(line, "a list or an object is joined with something of another kind");
  }
}

/** One of them begins with the other. */
function startsAlike(left: readonly string[], right: readonly string[]): boolean {
  return left.slice(0, right.length).every((key, i) => key === right[i]);
}

function descend(tree: Tree, path: readonly string[]): Tree | undefined {
  return path.reduce<Tree | undefined>(
    (inner, key) => (inner instanceof Map ? inner.get(key) : undefined),
    tree,
  );
}
