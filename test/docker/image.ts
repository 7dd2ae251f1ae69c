// An image made of this machine's Python and an action server, for tests: nothing can be pulled where they run.

import { execFile, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import Docker from "dockerode";
import { projectFolder } from "../../invoker/config/entries.ts";

const run = promisify(execFile);
const python = "/usr/bin/python3";
/** Of the standard library, what an action server does not need and is large. */
const leftOut = ["test", "idlelib", "lib2to3", "ensurepip", "pydoc_data", "tkinter", "__pycache__"];

/** The image's name without a tag; all tags name the same image. */
export async function importImage(socketPath: string, name: string, tags: readonly string[]): Promise<void> {
  const tree = mkdtempSync(join(tmpdir(), "rewhisk-image-"));
  try {
    await makeTree(tree);
    const docker = new Docker({ socketPath, host: "" });
    const [first = "latest", ...others] = tags;
    await importTree(docker, tree, { repo: name, tag: first });
    for (const tag of others) await docker.getImage(`${name}:${first}`).tag({ repo: name, tag });
  } finally {
    rmSync(tree, { recursive: true });
  }
}

async function importTree(docker: Docker, tree: string, names: { repo: string; tag: string }): Promise<void> {
  const tar = spawn("tar", ["-C", tree, "-c", "."], { stdio: ["ignore", "pipe", "inherit"] });
  const command = `CMD ["${python}","-IuB","/action-server.py"]`;
  const progress = await docker.importImage(tar.stdout, { ...names, changes: [command] });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(progress, (error: Error | null) =>
      error === null ? resolve() : reject(error),
    );
  });
}

/** An action server and what it needs. */
async function makeTree(tree: string): Promise<void> {
  makeFolders(tree);
  await addPython(tree);
  cpSync(join(projectFolder(), "test", "docker", "action-server.py"), join(tree, "action-server.py"));
}

/** As a distribution has them. */
export function makeFolders(tree: string): void {
  for (const folder of ["usr/bin", "usr/lib", "usr/lib64", "tmp"])
    mkdirSync(join(tree, folder), { recursive: true });
  for (const folder of ["lib", "lib64"]) symlinkSync(`usr/${folder}`, join(tree, folder));
}

/** The interpreter, its standard library, and the shared libraries of both. */
export async function addPython(tree: string): Promise<void> {
  const program = realpathSync(python);
  const version = basename(program);
  cpSync(program, join(tree, python));
  const library = join("/usr/lib", version);
  const filter = (path: string): boolean =>
    !leftOut.includes(basename(path)) && !basename(path).startsWith("config-");
  cpSync(library, join(tree, library), { recursive: true, filter, dereference: true });
  await addLibraries(tree, [program, join(library, "lib-dynload", "*.so")]);
}

/** What programs load, and what loads them, where they look for it. */
export async function addLibraries(tree: string, patterns: readonly string[]): Promise<void> {
  for (const path of await sharedLibraries(patterns)) {
    const place = join(tree, realpathSync(dirname(path)), basename(path));
    mkdirSync(dirname(place), { recursive: true });
    cpSync(realpathSync(path), place);
  }
}

async function sharedLibraries(patterns: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await run("sh", ["-c", `ldd ${patterns.join(" ")}`]);
  return [...new Set(Array.from(stdout.matchAll(/(?:=> |^\t)(\/\S+) \(0x/gm), ([, path = ""]) => path))];
}
