// The name of this machine's own invoker, by which it knows the containers that a former life has left behind.

import { createHash } from "node:crypto";

/** The same for the same data folder, which only one server can use at a time. */
export function instanceName(dataFolder: string): string {
  return `standalone-${createHash("sha256").update(dataFolder).digest("hex").slice(0, 8)}`;
}
