// What HOCON text is made of: assignments of values as they are written, and what is wrong with a text.

/** A text that is no HOCON, or uses a part of it that is not read here; `line` counts from 1. */
export class HoconError extends Error {
  readonly code = "malformed-hocon";
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.name = "HoconError";
    this.line = line;
  }
}

/** A value as written. Numbers and booleans stay the text they are; null is `null` without quotes. */
export type HoconNode =
  | { readonly is: "text"; readonly text: string | null; readonly blank: boolean; readonly line: number }
  | { readonly is: "list"; readonly items: readonly HoconNode[]; readonly line: number }
  | { readonly is: "object"; readonly assignments: readonly Assignment[]; readonly line: number }
  | {
      readonly is: "reference";
      readonly path: readonly string[];
      readonly optional: boolean;
      readonly line: number;
    }
  | { readonly is: "joined"; readonly parts: readonly HoconNode[]; readonly line: number };

/** `path = node`; an object is the assignment of `{}` followed by those of its fields. */
export interface Assignment {
  readonly path: readonly string[];
  readonly node: HoconNode;
}
