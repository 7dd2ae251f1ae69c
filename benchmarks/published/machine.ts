// What the benchmarks of published work need of this machine: the folder that containers see besides, and runtimes that show it.

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join, resolve } from "node:path";
import { projectFolder } from "../../invoker/index.ts";
import type { Family } from "../programs.ts";

/** `prepare.mjs` makes it. */
export const shownFolder = join(projectFolder(), "build", "published", "shown");
/** The same, as containers see it. */
export const shownInside = "/runtime/published";

/** Where containers see the sources of `programs/`. */
export const programsInside = "/runtime/programs";

interface RuntimeFile {
  readonly family: string;
  readonly arguments: readonly string[];
  readonly mounts: readonly { readonly from: string; readonly to: string }[];
}

export interface Surroundings {
  /** For the factory of lean containers: the project's own, with a family's runtime changed. */
  readonly repository: string;
  readonly remove: () => void;
}

/** The family's runtime with the folder in its sight, and started by `arguments` in place of its own. */
export function surroundings(
  family: Family,
  change: (own: readonly string[]) => readonly string[] = (own) => own,
): Surroundings {
  const project = projectFolder();
  mkdirSync(shownFolder, { recursive: true });
  const repository = mkdtempSync(join(project, "build", "published", "around-"));
  symlinkSync(join(project, "pool"), join(repository, "pool"));
  const [from, to] = [project, repository].map((folder) => join(folder, "runtimes", family)) as [
    string,
    string,
  ];
  // Mounted whole: as readable as the project's own.
  cpSync(from, to, { recursive: true, filter: (path) => basename(path) !== "node_modules" });
  const file = join(to, "runtime.json");
  const own = JSON.parse(readFileSync(file, "utf8")) as RuntimeFile;
  const mounts = [
    ...own.mounts.map((mount) => ({ ...mount, from: resolve(project, mount.from) })),
    { from: shownFolder, to: shownInside },
    { from: join(project, "benchmarks", "published", "programs"), to: programsInside },
  ];
  writeFileSync(file, JSON.stringify({ ...own, arguments: change(own.arguments), mounts }));
  return { repository, remove: () => rmSync(repository, { recursive: true }) };
}

/** Throws where the folder lacks it. */
export function mustBeShown(path: string): void {
  if (!existsSync(join(shownFolder, path)))
    throw new Error(`${join(shownFolder, path)} is not there: npm run bench brings it, if it can be had`);
}
