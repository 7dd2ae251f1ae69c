// What the tests leave out when they run again under another Node: what no Node has to do with has been shown the first time.

import { type Family, families } from "./corpus.ts";

/** See test/mocha.mjs. */
export const isAgain: boolean = process.argv.includes("--again");

/** The families of runtimes whose containers are to be looked at. */
export const testedFamilies: readonly Family[] = isAgain ? ["nodejs"] : families;
