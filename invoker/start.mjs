#!/usr/bin/env node
// The entry of a cluster's invoker, with the environment and the arguments of stock's: node invoker/start.mjs --id 0 --uniqueName 0
// With --check beside them it says what keeps the invoker from starting, and starts nothing.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";

// V8 lets a small heap grow to its threefold before it collects: then a load that lasts costs 50 MB more than one that does not.
setFlagsFromString("--heap-growing-percent=50");

const program = join(import.meta.dirname, "..", "build", "js", "invoker", "main.js");

if (existsSync(program)) {
  const { check, main } = await import(program);
  const args = process.argv.slice(2);
  const others = args.filter((argument) => argument !== "--check");
  await (others.length < args.length ? check : main)(others, process.env);
} else {
  console.error(`${program} is missing: npm run build makes it`);
  process.exitCode = 2;
}
