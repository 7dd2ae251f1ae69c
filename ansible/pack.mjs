// Packs this checkout, which `npm run build` has built, for hosts that reach no registry: nothing but Node is needed to run it.
// The same contents give the same archive, byte for byte. Prints its path.
//
//   node ansible/pack.mjs [FILE]

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const root = dirname(import.meta.dirname);
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const target = resolve(process.argv[2] ?? join(root, "build", `rewhisk-${version}-linux-x64.tgz`));

const layers = ["invoker", "pool", "restorer"].map((layer) => `build/js/${layer}`);
const parts = new Set([
  ...[
    "package.json",
    "LICENSE",
    "invoker/start.mjs",
    "invoker/ui/page",
    "openwhisk-config",
    "pool/lean/seccomp.json",
    "runtimes",
  ],
  ...layers,
  ...["lean", "guard", "probe-victim", "librewind.so"].map((file) => `build/native/${file}`),
  ...mounts(),
  ...packages(),
]);

/** What containers see of the checkout beside the runtimes' own files. */
function mounts() {
  const families = readdirSync(join(root, "runtimes")).map((name) =>
    join(root, "runtimes", name, "runtime.json"),
  );
  const described = families.filter(existsSync).map((file) => JSON.parse(readFileSync(file, "utf8")));
  return described
    .flatMap(({ mounts }) => mounts.map(({ from }) => from))
    .filter((from) => !from.startsWith("runtimes/"));
}

/** The packages that the layers name, and those that these need in turn. */
function packages() {
  const { packages: known } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const text = layers.map((layer) => textBelow(join(root, layer))).join();
  const isNamed = (/** @type {string} */ name) => text.includes(`"${name}"`) || text.includes(`"${name}/`);
  const found = new Set(Object.keys(known[""].dependencies).filter(isNamed));
  // A set is walked to its end, wherever that has moved to meanwhile. What lies within another package comes with it.
  for (const name of found) {
    const within = Object.keys(known).filter((path) => `${path}/`.startsWith(`node_modules/${name}/`));
    const needed = within.flatMap((path) =>
      Object.keys({ ...known[path].dependencies, ...known[path].optionalDependencies }),
    );
    for (const other of needed) found.add(other);
  }
  return [...found].map((name) => `node_modules/${name}`).filter((path) => existsSync(join(root, path)));
}

/** @param {string} folder */
function textBelow(folder) {
  const files = readdirSync(folder, { recursive: true }).map(String);
  const programs = files.filter((file) => file.endsWith(".js"));
  return programs.map((file) => readFileSync(join(folder, file), "utf8")).join();
}

const missing = [...parts].filter((part) => !existsSync(join(root, part)));
if (missing.length > 0) {
  console.error(`Missing: ${missing.join(", ")}. Remedy: npm run build`);
  process.exit(2);
}
mkdirSync(dirname(target), { recursive: true });
const unfinished = `${target}.${process.pid}`;
execFileSync("tar", [
  ...[
    "--create",
    "--gzip",
    "--file",
    unfinished,
    "--directory",
    root,
    "--transform",
    "flags=rSH;s,^,rewhisk/,",
  ],
  ...["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "--mode=u+rwX,go+rX,go-w"],
  ...["--exclude=*.map", "--exclude=*.d.ts", "--exclude=package-lock.json", ...parts],
]);
renameSync(unfinished, target);
console.log(target);
