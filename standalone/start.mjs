#!/usr/bin/env node
// The entry of `npm start`, and of `rewhisk` where it was installed as a package: sets up what is missing of a checkout, then becomes the
// program, in this same process.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkPlatform, isCheckout, root, SetupError, setUp } from "./setup.mjs";

const argv = process.argv.slice(2);

if (argv.includes("--help") || argv.includes("-h")) {
  process.stdout.write(readFileSync(join(import.meta.dirname, "usage.txt"), "utf8"));
} else {
  try {
    if (isCheckout) await setUp((line) => console.log(line));
    else checkPlatform();
    if (argv.includes("--cluster")) {
      if (!isCheckout)
        throw new SetupError([
          "--cluster needs a checkout: its servers are not in a package that was installed",
        ]);
      const { prepareCluster } = await import("./cluster/setup.mjs");
      await prepareCluster((line) => console.log(line));
    }
    const { main } = await import(join(root, "build", "js", "standalone", "main.js"));
    await main(argv, process.env);
  } catch (error) {
    if (!(error instanceof SetupError)) {
      throw error;
    }
    for (const problem of error.problems) {
      console.error(problem);
    }
    process.exitCode = 2;
  }
}
