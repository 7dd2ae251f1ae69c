// What the project's own tools say to who asks for help, or asks for something else than there is.

import { readFileSync } from "node:fs";
import { SetupError } from "../standalone/setup.mjs";

const helpFlags = ["--help", "-h"];

/** Runs a tool, unless it is asked for help: that is the head of its file. Its mistakes and those of who called it give exit code 2. */
export async function runTool(/** @type {string} */ file, /** @type {() => Promise<number>} */ run) {
  if (process.argv.slice(2).some((arg) => helpFlags.includes(arg))) {
    console.log(headOf(file));
    return;
  }
  try {
    process.exitCode = await run();
  } catch (error) {
    console.error(wordsOf(error));
    process.exitCode = 2;
  }
}

function headOf(/** @type {string} */ file) {
  const lines = readFileSync(file, "utf8").split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  return lines
    .slice(0, end)
    .map((line) => line.replace(/^\/\/ ?/, ""))
    .join("\n");
}

/** The options' values as numbers above zero. Throws MistakeError. */
export function numbersOf(/** @type {Record<string, string | undefined>} */ options) {
  const numbers = Object.entries(options).map(([name, value]) => {
    const number = Number(value);
    if (value !== undefined && !(number > 0))
      throw new MistakeError(`--${name} ${value}: a number above zero`);
    return [name, value === undefined ? undefined : number];
  });
  return Object.fromEntries(numbers);
}

/** The caller's, not the tool's. */
export class MistakeError extends Error {}

function wordsOf(/** @type {unknown} */ error) {
  if (error instanceof SetupError) return error.problems.join("\n");
  const isMistake = error instanceof MistakeError || String(error?.code).startsWith("ERR_PARSE_ARGS_");
  return isMistake ? `${error.message}; see --help` : error;
}
