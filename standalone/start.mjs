// The entry of `npm start`: sets up what is missing, then becomes the program, in this same process.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root, SetupError, setUp } from "./setup.mjs";

const argv = process.argv.slice(2);

if (argv.includes("--help") || argv.includes("-h")) {
  process.stdout.write(readFileSync(join(import.meta.dirname, "usage.txt"), "utf8"));
} else {
  try {
    await setUp((line) => console.log(line));
    const { main } = await import(join(root, "build", "js", "standalone", "main.js"));
    await main(argv);
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
