// Takes the pictures of the live page in docs/ anew, of real containers under load. It takes about three minutes.
//
//   npm run screenshots -- [FOLDER]

import { join } from "node:path";
import { root, SetupError } from "../standalone/setup.mjs";
import { prepareTests } from "./set-up.mjs";

try {
  await prepareTests();
  const { takeScreenshots } = await import(join(root, "build/js/test/ui/screenshots.js"));
  await takeScreenshots(process.argv[2] ?? join(root, "docs"));
} catch (error) {
  console.error(error instanceof SetupError ? error.problems.join("\n") : error);
  process.exitCode = error instanceof SetupError ? 2 : 1;
}
