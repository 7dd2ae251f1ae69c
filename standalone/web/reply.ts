// What a web action's caller is sent, and JSON as people like to read it.

import { isJsonArray, isJsonObject, type Json, printExact } from "../../invoker/index.ts";

export interface WebReply {
  readonly status: number;
  /** Beside the content type; a name may be there more than once. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Undefined: no body. */
  readonly content?: { readonly type: string; readonly body: string | Buffer };
}

/** JSON with two spaces for each level; lists stay on one line. */
export function printPretty(value: Json, indent = ""): string {
  if (isJsonArray(value)) {
    return `[${value.map((item) => printPretty(item, indent)).join(", ")}]`;
  }
  if (!isJsonObject(value)) {
    return printExact(value);
  }
  const inner = `${indent}  `;
  const members = Object.entries(value).map(
    ([name, member]) => `${inner}${JSON.stringify(name)}: ${printPretty(member ?? null, inner)}`,
  );
  return `{\n${members.join(",\n")}\n${indent}}`;
}

/** An error as web actions have it. */
export function errorReply(
  status: number,
  error: string,
  code: string,
  headers: WebReply["headers"] = [],
): WebReply {
  return { status, headers, content: { type: "application/json", body: printPretty({ error, code }) } };
}
