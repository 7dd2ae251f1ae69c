// Who sends a request: HTTP's basic authentication with the two halves of a key.

import type { Identity } from "../invoker/index.ts";
import { ApiError, texts } from "./errors.ts";
import type { Subjects } from "./store/subjects.ts";

const challenge = { "WWW-Authenticate": 'Basic realm="OpenWhisk secure realm"' };

/** Whose credentials the `Authorization` header holds; undefined: nobody's. */
export async function identify(
  subjects: Subjects,
  header: string | undefined,
): Promise<Identity | undefined> {
  const [, encoded = ""] = /^Basic\s+(\S+)\s*$/i.exec(header ?? "") ?? [];
  const credentials = Buffer.from(encoded, "base64").toString("utf8");
  const colon = credentials.indexOf(":");
  return colon < 0
    ? undefined
    : await subjects.authenticate(credentials.slice(0, colon), credentials.slice(colon + 1));
}

/** The same; ApiError 401 with a challenge where it is nobody. */
export async function authenticated(subjects: Subjects, header: string | undefined): Promise<Identity> {
  if (header === undefined) {
    throw new ApiError(401, texts.noCredentials, challenge);
  }
  const user = await identify(subjects, header);
  if (user === undefined) {
    throw new ApiError(401, texts.badCredentials, challenge);
  }
  return user;
}
