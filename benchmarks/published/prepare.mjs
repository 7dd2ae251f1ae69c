// Brings what the benchmarks of published work run, into build/published: pyperformance's programs and the packages to be imported
// (by pip, pinned in packages.json), and the C kernels, compiled. Containers see the folder `shown`. What cannot be had is named
// and left out. Each step does nothing when its work is done already.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { ensureSystemPackages, isCommand, root, run, step } from "../../standalone/setup.mjs";

const folder = join(root, "build", "published");
const shown = join(folder, "shown");
const sources = join(root, "benchmarks", "published", "programs");
const python = "/usr/bin/python3";

const needs = [{ what: "pip", debianPackage: "python3-pip", isThere: () => isCommand("pip3") }];

/** @param {(line: string) => void} say */
export async function preparePublished(say) {
  mkdirSync(shown, { recursive: true });
  await compileKernels(say);
  const { programs, imports } = packages();
  for (const one of [{ name: "pyperformance", wants: [programs] }, ...imports])
    await bring(say, one).catch((error) =>
      say(`${one.name} cannot be had and is left out: ${error.message}`),
    );
}

/** Of the packages to be imported only these; throws where one cannot be had. @param {(line: string) => void} say @param {readonly string[]} names */
export async function prepareImports(say, names) {
  for (const one of packages().imports.filter(({ name }) => names.includes(name))) await bring(say, one);
}

/** @returns {{ programs: string, imports: { name: string, wants: string[] }[] }} */
function packages() {
  return JSON.parse(readFileSync(join(root, "benchmarks", "published", "packages.json"), "utf8"));
}

/** @param {(line: string) => void} say @param {{ name: string, wants: string[] }} one */
async function bring(say, { name, wants }) {
  if (existsSync(stampOf(name, wants))) return;
  await ensureSystemPackages(say, needs);
  await step(say, `Fetching ${wants.join(" ")} (pip)`, () => fetch(name, wants));
}

/** @param {(line: string) => void} say */
async function compileKernels(say) {
  const [source, library] = [join(sources, "kernels.c"), join(shown, "kernels.so")];
  if (existsSync(library) && statSync(library).mtimeMs > statSync(source).mtimeMs) return;
  const flags = "-std=c17 -O2 -fPIC -shared -Wall -Wextra -Werror -Wshadow -Wconversion".split(" ");
  await step(say, "Compiling the C kernels (gcc)", () =>
    run("gcc", [...flags, "-o", library, source, "-lm"]),
  );
}

/** Where a package lies once all of it is there. @param {string} name @param {readonly string[]} wants */
function stampOf(name, wants) {
  return join(shown, "packages", name, `.${wants.join("-")}`);
}

/** For the interpreter that actions run in, whosever pip it is. @param {string} name @param {readonly string[]} wants */
async function fetch(name, wants) {
  const [target, place] = [join(folder, "fetching"), join(shown, "packages", name)];
  rmSync(target, { recursive: true, force: true });
  const version = execFileSync(python, ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"], {
    encoding: "utf8",
  }).trim();
  await run("pip3", [
    ...["install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore", "--no-compile"],
    ...["--no-deps", "--only-binary=:all:", "--implementation", "cp", "--python-version", version],
    ...["--target", target, ...wants],
  ]);
  // In action code the bytecode cannot be kept, so it has to be there.
  await run(python, ["-m", "compileall", "-q", target]).catch(() => {});
  rmSync(place, { recursive: true, force: true });
  mkdirSync(join(shown, "packages"), { recursive: true });
  await run("chmod", ["-R", "go+rX", target]);
  renameSync(target, place);
  await run("touch", [stampOf(name, wants)]);
}
