// The fields that a PUT of any entity may carry, read once in one way.

import type { Identity, Json, KeyValue } from "../invoker/index.ts";
import { entityTooLarge, malformed } from "./errors.ts";
import { parameterBytesMax } from "./limits.ts";
import { readVersion } from "./names.ts";
import { readParameters, sizeBytes } from "./parameters.ts";
import type { ControllerSettings } from "./settings.ts";

/** What is left out of the request is undefined. */
export interface PutFields {
  readonly parameters: readonly KeyValue[] | undefined;
  readonly annotations: readonly KeyValue[] | undefined;
  readonly version: string | undefined;
  readonly publish: boolean | undefined;
}

/** Reads them. ApiError 400 for wrong shapes, 413 for lists larger than `user` may have them. */
export function readPutFields(
  body: { readonly [field: string]: Json | undefined },
  user: Pick<Identity, "limits">,
  settings: ControllerSettings,
): PutFields {
  const { version, publish } = body;
  const bytesMax = parameterBytesMax(user.limits, settings);
  const list = (field: "parameters" | "annotations"): readonly KeyValue[] | undefined => {
    const value = body[field];
    const entries = value === undefined || value === null ? undefined : readParameters(value);
    const bytes = sizeBytes(entries ?? []);
    if (bytes > bytesMax) {
      throw entityTooLarge(field, bytes, bytesMax);
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
