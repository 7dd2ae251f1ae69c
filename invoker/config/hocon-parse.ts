// Reads HOCON text into a list of assignments, in the order of the text; nothing is looked up yet.

import { type Assignment, HoconError, type HoconNode } from "./hocon-nodes.ts";

const blank = /[^\S\n]/;
/** Ends a text without quotes, or may not stand in one. */
const special = new Set('$"{}[]:=,+#`^?!@*&\\\n');
const escapes: { readonly [letter: string]: string } = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};
/** What an include may name: stock's own files, whose defaults hold here in any case. */
const bundled = /^(classpath\(\s*)?"(application|reference|logging|s3-reference)(\.conf)?"(\s*\))?$/;

/** Throws HoconError at the first place that cannot be read. */
export function parseHocon(text: string): readonly Assignment[] {
  return new Parser(text).document();
}

class Parser {
  readonly #text: string;
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
  }

  document(): readonly Assignment[] {
    const assignments: Assignment[] = [];
    this.#skip();
    if (this.#take("{")) this.#fields([], "}", assignments);
    else this.#fields([], "", assignments);
    this.#skip();
    if (this.#at < this.#text.length) throw this.#error(`'${this.#next}' follows the end of the object`);
    return assignments;
  }

  get #next(): string {
    return this.#text[this.#at] ?? "";
  }

  #error(message: string): HoconError {
    return new HoconError(this.#line, message);
  }

  #startsWith(start: string): boolean {
    return this.#text.startsWith(start, this.#at);
  }

  #take(start: string): boolean {
    if (!this.#startsWith(start)) return false;
    this.#advance(start.length);
    return true;
  }

  #advance(count: number): string {
    const taken = this.#text.slice(this.#at, this.#at + count);
    this.#at += count;
    this.#line += taken.split("\n").length - 1;
    return taken;
  }

  #isComment(): boolean {
    return this.#next === "#" || this.#startsWith("//");
  }

  /** Passes over blanks and comments, and over ends of lines and commas too if they only separate. */
  #skip(separators = "\n"): void {
    while (this.#at < this.#text.length) {
      if (this.#isComment()) {
        const end = this.#text.indexOf("\n", this.#at);
        this.#at = end < 0 ? this.#text.length : end;
      } else if (blank.test(this.#next) || separators.includes(this.#next)) this.#advance(1);
      else return;
    }
  }

  /** Up to `close`, which is "" for the end of the text. */
  #fields(prefix: readonly string[], close: string, into: Assignment[]): void {
    const openedLine = this.#line;
    for (;;) {
      this.#skip("\n,");
      if (this.#at >= this.#text.length) {
        if (close === "") return;
        throw new HoconError(openedLine, "the object that begins here is not closed with }");
      }
      if (close !== "" && this.#take(close)) return;
      if (/^include\s+["a-z]/.test(this.#text.slice(this.#at, this.#at + 16))) this.#include();
      else this.#field(prefix, into);
    }
  }

  #include(): void {
    const what = /^include\s+(.*)/.exec(this.#text.slice(this.#at).split("\n")[0] ?? "")?.[1] ?? "";
    const name = what.replace(/\s*(#|\/\/(?![^"]*")).*$/, "").trim();
    if (!bundled.test(name)) {
      throw this.#error(
        `include ${name} cannot be followed: write its content in its place (only classpath("application.conf") may be included, and stands for the defaults)`,
      );
    }
    while (this.#next !== "\n" && this.#at < this.#text.length) this.#advance(1);
  }

  #field(prefix: readonly string[], into: Assignment[]): void {
    const line = this.#line;
    const path = [...prefix, ...this.#path("=:{+")];
    this.#skip("");
    if (this.#next === "{") {
      this.#value(path, into);
    } else if (this.#take("+=")) {
      const reference: HoconNode = { is: "reference", path, optional: true, line };
      const items = [this.#single(path)];
      into.push({ path, node: { is: "joined", parts: [reference, { is: "list", items, line }], line } });
    } else if (this.#take("=") || this.#take(":")) {
      this.#skip();
      this.#value(path, into);
    } else {
      throw this.#error(`${path.join(".")} is followed by neither = nor : nor {`);
    }
    this.#skip("");
    if (!["", "\n", ",", "}"].includes(this.#next)) throw this.#error(`'${this.#next}' is out of place`);
  }

  /** A dotted path; parts in quotes keep their dots. */
  #path(stops: string): readonly string[] {
    const parts: string[] = [];
    let part = "";
    let isQuoted = false;
    for (;;) {
      const next = this.#next;
      if (next === '"') {
        part += this.#quoted();
        isQuoted = true;
      } else if (next === "." || next === "" || stops.includes(next)) {
        const name = isQuoted ? part : part.trim();
        if (name === "" && !isQuoted) throw this.#error("a key is missing or has an empty part");
        parts.push(name);
        if (next !== ".") return parts;
        this.#advance(1);
        [part, isQuoted] = ["", false];
      } else if (special.has(next) || this.#isComment()) {
        throw this.#error(
          `'${next === "\n" ? "end of line" : next}' may not stand in the key ${part.trim()}`,
        );
      } else if (isQuoted && blank.test(next)) this.#advance(1);
      else part += this.#advance(1);
    }
  }

  #single(path: readonly string[]): HoconNode {
    this.#skip();
    const into: Assignment[] = [];
    const line = this.#line;
    this.#value(path, into);
    const [first] = into;
    if (into.length === 1 && first !== undefined && first.node.is !== "object") return first.node;
    const relative = into.map((one) => ({ path: one.path.slice(path.length), node: one.node }));
    return { is: "object", assignments: relative, line };
  }

  /** One value, as one assignment, or as several where objects are in it. */
  #value(path: readonly string[], into: Assignment[]): void {
    const line = this.#line;
    let parts: HoconNode[] = [];
    let hasValue = false;
    const flush = (): void => {
      while (isBlank(parts.at(-1))) parts.pop();
      const [only] = parts;
      if (parts.length === 1 && only !== undefined) into.push({ path, node: only });
      else if (parts.length > 1) into.push({ path, node: { is: "joined", parts, line } });
      parts = [];
    };
    for (;;) {
      const part = this.#part();
      if (part === "object") {
        flush();
        into.push({ path, node: { is: "object", assignments: [], line: this.#line } });
        this.#advance(1);
        this.#fields(path, "}", into);
      } else if (part === undefined) break;
      else if (parts.length > 0 || !isBlank(part)) parts.push(part);
      hasValue ||= part === "object" || !isBlank(part);
    }
    if (!hasValue) throw this.#error(`${path.join(".")} has no value`);
    flush();
  }

  #part(): HoconNode | "object" | undefined {
    const line = this.#line;
    const next = this.#next;
    if (next === "{") return "object";
    if (next === "[") return this.#list();
    if (next === '"') return { is: "text", text: this.#quoted(), blank: false, line };
    if (this.#startsWith("${")) return this.#reference();
    if (next === "" || ["\n", ",", "}", "]"].includes(next) || this.#isComment()) return undefined;
    if (special.has(next)) {
      throw this.#error(`'${next}' may not stand in a value without quotes: put the value in double quotes`);
    }
    let text = "";
    const isBlankRun = blank.test(next);
    while (this.#next !== "" && !special.has(this.#next) && !this.#isComment()) {
      if (blank.test(this.#next) !== isBlankRun) break;
      text += this.#advance(1);
    }
    return { is: "text", text: text === "null" ? null : text, blank: isBlankRun, line };
  }

  #list(): HoconNode {
    const line = this.#line;
    this.#advance(1);
    const items: HoconNode[] = [];
    for (;;) {
      this.#skip("\n,");
      if (this.#take("]")) return { is: "list", items, line };
      if (this.#next === "" || this.#next === "}") {
        throw new HoconError(line, "the list that begins here is not closed with ]");
      }
      items.push(this.#single([]));
    }
  }

  #reference(): HoconNode {
    const line = this.#line;
    this.#advance(2);
    const optional = this.#take("?");
    const path = this.#path("}");
    if (!this.#take("}")) throw new HoconError(line, "the reference that begins here is not closed with }");
    return { is: "reference", path, optional, line };
  }

  #quoted(): string {
    if (this.#take('"""')) {
      const end = /"""+/g;
      end.lastIndex = this.#at;
      const found = end.exec(this.#text);
      if (found === null) throw this.#error('the text that begins here is not closed with """');
      const text = this.#advance(found.index + found[0].length - 3 - this.#at);
      this.#advance(3);
      return text;
    }
    const quotes = /"(?:[^"\\\n]|\\.)*"/y;
    quotes.lastIndex = this.#at;
    const [source] = quotes.exec(this.#text) ?? [];
    if (source === undefined) throw this.#error('the text that begins here is not closed with "');
    this.#advance(source.length);
    return source.slice(1, -1).replace(/\\(u[0-9a-fA-F]{4}|.)/g, (_, escaped: string) => {
      if (escaped.length > 1) return String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
      const character = escapes[escaped];
      if (character === undefined) throw this.#error(`\\${escaped} means nothing in a text`);
      return character;
    });
  }
}

function isBlank(node: HoconNode | undefined): boolean {
  return node?.is === "text" && node.blank;
}
