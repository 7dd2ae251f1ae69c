// Names for the invokers of tests and benchmarks: one checkout's never meet another's, and the next run finds them again.

import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";

const checkout = createHash("sha256")
  .update(fileURLToPath(new URL(".", import.meta.url)))
  .digest("hex")
  .slice(0, 8);

/** Of the files that run at the same time as others of their folder: see test/mocha.mjs. */
const share = process.env.REWHISK_TEST_SHARE ?? "";

/** Always the same for the same checkout: what a killed run left is removed by the next. */
export const instanceName = (what: string): string => `test-${checkout}${share && `-${share}`}-${what}`;
