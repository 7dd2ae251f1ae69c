// Where the project's own files lie: what containers are shown of it is named relative to here.

import { resolve } from "node:path";
import { nativeFolder } from "../../restorer/index.ts";

/** The folder that holds runtimes/, pool/ and build/. */
export const repositoryFolder = resolve(nativeFolder, "../..");
