// Unpacks an action's archive into a folder, and refuses whatever would reach beyond that folder.
"use strict";

// Nothing is trusted: names, links, sizes and modes come from strangers. Every check is made here, for both formats,
// and names the entry. The folder is new and this process alone writes below it, so a path that was checked stays
// what it was: parents are only ever real folders made here, and links are made last, after every file.

const fs = require("node:fs");
const path = require("node:path");
const { eachTarEntry } = require("./tar.js");
const { eachZipEntry } = require("./zip.js");

const MAX_ENTRIES = 100_000;
const MAX_PATH_BYTES = 4096;
const FOLDER_MODE = 0o755;
const FILE_MODE = 0o644;
const OWNER_READ_WRITE = 0o600;
const OWNER_ALL = 0o700;

/** An archive that is not unpacked; the message says why, and which entry. */
class ArchiveError extends Error {}

/** "zip", "tar.gz", or undefined for anything else. */
function archiveFormat(bytes) {
  if (bytes.length >= 4 && bytes.readUInt32BE(0) === 0x504b0304) return "zip";
  if (bytes.length >= 3 && bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8) return "tar.gz";
  return undefined;
}

/** Unpacks `bytes` into the new folder `root`. Throws an ArchiveError; the folder is then partly filled. */
function unpack(bytes, root) {
  fs.mkdirSync(root, { mode: FOLDER_MODE });
  const tree = new Tree(root);
  try {
    if (archiveFormat(bytes) === "zip") eachZipEntry(bytes, (entry) => tree.add(entry));
    else eachTarEntry(bytes, tree.roomBytes, (entry) => tree.add(entry));
    tree.finish();
  } catch (error) {
    throw error instanceof ArchiveError ? error : new ArchiveError(error.message);
  }
}

/** The folder being filled. */
class Tree {
  constructor(root) {
    this.root = root;
    this.roomBytes = freeBytes(root);
    this.usedBytes = 0;
    this.entries = 0;
    this.folders = new Set([""]);
    this.folderModes = new Map();
    this.links = [];
  }

  add(entry) {
    this.entries += 1;
    if (this.entries > MAX_ENTRIES)
      throw refusal(entry, `is one more than the ${MAX_ENTRIES} an archive may hold`);
    const name = checkedName(entry);
    switch (entry.kind) {
      case "folder":
        this.makeFolder(name, entry);
        if (entry.mode !== 0 && name !== "") this.folderModes.set(name, entry.mode | OWNER_ALL);
        return;
      case "file":
        this.writeFile(name, entry);
        return;
      case "symlink":
      case "hardlink":
        this.links.push({ name, entry, target: entry.target ?? linkTarget(entry) });
        return;
      default:
        throw refusal(entry, "is neither a file nor a folder nor a link");
    }
  }

  /** Makes the links, now that no file can be written through them any more, and gives folders their modes. */
  finish() {
    const hardlinks = this.links.filter(({ entry }) => entry.kind === "hardlink");
    const symlinks = this.links.filter(({ entry }) => entry.kind === "symlink");
    for (const link of hardlinks) this.makeHardlink(link);
    for (const link of symlinks) this.makeSymlink(link);
    for (const link of symlinks) this.assertInside(link);
    for (const [name, mode] of this.folderModes) fs.chmodSync(path.join(this.root, name), mode);
  }

  makeFolder(name, entry) {
    if (this.folders.has(name)) return;
    this.makeFolder(parentOf(name), entry);
    attempt(entry, () => fs.mkdirSync(path.join(this.root, name), { mode: FOLDER_MODE }));
    this.folders.add(name);
  }

  writeFile(name, entry) {
    if (name === "") throw refusal(entry, "has no name");
    this.reserve(entry, entry.sizeBytes);
    this.makeFolder(parentOf(name), entry);
    const content = entry.content();
    const place = path.join(this.root, name);
    attempt(entry, () => {
      if (this.folders.has(name)) throw refusal(entry, "is a file and a folder at once");
      fs.rmSync(place, { force: true });
      fs.writeFileSync(place, content, {
        flag: "wx",
        mode: entry.mode === 0 ? FILE_MODE : entry.mode | OWNER_READ_WRITE,
      });
    });
  }

  reserve(entry, sizeBytes) {
    this.usedBytes += sizeBytes;
    if (this.usedBytes > this.roomBytes)
      throw refusal(entry, `does not fit: there is room for ${this.roomBytes} bytes`);
  }

  makeHardlink({ name, entry, target }) {
    const from = path.join(this.root, checkedName({ path: target }));
    this.makeFolder(parentOf(name), entry);
    attempt(entry, () => {
      if (!fs.lstatSync(from).isFile()) throw refusal(entry, "is a hard link to something else than a file");
      fs.linkSync(from, path.join(this.root, name));
    });
  }

  makeSymlink({ name, entry, target }) {
    const aim = path.posix.normalize(path.posix.join(parentOf(name), target));
    if (path.posix.isAbsolute(target) || aim === ".." || aim.startsWith("../") || target.includes("\0")) {
      throw refusal(entry, `is a link that leaves the archive's folder (to "${target}")`);
    }
    this.makeFolder(parentOf(name), entry);
    attempt(entry, () => fs.symlinkSync(target, path.join(this.root, name)));
  }

  /** A chain of links each of which looks harmless may still lead out. */
  assertInside({ name, entry, target }) {
    const root = fs.realpathSync(this.root);
    let real;
    try {
      real = fs.realpathSync(path.join(this.root, name));
    } catch (error) {
      if (error.code === "ELOOP") throw refusal(entry, "is a link to itself");
      if (error.code !== "ENOENT") throw error;
      // Nothing is there: the text alone must tell where it leads, which it does not when it passes another link.
      real = passesLink(this.root, name, target) ? undefined : root;
    }
    if (real !== root && !real?.startsWith(`${root}/`)) {
      throw refusal(entry, `is a link that leaves the archive's folder (to "${target}")`);
    }
  }
}

/** True when the way from the link `name` to its target passes through another link. */
function passesLink(root, name, target) {
  let at = parentOf(name);
  for (const part of target.split("/")) {
    at = path.posix.normalize(path.posix.join(at, part));
    const place = path.join(root, at);
    if (fs.lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink()) return true;
  }
  return false;
}

/** The entry's name without leading "./" and trailing "/"; "" for the root itself. */
function checkedName(entry) {
  const name = entry.path;
  if (name.includes("\0") || name.includes("\\"))
    throw refusal(entry, "has a character that no name may have");
  if (name.startsWith("/")) throw refusal(entry, "has an absolute path");
  if (Buffer.byteLength(name) > MAX_PATH_BYTES) throw refusal(entry, "has too long a path");
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw refusal(entry, "leaves the archive's folder");
  return parts.join("/");
}

function linkTarget(entry) {
  if (entry.sizeBytes > MAX_PATH_BYTES) throw refusal(entry, "is a link to too long a path");
  return entry.content().toString("utf8");
}

function parentOf(name) {
  const slash = name.lastIndexOf("/");
  return slash === -1 ? "" : name.slice(0, slash);
}

function freeBytes(folder) {
  const { bavail, bsize } = fs.statfsSync(folder);
  return bavail * bsize;
}

function attempt(entry, work) {
  try {
    work();
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    if (error.code === "ENOSPC") throw refusal(entry, "does not fit: the container's disk is full");
    if (error.code === "EEXIST" || error.code === "ENOTDIR")
      throw refusal(entry, "is a file and a folder at once");
    throw refusal(entry, `cannot be written: ${error.message}`);
  }
}

function refusal(entry, why) {
  return new ArchiveError(`entry "${entry.path}" ${why}`);
}

module.exports = { ArchiveError, archiveFormat, unpack };
