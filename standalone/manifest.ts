// The runtimes manifest as a controller sees it: which kinds a request may name, and whether images are taken.

import {
  fullImageName,
  type ImageName,
  isSameImage,
  Kinds,
  parseImageName,
  type Runtime,
  readManifest as readContent,
} from "../invoker/index.ts";
import { StartError } from "./errors.ts";

export type { Runtime } from "../invoker/index.ts";

export type Runtimes = { readonly [family: string]: readonly Runtime[] };

/** Kinds by name. Throws StartError when there is none. */
export class Manifest {
  readonly runtimes: Runtimes;
  /** Images that count as runtimes; undefined: no action may bring an image of its own. */
  readonly blackboxes: readonly ImageName[] | undefined;
  readonly #kinds: Kinds<Runtime>;

  constructor(runtimes: Runtimes, blackboxes?: readonly ImageName[]) {
    this.runtimes = runtimes;
    this.blackboxes = blackboxes;
    this.#kinds = new Kinds(runtimes);
    if (this.#kinds.list().length === 0) {
      throw new StartError("No language runtime is available: install Node or Python 3, or check --kinds.");
    }
  }

  /** The runtime of a kind or `family:default`; undefined when there is none. */
  resolve(kind: string): Runtime | undefined {
    return this.#kinds.resolve(kind);
  }

  /** All names a request may use, for the text that refuses others. */
  knownKinds(): readonly string[] {
    return [...this.#kinds.list(), "sequence", ...(this.blackboxes === undefined ? [] : ["blackbox"])];
  }

  /** Does the image `[registry/][prefix/]name[:tag]` count as a runtime? */
  isTrusted(image: string): boolean {
    const named = parseImageName(image);
    return named !== undefined && this.blackboxes?.some((one) => isSameImage(one, named)) === true;
  }
}

/** `[registry/][prefix/]name:tag`, the tag `latest` where none is given. */
export function imageText(image: ImageName): string {
  return fullImageName({ ...image, tag: image.tag || "latest" }, "");
}

/** Reads the text of OpenWhisk's `runtimes.json`; `source` names it in what is wrong. Throws StartError. */
export function readManifest(text: string, source: string): Manifest {
  const content = readContent(text);
  if ("problems" in content) {
    throw new StartError(content.problems.map((problem) => `${source}, ${problem}`).join("\n"));
  }
  return new Manifest(content.families, content.blackboxes);
}
