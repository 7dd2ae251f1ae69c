// What every way of starting needs: the interpreters to offer, the build to name, and where faults and notes are said.

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { findInterpreters, type Interpreter, projectFolder, readConfigFile } from "../invoker/index.ts";
import { StartError } from "./errors.ts";
import type { Build } from "./info.ts";
import { localManifest, type ManifestTemplate } from "./local-manifest.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import type { Options } from "./options.ts";

/** The interpreters of this machine of the wanted kinds, all where none is wanted in particular. Throws StartError. */
export async function chooseInterpreters(
  wanted: readonly string[] | undefined,
): Promise<readonly Interpreter[]> {
  const found = await findInterpreters();
  const missing = (wanted ?? []).filter((kind) => !found.some((interpreter) => interpreter.kind === kind));
  if (missing.length > 0) {
    const there = found.map(({ kind }) => kind).join(", ");
    throw new StartError(`No interpreter is found for ${missing.join(", ")}. There are: ${there || "none"}.`);
  }
  return wanted === undefined ? found : found.filter(({ kind }) => wanted.includes(kind));
}

/** The manifest of these interpreters. Throws StartError where there are none. */
export function manifestOf(interpreters: readonly Interpreter[]): Manifest {
  const template = readConfigFile("runtimes.template.json") as ManifestTemplate;
  return localManifest(
    template,
    interpreters.map(({ kind }) => kind),
  );
}

/** OpenWhisk's `runtimes.json` where one is named, else the manifest of this machine. Throws StartError. */
export async function chooseManifest({ manifestFile, kinds }: Options): Promise<Manifest> {
  if (manifestFile === undefined) {
    return manifestOf(await chooseInterpreters(kinds));
  }
  try {
    return readManifest(readFileSync(manifestFile, "utf8"), manifestFile);
  } catch (error) {
    throw error instanceof StartError
      ? error
      : new StartError(`The manifest ${manifestFile} cannot be read: ${String(error)}`);
  }
}

/** Version and date of what runs. */
export function readBuild(): Build {
  const { version } = JSON.parse(readFileSync(join(projectFolder(), "package.json"), "utf8")) as {
    version: string;
  };
  return {
    version,
    date: statSync(import.meta.filename)
      .mtime.toISOString()
      .slice(0, 19),
  };
}

/** Says a fault that no caller hears of. */
export function reportFault(what: string, error: unknown): void {
  console.error(
    `${new Date().toISOString()} fault, ${what}: ${error instanceof Error ? error.stack : String(error)}`,
  );
}

/** Says what an operator may want to know. */
export function reportNote(line: string): void {
  console.error(`${new Date().toISOString()} ${line}`);
}
