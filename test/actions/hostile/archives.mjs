// Makes the archives with which an action attacks the runtime that unpacks it; none of them is committed.
import { createCipheriv, createHash } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { Readable } from "node:stream";
import yazl from "yazl";
import { STAMP, writeZip } from "../pack.mjs";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
/** OpenWhisk takes 48 MB of code; an archive comes to it in base64. */
const LARGEST = 36 * MIB;
const SOURCES = {
  nodejs: ["index.js", "exports.main = () => ({ ran: true, escaped: require('fs').existsSync('/tmp/escaped') });\n"],
  python: ["__main__.py", "import os\n\ndef main(args):\n    return {'ran': True, 'escaped': os.path.exists('/tmp/escaped')}\n"],
};

function start(family) {
  const zip = new yazl.ZipFile();
  const [name, source] = SOURCES[family];
  zip.addBuffer(Buffer.from(source), name, { mtime: STAMP });
  return zip;
}

/** Zip writers refuse names that lead out of the folder, so they are put in afterwards, at the same length. */
async function renameEntry(archive, from, to) {
  if (from.length !== to.length) throw new Error(`${from} and ${to} differ in length`);
  const bytes = await readFile(archive);
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + 1)) bytes.write(to, at, "latin1");
  await writeFile(archive, bytes);
}

async function climbing(family, archive) {
  const zip = start(family);
  zip.addBuffer(Buffer.from("out of the folder\n"), "XX/XX/XX/XX/XX/XX/XX/XX/tmp/escaped", { mtime: STAMP });
  await writeZip(zip, archive);
  await renameEntry(archive, "XX/XX/XX/XX/XX/XX/XX/XX/tmp/escaped", "../../../../../../../../tmp/escaped");
}

async function absolute(family, archive) {
  const zip = start(family);
  zip.addBuffer(Buffer.from("out of the folder\n"), "Xtmp/escaped", { mtime: STAMP });
  await writeZip(zip, archive);
  await renameEntry(archive, "Xtmp/escaped", "/tmp/escaped");
}

/** A symbolic link to /tmp, and a file that would be written through it. */
async function throughLink(family, archive) {
  const zip = start(family);
  zip.addBuffer(Buffer.from("/tmp"), "link", { mode: 0o120777, mtime: STAMP });
  zip.addBuffer(Buffer.from("out of the folder\n"), "link/escaped", { mtime: STAMP });
  await writeZip(zip, archive);
}

/** A few megabytes that unpack to a gigabyte. */
async function bomb(family, archive) {
  const zip = start(family);
  const block = Buffer.alloc(1 << 20);
  function* zeros() {
    for (let written = 0; written < GIB; written += block.length) yield block;
  }
  zip.addReadStream(Readable.from(zeros()), "zeros", { mtime: STAMP, compressionLevel: 1 });
  await writeZip(zip, archive);
}

/** Says it is a zip file and is none. */
async function broken(_family, archive) {
  const noise = createHash("sha512").update("noise").digest();
  await writeFile(archive, Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), noise, noise]));
}

/** Claims a size for its entry that is not the size of what is in it. */
async function lying(family, archive) {
  const zip = start(family);
  zip.addBuffer(Buffer.alloc(100_000, "x"), "large.txt", { mtime: STAMP });
  await writeZip(zip, archive);
  const bytes = await readFile(archive);
  for (let at = bytes.indexOf("PK\x01\x02"); at >= 0; at = bytes.indexOf("PK\x01\x02", at + 1)) {
    if (bytes.toString("latin1", at + 46, at + 55) === "large.txt") bytes.writeUInt32LE(10, at + 24);
  }
  const local = bytes.indexOf("large.txt") - 30;
  bytes.writeUInt32LE(10, local + 22);
  await writeFile(archive, bytes);
}

/** Nothing in it can be compressed. */
async function largest(family, archive) {
  const zip = start(family);
  const noise = createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(LARGEST - 1024));
  zip.addBuffer(noise, "noise", { mtime: STAMP, compress: false });
  await writeZip(zip, archive);
}

const LATIN_SOURCES = {
  nodejs: ["index.js", "exports.main = () => ({ ran: true, text: 'caf\xe9' });\n"],
  python: ["__main__.py", "def main(args):\n    return {'ran': True, 'text': 'caf\xe9'}\n"],
};

async function latin(family, archive) {
  const zip = new yazl.ZipFile();
  const [name, source] = LATIN_SOURCES[family];
  zip.addBuffer(Buffer.from(source, "latin1"), name, { mtime: STAMP });
  await writeZip(zip, archive);
}

/** The name is still marked as UTF-8. */
async function oddName(family, archive) {
  const zip = start(family);
  zip.addBuffer(Buffer.from("coffee\n"), "cafX.txt", { mtime: STAMP });
  await writeZip(zip, archive);
  await renameEntry(archive, "cafX.txt", "caf\xe9.txt");
}

/** A zip file without anything that could be run. */
async function empty(_family, archive) {
  const zip = new yazl.ZipFile();
  zip.addBuffer(Buffer.from("no code here\n"), "readme.txt", { mtime: STAMP });
  await writeZip(zip, archive);
}

const WAYS = {
  climbing,
  absolute,
  "through-link": throughLink,
  bomb,
  broken,
  lying,
  largest,
  latin,
  "odd-name": oddName,
  empty,
};

/** The archives by file name, each with the function that makes it. */
export const hostileArchives = Object.keys(SOURCES).flatMap((family) =>
  Object.entries(WAYS).map(([way, make]) => ({
    name: `hostile-${family}-${way}.zip`,
    build: async (archive) => {
      await rm(archive, { force: true });
      await make(family, archive);
    },
  })),
);
