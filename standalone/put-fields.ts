// The fields that a PUT of any entity may carry, read once in one way.

import type { Json, KeyValue } from "../invoker/index.ts";
import { entityTooLarge, malformed } from "./errors.ts";
import { readVersion } from "./names.ts";
import { readParameters, sizeBytes } from "./parameters.ts";

/** What is left out of the request is undefined. */
export interface PutFields {
  readonly parameters: readonly KeyValue[] | undefined;
  readonly annotations: readonly KeyValue[] | undefined;
  readonly version: string | undefined;
  readonly publish: boolean | undefined;
}

/** Reads them. ApiError 400 for wrong shapes, 413 for lists above `parameterBytes`. */
export function readPutFields(
  body: { readonly [field: string]: Json | undefined },
  parameterBytes: number,
): PutFields {
  const { version, publish } = body;
  const list = (field: "parameters" | "annotations"): readonly KeyValue[] | undefined => {
    const value = body[field];
    const entries = value === undefined || value === null ? undefined : readParameters(value);
    const bytes = sizeBytes(entries ?? []);
    if (bytes > parameterBytes) {
      throw entityTooLarge(field, bytes, parameterBytes);
    }
    return entries;
  };
  if (publish !== undefined && publish !== null && typeof publish !== "boolean") {
    throw malformed("Expected JsBoolean in field 'publish'");
  }
  return {
    parameters: list("parameters"),
    annotations: list("annotations"),
    version: version === undefined || version === null ? undefined : readVersion(version),
    publish: publish ?? undefined,
  };
}
