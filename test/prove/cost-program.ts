// Measures costs in a process of its own, which has the test build of the library. Its argument: the family.

import type { Family } from "../corpus.ts";
import { measureCosts } from "./cost.ts";

const { stepsUs, ...whole } = await measureCosts(process.argv[2] as Family);
console.log(JSON.stringify({ ...whole, stepsUs: [...stepsUs] }));
