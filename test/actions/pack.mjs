// Packs a folder as users pack their actions, such that equal folders give equal bytes.
import { execFile } from "node:child_process";
import { createWriteStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import yazl from "yazl";

const run = promisify(execFile);
/** The time of change of every packed file: archives do not depend on when they were made. */
export const STAMP = new Date(2024, 0, 1);

/** All files below a folder, relative and in order; symbolic links are followed, as `zip -r` does. */
export async function listFiles(folder, below = "") {
  const files = [];
  const entries = await readdir(path.join(folder, below), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = path.join(below, entry.name);
    const info = entry.isSymbolicLink() ? await stat(path.join(folder, name)) : entry;
    if (info.isDirectory()) files.push(...(await listFiles(folder, name)));
    else files.push(name);
  }
  return files;
}

/** Writes a yazl archive to a file. */
export async function writeZip(zip, target) {
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(target));
}

/** Packs a folder as a zip file. */
export async function packZip(folder, target) {
  const zip = new yazl.ZipFile();
  for (const name of await listFiles(folder)) {
    const { mode } = await stat(path.join(folder, name));
    zip.addFile(path.join(folder, name), name, { mtime: STAMP, mode: mode & 0o111 ? 0o100755 : 0o100644 });
  }
  await writeZip(zip, target);
}

/** Packs a folder as a compressed tar file. */
export async function packTar(folder, target) {
  const entries = (await readdir(folder)).sort();
  await run("tar", [
    "--sort=name",
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    `--mtime=@${STAMP.getTime() / 1000}`,
    "--use-compress-program=gzip -n",
    "-cf",
    target,
    "-C",
    folder,
    ...entries,
  ]);
}
