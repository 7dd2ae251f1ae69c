// Installs an action's packages beside its sources with the ordinary clients, at the versions it pins.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const PYTHON = "/usr/bin/python3";
const VIRTUALENV = "virtualenv==21.15.7";

async function call(command, args, options) {
  try {
    return await run(command, args, { maxBuffer: 1 << 24, ...options });
  } catch (problem) {
    throw new Error(`${command} ${args.join(" ")}\n${problem.stdout ?? ""}${problem.stderr ?? ""}${problem.message}`);
  }
}

/** Says what is missing to install Python packages, or nothing. */
export async function missingTools() {
  try {
    await run(PYTHON, ["-m", "pip", "--version"]);
    return undefined;
  } catch {
    return `${PYTHON} -m pip does not run: install python3 and python3-pip (apt-get install python3 python3-pip)`;
  }
}

async function installNpm(folder) {
  if (!existsSync(path.join(folder, "package-lock.json"))) return;
  const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  await call("npm", ["ci", ...options], { cwd: folder });
}

/**
 * The requirements pin the indirect packages too, hence --no-deps. The file itself is not packed:
 * OpenWhisk's Python runtime would install it again at the start of the action.
 */
async function installPip(folder, target, requirements) {
  const options = ["--no-deps", "--only-binary=:all:", "--no-compile", "--quiet", "--root-user-action=ignore"];
  await call(
    PYTHON,
    ["-m", "pip", "--disable-pip-version-check", "install", ...options, "--target", target, ...requirements],
    { cwd: folder },
  );
}

/** A virtual environment as OpenWhisk's documentation has users make it: with bin/activate_this.py. */
async function installVirtualenv(folder, tools) {
  const tool = path.join(tools, VIRTUALENV.replace("==", "-"));
  if (!existsSync(path.join(tool, "virtualenv"))) {
    await rm(tool, { recursive: true, force: true });
    await call(PYTHON, [
      ...["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--root-user-action=ignore"],
      ...["--target", tool, VIRTUALENV],
    ]);
  }
  const options = ["--no-periodic-update", "--no-download", "--app-data", path.join(tools, "app-data")];
  await call(PYTHON, ["-m", "virtualenv", ...options, "--python", PYTHON, "virtualenv"], {
    cwd: folder,
    env: { ...process.env, PYTHONPATH: tool },
  });
  await call(path.join(folder, "virtualenv/bin/python"), [
    ...["-m", "pip", "--disable-pip-version-check", "install", "--no-deps", "--no-compile", "--quiet"],
    ...["--root-user-action=ignore", "-r", path.join(folder, "requirements.txt")],
  ]);
}

/** Installs what the folder's package-lock.json or requirements.txt asks for, into the folder. */
export async function installPackages(action, folder, tools) {
  if (action.family === "nodejs") return installNpm(folder);
  const requirements = path.join(folder, "requirements.txt");
  if (!existsSync(requirements)) return;
  if (action.pack === "virtualenv") await installVirtualenv(folder, tools);
  else await installPip(folder, folder, ["-r", requirements]);
  await rm(requirements);
}
