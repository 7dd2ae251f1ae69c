// Documents as the database takes them.

import type { ActivationDocument } from "../../wire/documents.ts";
import { printExact } from "../../wire/json.ts";

/** As JSON in one line. CouchDB refuses half of a surrogate pair, which stock would have replaced by then as well. */
export function databaseText(document: ActivationDocument): string {
  const text = printExact(document);
  if (!text.includes("\\ud")) return text;
  return text.replace(/\\\\|\\ud[89a-f][0-9a-f]{2}/g, (found) => (found === "\\\\" ? found : "\\ufffd"));
}
