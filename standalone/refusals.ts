// From what went wrong while a request was answered to the error that its sender is told.

import { storeFailure } from "./access.ts";
import { ApiError, malformed, StoreError, texts } from "./errors.ts";

/** Largest body that is read at all: the largest code, and room for the rest of its document. */
export const bodyBytesMax = 50 << 20;

/** 500 where it is nobody's fault but ours, of which operators hear too. */
export function refusalOf(error: unknown): ApiError {
  if (error instanceof ApiError) {
    return error;
  }
  if (error instanceof StoreError) {
    return storeFailure(error);
  }
  return bodyFailure(error) ?? new ApiError(500, texts.internal);
}

/** What the body parser found wrong with a body: its errors have a status. */
function bodyFailure(error: unknown): ApiError | undefined {
  if (!(error instanceof Error && "status" in error)) {
    return undefined;
  }
  switch (error.status) {
    case 413:
      return new ApiError(
        413,
        "length" in error && typeof error.length === "number"
          ? `Request too large: Request of size ${error.length} was longer than the maximum of ${bodyBytesMax}`
          : texts.tooLarge,
      );
    case 400:
    case 415:
      return malformed(
        "code" in error && String(error.code).startsWith("Z_")
          ? `the body cannot be decompressed (${error.message})`
          : error.message,
      );
    default:
      return undefined;
  }
}
