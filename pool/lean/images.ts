// The interpreters of images: each found in the image's own file system, tried once, and ready for lean containers.

import { accessSync, constants, statSync } from "node:fs";
import { join } from "node:path";
import { loaderOf } from "./image-elf.ts";
import { ImageError } from "./image-errors.ts";
import { resolveInside } from "./image-path.ts";
import { dockerSource, type ImageEngine, type ImageSource, layoutSource } from "./image-sources.ts";
import { ImageStore, type StoredImage } from "./image-store.ts";
import { versionByTrial } from "./image-trial.ts";
import { families, type Interpreter, isTaken, kindsOf } from "./interpreters.ts";
import { imageOptions, searchPath } from "./rootfs.ts";

export interface RuntimeImageOptions {
  /** Where images are unpacked. */
  readonly folder: string;
  /** An OCI image layout, which is asked before Docker. */
  readonly layout?: string | undefined;
  readonly docker?: ImageEngine | undefined;
  /** Whether Docker fetches what it does not have. */
  readonly pulls: boolean;
  /** Path of the launcher: build/native/lean. */
  readonly launcher: string;
}

type Family = Interpreter["family"];

const programs: Readonly<Record<Family, readonly string[]>> = {
  nodejs: ["node", "nodejs"],
  python: ["python3", "python"],
  ruby: ["ruby"],
};
/** Another libc's loader has another name; the runtimes' parts in machine code are made for this one. */
const glibcLoader = /\/ld-linux-x86-64\.so\.2$/;

/** The family whose runtime of ours may serve a kind of this name. */
export function familyOf(kind: string): Family | undefined {
  if (/^nodejs:\d+$/.test(kind)) return "nodejs";
  const [, name, version = ""] = /^(python|ruby):(\d+(?:\.\d+)?)$/.exec(kind) ?? [];
  const family = families.find((one) => one === name);
  return family !== undefined && isTaken(family, version) ? family : undefined;
}

export class RuntimeImages {
  readonly #sources: readonly ImageSource[];
  readonly #store: ImageStore;
  readonly #launcher: string;
  #last: Promise<unknown> = Promise.resolve();
  #trials = 0;
  #isSure: boolean = true;

  /** Nothing is read, and nobody asked, before an interpreter is. */
  constructor({ folder, layout, docker, pulls, launcher }: RuntimeImageOptions) {
    this.#sources = [
      ...(layout === undefined ? [] : [layoutSource(layout)]),
      ...(docker === undefined ? [] : [dockerSource(docker, pulls)]),
    ];
    this.#store = new ImageStore(folder);
    this.#launcher = launcher;
  }

  /**
   * Of the image with this full name, for this kind; the image stays on disk until `close`. Takes as long as unpacking it, where
   * it is new; several are unpacked one after the other, and tried at the same time. Throws ImageError, and LeanError where this machine has no place for a container.
   */
  async interpreter(kind: string, name: string): Promise<Interpreter> {
    const family = familyOf(kind);
    if (family === undefined) throw new ImageError("unfit", `there is no runtime of ours for ${kind}`);
    const stored = this.#last.then(() => this.#stored(name));
    this.#last = stored.catch(() => undefined);
    const image = await stored;
    const environment = variablesOf(image.environment);
    const path = programOf(image.root, programs[family], environment.PATH);
    const options = imageOptions(image.root, image.workFolder);
    const untried = { kind, family, version: "", path, image: { name, options, environment } };
    const instance = `trial-${process.pid}-${++this.#trials}`;
    const version = await versionByTrial(untried, { instance, launcher: this.#launcher });
    if (!kindsOf(family, version).includes(kind))
      throw new ImageError("unfit", `its ${path} is of version ${version}, which is not ${kind}`);
    return { ...untried, version };
  }

  /** Removes from disk what no invoker uses; not if an image may be in use again as soon as Docker answers. */
  async collect(): Promise<void> {
    if (this.#isSure) await this.#store.collect();
  }

  /** When no containers are left. Idempotent. */
  close(): Promise<void> {
    return this.#store.close();
  }

  async #stored(name: string): Promise<StoredImage> {
    try {
      for (const source of this.#sources) {
        const found = await source.find(name);
        if (found !== undefined) return await this.#store.open(found);
      }
    } catch (error) {
      this.#isSure = false;
      throw error;
    }
    throw new ImageError("absent", `there is no image ${name} here`);
  }
}

function variablesOf(environment: readonly string[]): { readonly [name: string]: string } {
  const pairs = environment.map((variable) => {
    const [name = "", ...value] = variable.split("=");
    return [name, value.join("=")] as const;
  });
  return Object.fromEntries(pairs.filter(([name]) => name !== ""));
}

/** As the image's own shell would find it: its path in the image, by which an interpreter knows where its libraries are. */
function programOf(root: string, names: readonly string[], searched: string = searchPath): string {
  const folders = searched.split(":").filter((folder) => folder.startsWith("/"));
  const places = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  const path = places.find((place) => isProgram(resolveInside(root, place)));
  if (path === undefined) throw new ImageError("unfit", `it has no ${names[0]} in ${folders.join(", ")}`);
  const loader = loaderOf(resolveInside(root, path) ?? "");
  if (loader === undefined) throw new ImageError("unfit", `its ${path} is no program for x86-64`);
  if (!glibcLoader.test(loader))
    throw new ImageError(
      "unfit",
      `its ${path} is ${loader === "" ? "linked statically" : `for the libc of ${loader}`}: it takes glibc`,
    );
  if (resolveInside(root, loader) === undefined)
    throw new ImageError("unfit", `its ${path} needs ${loader}, which is not in the image`);
  return path;
}

function isProgram(file: string | undefined): boolean {
  if (file === undefined || !statSync(file).isFile()) return false;
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
