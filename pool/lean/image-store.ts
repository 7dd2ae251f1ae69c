// The images' file systems on this machine's disk: each unpacked once, by its content, and removed when no invoker uses it.

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Hold, moveUnheld } from "../hold.ts";
import { ImageError } from "./image-errors.ts";
import type { FoundImage, ImageContent } from "./image-sources.ts";
import { ImageTree } from "./image-tree.ts";
import { identityFiles, identityFolder } from "./rootfs.ts";

export interface StoredImage {
  /** Its file system. */
  readonly root: string;
  /** `NAME=VALUE` */
  readonly environment: readonly string[];
  readonly workFolder: string;
}

/** How an image lies on disk; the next number when that changes. */
const form = 1;
const ownNames = /^(?:[0-9a-f]{64}-\d+|\.(?:new|old)-[0-9a-f]{16})$/;
const attemptsMax = 5;
const run = promisify(execFile);

const freshName = (what: "new" | "old"): string => `.${what}-${randomBytes(8).toString("hex")}`;

/** Any number of invokers may use one folder; each needs to see the others' locks, which is so on one machine. */
export class ImageStore {
  readonly #folder: string;
  readonly #holds = new Map<string, Hold>();

  /** Made when there is something to keep in it. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Nobody removes it before `close`. Throws ImageError `malformed`, `unpack`. */
  async open(image: FoundImage): Promise<StoredImage> {
    const path = join(this.#folder, `${image.id}-${form}`);
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const hold =
        this.#holds.get(image.id) ?? (await Hold.take(path, "shared")) ?? (await this.#unpack(image, path));
      if (hold === undefined) continue;
      this.#holds.set(image.id, hold);
      const settings = JSON.parse(readFileSync(join(path, "image.json"), "utf8")) as Omit<
        StoredImage,
        "root"
      >;
      return { ...settings, root: join(path, "root") };
    }
    throw new ImageError("unpack", `${path} cannot be locked: is flock there (Debian: util-linux)?`);
  }

  /** Removes what nobody uses, of other lives and other invokers too. */
  async collect(): Promise<void> {
    const names = existsSync(this.#folder)
      ? readdirSync(this.#folder).filter((name) => ownNames.test(name))
      : [];
    for (const name of names) {
      const old = join(this.#folder, freshName("old"));
      if (await moveUnheld(join(this.#folder, name), old)) await rm(old, { recursive: true, force: true });
    }
  }

  /** Lets go of all that was opened. Idempotent. */
  async close(): Promise<void> {
    await Promise.all([...this.#holds.values()].map((hold) => hold.release()));
    this.#holds.clear();
  }

  /** Under its name only when it is complete, and on disk. Undefined: somebody else was faster, or has taken ours for a leftover. */
  async #unpack(image: FoundImage, path: string): Promise<Hold | undefined> {
    const fresh = join(this.#folder, freshName("new"));
    let hold: Hold | undefined;
    try {
      mkdirSync(fresh, { recursive: true, mode: 0o700 });
      hold = await Hold.take(fresh, "shared");
      if (hold === undefined) return undefined;
      await fill(image, fresh);
      await run("sync", ["--file-system", fresh]);
      if (!hasTaken(fresh, path)) return undefined;
      const taken = hold;
      hold = undefined;
      return taken;
    } catch (cause) {
      if (cause instanceof ImageError) throw cause;
      const why = (cause as Error).message;
      throw new ImageError("unpack", `it cannot be unpacked into ${this.#folder}: ${why}`, { cause });
    } finally {
      // What cannot be removed now is a leftover, which the next start removes.
      await rm(fresh, { recursive: true, force: true }).catch(() => undefined);
      await hold?.release();
    }
  }
}

/** False: there is one of that name. */
function hasTaken(fresh: string, path: string): boolean {
  if (existsSync(path)) return false;
  try {
    renameSync(fresh, path);
    return true;
  } catch (error) {
    if (existsSync(path)) return false;
    throw error;
  }
}

async function fill(image: FoundImage, folder: string): Promise<void> {
  const [root, saved] = [join(folder, "root"), join(folder, "saved")];
  for (const made of [root, saved]) mkdirSync(made);
  const { layers, ...settings }: ImageContent = await image.content(saved);
  const tree = new ImageTree(root);
  for (const layer of layers) await tree.add(layer);
  rmSync(saved, { recursive: true });
  prepare(root);
  writeFileSync(join(folder, "image.json"), JSON.stringify(settings));
}

/** Places for what is a container's own: they must be there before, since nothing can be made in what is read-only. */
function prepare(root: string): void {
  for (const folder of ["etc", "var"]) {
    const found = lstatSync(join(root, folder), { throwIfNoEntry: false });
    if (found !== undefined && !found.isDirectory())
      throw new ImageError("unfit", `its /${folder} is no folder`);
  }
  for (const folder of ["etc", "var/empty"]) mkdirSync(join(root, folder), { recursive: true });
  for (const name of identityFiles) {
    rmSync(join(root, "etc", name), { recursive: true, force: true });
    symlinkSync(join(identityFolder, name), join(root, "etc", name));
  }
}
