// Part of `npm pack`: takes the install scripts out of the packages that go into ours. npm would run them wherever ours is installed, and most
// compile: what they make is there already, or is of no use here (ssh2's and its cpu-features). Nothing else ever runs them.

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./setup.mjs";

const steps = ["preinstall", "install", "postinstall"];
const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));

for (const [path, { dev }] of Object.entries(packages)) {
  const file = join(root, path, "package.json");
  if (path === "" || dev || !existsSync(file)) continue;
  const manifest = JSON.parse(readFileSync(file, "utf8"));
  // A package with this file is compiled though it has no script, unless it says that it is not to be.
  const hasBinding = manifest.gypfile !== false && existsSync(join(root, path, "binding.gyp"));
  if (!hasBinding && !steps.some((name) => name in (manifest.scripts ?? {}))) continue;
  const scripts = Object.entries(manifest.scripts ?? {}).filter(([name]) => !steps.includes(name));
  // By another name first: whoever reads it meanwhile reads all of it.
  writeFileSync(
    `${file}.new`,
    JSON.stringify({ ...manifest, gypfile: false, scripts: Object.fromEntries(scripts) }),
  );
  renameSync(`${file}.new`, file);
  console.log(`${path}: without its install scripts`);
}
