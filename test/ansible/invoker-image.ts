// The invoker's image, built by the project's Dockerfile over a base of this machine's own Debian packages: nothing can be pulled where tests run.

import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectFolder } from "../../invoker/config/entries.ts";
import { addLibraries, makeFolders } from "../docker/image.ts";
import { pack } from "./playbook.ts";

const run = promisify(execFile);
/** What the Dockerfile would install, and a system around it. */
const packages = [
  ...[
    "base-files",
    "bash",
    "coreutils",
    "dash",
    "grep",
    "iproute2",
    "libc-bin",
    "nftables",
    "python3",
    "tar",
  ],
  "util-linux",
];
const onlyDepends = ["recommends", "suggests", "conflicts", "breaks", "replaces", "enhances"];
const documentation = /^\/usr\/share\/(doc|info|lintian|locale|man)\//;

/** Docker's command, with the daemon at the socket and settings of nobody's. */
export async function docker(
  socketPath: string,
  args: readonly string[],
  variables: { readonly [name: string]: string } = {},
): Promise<string> {
  const env = {
    ...{ PATH: process.env.PATH, DOCKER_HOST: `unix://${socketPath}`, DOCKER_CONFIG: "/nonexistent" },
    ...variables,
  };
  return (await run("docker", args, { env })).stdout.trim();
}

/** Builds it under this name. The build reaches no network. */
export async function buildInvokerImage(socketPath: string, name: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "rewhisk-invoker-image-"));
  const context = join(folder, "context");
  mkdirSync(context);
  try {
    await run(process.execPath, [pack, join(context, "rewhisk.tgz")]);
    await run("tar", ["-C", await debianTree(folder), "-cf", join(folder, "base.tar"), "."]);
    await docker(socketPath, ["import", join(folder, "base.tar"), "rewhisk-test/base"]);
    const dockerfile = join(projectFolder(), "Dockerfile");
    const options = ["--network", "none", "--build-arg", "BASE=rewhisk-test/base", "--tag", name];
    await docker(socketPath, ["build", ...options, "--file", dockerfile, context], { DOCKER_BUILDKIT: "0" });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The files of the packages and of those that they depend on, as this machine has them, and its Node. */
async function debianTree(folder: string): Promise<string> {
  const tree = join(folder, "tree");
  makeFolders(tree);
  mkdirSync(join(tree, "usr/local/bin"), { recursive: true });
  const without = onlyDepends.map((kind) => `--no-${kind}`);
  // An alternative of what is installed may be listed, too.
  const list =
    'apt-cache depends --recurse --installed "$@" | grep "^[a-z]" | xargs dpkg-query --listfiles 2>/dev/null; true';
  const { stdout } = await run("sh", ["-c", list, "list", ...without, ...packages], { maxBuffer: 1e8 });
  const paths = new Set(stdout.split("\n").filter((path) => /^\/./.test(path) && !documentation.test(path)));
  const names = join(folder, "files");
  writeFileSync(names, [...paths].map((path) => `.${path}\n`).join(""));
  // Some may be missing: an administrator may leave out what packages have.
  const copy =
    'tar -C / --no-recursion --ignore-failed-read --files-from "$0" -cf - 2>/dev/null | tar -C "$1" -xf -';
  await run("sh", ["-c", copy, names, tree]);
  cpSync(process.execPath, join(tree, "usr/local/bin/node"));
  await addLibraries(tree, [process.execPath]);
  return tree;
}
