// JSON without loss: a number that a double would change keeps the text it was written as.

import { endOfScalar, endOfString, skipBlank } from "./json-text.ts";

/** Any JSON, as users send and get it. */
export type Json =
  | null
  | boolean
  | number
  | string
  | ExactNumber
  | readonly Json[]
  | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** A number such as `1.0`, `12345678901234567890` or `1e400`: read as a double and printed again, it would be another text. */
export class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** The nearest double, which is also what JSON.stringify makes of it. */
  toJSON(): number {
    return Number(this.text);
  }
}

/** Is it an object (not an array, not null, not a number)? */
export function isJsonObject(value: unknown): value is JsonObject {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)
  );
}

/** Is it an array? Unlike Array.isArray it leaves the elements their type. */
export function isJsonArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** Without the members that are null: in what controllers write, such a field is unset. */
export function withoutNulls<Fields extends object>(object: Fields): Fields {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null)) as Fields;
}

/** As JSON.parse, and throws as it does, but numbers that a double would change become ExactNumber. */
export function parseExact(text: string): Json {
  const value = JSON.parse(text) as Json;
  return hasInexactDouble(text) ? new Reader(text).value() : value;
}

/** As JSON.stringify, for what `parseExact` gives. Members that are undefined are left out. */
export function printExact(value: unknown): string {
  return holdsExactNumber(value) ? print(value) : JSON.stringify(value);
}

/** Is there an ExactNumber anywhere in it? */
export function holdsExactNumber(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return value instanceof ExactNumber || Object.values(value).some(holdsExactNumber);
}

function print(value: unknown): string {
  if (value instanceof ExactNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(print).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${print(member)}`).join(",")}}`;
}

const numberOrQuote = /"|-?\d[\d.eE+-]*/g;

/** Does the valid JSON text hold a number that a double would change? */
function hasInexactDouble(text: string): boolean {
  for (let at = 0; ; ) {
    numberOrQuote.lastIndex = at;
    const found = numberOrQuote.exec(text);
    if (found === null) return false;
    const [token] = found;
    if (token !== '"' && !isDouble(token)) return true;
    at = token === '"' ? endOfString(text, found.index) : found.index + token.length;
  }
}

function isDouble(numberText: string): boolean {
  return String(Number(numberText)) === numberText;
}

/** Reads a text that JSON.parse has found valid: nothing is checked again. */
class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): Json {
    this.#at = skipBlank(this.#text, this.#at);
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object();
      case "[":
        return this.#array();
      case '"':
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  #object(): Json {
    const members: [string, Json][] = [];
    while (this.#hasNext()) {
      const name = this.#string();
      this.#at = this.#text.indexOf(":", this.#at) + 1;
      members.push([name, this.value()]);
    }
    return Object.fromEntries(members);
  }

  #array(): Json {
    const elements: Json[] = [];
    while (this.#hasNext()) elements.push(this.value());
    return elements;
  }

  /** Steps over the opening bracket or the comma to what follows; false: that is the closing bracket, stepped over too. */
  #hasNext(): boolean {
    this.#at = skipBlank(this.#text, this.#at);
    if (!this.#isAtEnd()) this.#at = skipBlank(this.#text, this.#at + 1);
    if (!this.#isAtEnd()) return true;
    this.#at++;
    return false;
  }

  #isAtEnd(): boolean {
    const mark = this.#text[this.#at];
    return mark === "}" || mark === "]";
  }

  #string(): string {
    return JSON.parse(this.#cut(endOfString(this.#text, this.#at))) as string;
  }

  #scalar(): Json {
    const text = this.#cut(endOfScalar(this.#text, this.#at));
    if (text === "true" || text === "false" || text === "null") return JSON.parse(text) as Json;
    return isDouble(text) ? Number(text) : new ExactNumber(text);
  }

  #cut(end: number): string {
    const piece = this.#text.slice(this.#at, end);
    this.#at = end;
    return piece;
  }
}
