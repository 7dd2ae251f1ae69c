// The file system of an image, put together from its layers in a folder of ours.

import {
  chmodSync,
  closeSync,
  fchmodSync,
  futimesSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { Parser, type ReadEntry } from "tar";
import { ImageError } from "./image-errors.ts";
import { partsOf, resolveInside } from "./image-path.ts";
import { openedByZstd } from "./image-zstd.ts";

/** Layers mark so what is gone of those below (the image specification's whiteouts); more names begin so, and mean nothing today. */
const whiteout = ".wh.";
const opaque = ".wh..wh..opq";
const reserved = ".wh..wh.";

const folderMode = 0o755;
const fileMode = 0o644;
const programMode = 0o755;
const anybodyRuns = 0o111;

/**
 * Nothing in a layer is trusted: no entry, and no link, reaches beyond the folder, in which this process alone writes. All is
 * root's and everybody may read it, as in the image's own container, where actions are root. Devices, pipes, extended attributes
 * and set-user-id bits are left out: containers could not use them.
 */
export class ImageTree {
  readonly #root: string;
  /** Folders by the paths that lead to them, as long as nothing on the way has changed. */
  readonly #folders = new Map<string, string>();
  /** Of the layer that is being added: an opaque folder keeps these. */
  readonly #added = new Set<string>();
  #open: number | undefined;

  /** `root` is there, and empty at first. */
  constructor(root: string) {
    this.#root = root;
  }

  /** The next layer: a tar archive, plain, by gzip or by zstd. Throws ImageError `malformed`, and what the disk says. */
  async add(archive: AsyncIterable<Uint8Array>): Promise<void> {
    this.#added.clear();
    const faults: string[] = [];
    let isEmptyToItsEnd = false;
    const parser = new Parser({
      // A file of zeros is no attack.
      maxDecompressionRatio: Number.POSITIVE_INFINITY,
      // A layer may have no entries at all, which is no fault.
      onwarn: (_code, message) => void (isEmptyToItsEnd || faults.push(String(message))),
      onReadEntry: (entry) => this.#add(entry),
    });
    parser.on("eof", () => {
      isEmptyToItsEnd = this.#added.size === 0;
    });
    const failed = new Promise<never>((_, reject) => parser.on("error", reject));
    const ended = new Promise<void>((resolve) => parser.on("end", resolve));
    failed.catch(() => undefined);
    try {
      // Entries are taken while they are written: there is nothing to wait for.
      for await (const piece of openedByZstd(archive)) parser.write(Buffer.from(piece));
      parser.end();
      await Promise.race([ended, failed]);
    } catch (cause) {
      throw isOfDisk(cause) || cause instanceof ImageError ? cause : unreadable(cause);
    } finally {
      this.#closeFile();
    }
    if (faults.length > 0) throw unreadable(faults[0]);
  }

  #add(entry: ReadEntry): void {
    const parts = [...partsOf(entry.path)];
    const name = parts.pop();
    if (name === undefined || name.startsWith(reserved)) {
      if (name === opaque) this.#empty(this.#folder(parts));
      entry.resume();
      return;
    }
    if (parts.includes("..") || name === "..") throw new ImageError("malformed", `${entry.path}: leads up`);
    const folder = this.#folder(parts);
    if (name.startsWith(whiteout)) {
      const hidden = name.slice(whiteout.length);
      if (hidden !== "" && hidden !== "." && hidden !== "..") this.#remove(join(folder, hidden));
      entry.resume();
      return;
    }
    const place = join(folder, name);
    for (let above = place; above !== this.#root && !this.#added.has(above); above = dirname(above)) {
      this.#added.add(above);
    }
    this.#make(entry, place);
  }

  #make(entry: ReadEntry, place: string): void {
    const { type, mode = 0, mtime, linkpath = "" } = entry;
    const before = lstatSync(place, { throwIfNoEntry: false });
    const isFolder = type === "Directory" || type === "GNUDumpDir";
    // A folder that is there already stays, with what is in it. All else is replaced, never written to: it may have other names.
    if (before !== undefined && !(isFolder && before.isDirectory())) this.#remove(place);
    if (isFolder) makeFolder(place);
    else if (type === "SymbolicLink") symlinkSync(linkpath, place);
    else if (type === "Link") this.#link(linkpath, place);
    else if (type === "File" || type === "OldFile" || type === "ContiguousFile") {
      this.#write(entry, place, { mode: mode & anybodyRuns ? programMode : fileMode, mtime });
      return;
    }
    entry.resume();
  }

  /** The time matters: Python looks by it whether what it has compiled is still of that file. */
  #write(
    entry: ReadEntry,
    place: string,
    { mode, mtime = new Date(0) }: { readonly mode: number; readonly mtime: Date | undefined },
  ): void {
    const fd = openSync(place, "wx", fileMode);
    this.#open = fd;
    entry.on("data", (piece: Buffer) => {
      for (let done = 0; done < piece.length; ) done += writeSync(fd, piece, done);
    });
    entry.on("end", () => {
      fchmodSync(fd, mode);
      futimesSync(fd, mtime, mtime);
      this.#closeFile();
    });
  }

  #link(target: string, place: string): void {
    const parts = [...partsOf(target)];
    const name = parts.pop() ?? "";
    const source = join(this.#folder(parts), name);
    if (name === "" || name === ".." || lstatSync(source, { throwIfNoEntry: false })?.isDirectory() !== false)
      throw new ImageError(
        "malformed",
        `${relative(this.#root, place)}: a name for ${target}, which is no file`,
      );
    linkSync(source, place);
  }

  #folder(parts: readonly string[]): string {
    const path = parts.join("/");
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const folder = resolveInside(this.#root, path, makeFolder);
    if (folder === undefined || !lstatSync(folder).isDirectory())
      throw new ImageError("malformed", `${path}: something is to lie in it, and it is no folder`);
    this.#folders.set(path, folder);
    return folder;
  }

  #remove(place: string): void {
    this.#folders.clear();
    rmSync(place, { recursive: true, force: true });
  }

  /** Of what the layers below have put there; what this one has is kept, in whatever order it comes. */
  #empty(folder: string): void {
    for (const name of readdirSync(folder)) {
      const place = join(folder, name);
      if (!this.#added.has(place)) this.#remove(place);
      else if (lstatSync(place).isDirectory()) this.#empty(place);
    }
  }

  #closeFile(): void {
    if (this.#open !== undefined) closeSync(this.#open);
    this.#open = undefined;
  }
}

/** Whatever this process's umask is. */
function makeFolder(place: string): void {
  mkdirSync(place, { recursive: true });
  chmodSync(place, folderMode);
}

function isOfDisk(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

function unreadable(cause: unknown): ImageError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ImageError("malformed", `a layer cannot be read: ${why}`, { cause });
}
