// Images for the stand-in for stock: this machine's Node and Python, the packages that actions find in stock's nodejs images, and an
// action proxy that does as little as it can.

import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { projectFolder } from "../../invoker/config/entries.ts";
import type { Interpreter } from "../../invoker/index.ts";
import type { Image } from "../../pool/index.ts";
import { addLibraries, addPython, makeFolders } from "../../test/docker/image.ts";

const commands = {
  nodejs: ["/usr/local/bin/node", "/action-server.mjs"],
  python: ["/usr/bin/python3", "-IuB", "/action-server.py"],
} as const;

/** Loads one image per language, for all its kinds of this machine whose interpreter the image has. */
export async function importRuntimeImages(
  socketPath: string,
  interpreters: readonly Interpreter[],
): Promise<ReadonlyMap<string, Image>> {
  const tree = mkdtempSync(join(tmpdir(), "rewhisk-image-"));
  try {
    await makeTree(tree);
    const docker = new Docker({ socketPath, host: "" });
    const images = new Map<string, Image>();
    for (const [family, command] of Object.entries(commands)) {
      const repo = `127.0.0.1:9/stock-like/${family}`;
      await importTree(docker, tree, { repo, tag: "1", changes: [`CMD ${JSON.stringify(command)}`] });
      const image = { name: `${repo}:1`, pull: false, sentinelled: true };
      const own = interpreters.filter(
        (one) => one.family === family && (family !== "nodejs" || isThisNode(one)),
      );
      for (const { kind } of own) images.set(kind, image);
    }
    return images;
  } finally {
    rmSync(tree, { recursive: true });
  }
}

/** The one that the image has. */
function isThisNode({ version }: Interpreter): boolean {
  return version === process.versions.node;
}

async function makeTree(tree: string): Promise<void> {
  const node = realpathSync(process.execPath);
  makeFolders(tree);
  mkdirSync(join(tree, "usr/local/bin"), { recursive: true });
  cpSync(node, join(tree, "usr/local/bin/node"));
  await addLibraries(tree, [node]);
  await addPython(tree);
  const packages = join(projectFolder(), "runtimes/nodejs/packages/node_modules");
  if (existsSync(packages)) cpSync(packages, join(tree, "node_modules"), { recursive: true });
  cpSync(join(projectFolder(), "benchmarks/compare/action-server.mjs"), join(tree, "action-server.mjs"));
  cpSync(join(projectFolder(), "test/docker/action-server.py"), join(tree, "action-server.py"));
}

async function importTree(
  docker: Docker,
  tree: string,
  options: { readonly repo: string; readonly tag: string; readonly changes: readonly string[] },
): Promise<void> {
  const tar = spawn("tar", ["-C", tree, "-c", "."], { stdio: ["ignore", "pipe", "inherit"] });
  const progress = await docker.importImage(tar.stdout, { ...options, changes: [...options.changes] });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(progress, (error: Error | null) =>
      error === null ? resolve() : reject(error),
    );
  });
}
