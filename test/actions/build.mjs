// Builds the archives of the corpus in build/actions: installs each action's packages and zips them as users do.
// Run without arguments it builds what is missing or out of date; arguments name the actions to build.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { hostileArchives } from "./hostile/archives.mjs";
import { installPackages, missingTools } from "./install.mjs";
import { listFiles, packTar, packZip } from "./pack.mjs";

const HERE = import.meta.dirname;
const OUT = path.join(HERE, "../../build/actions");
const AT_ONCE = 2;

const archiveOf = (action) =>
  path.join(OUT, `${action.family}-${action.name}.${action.pack === "tar.gz" ? "tar.gz" : "zip"}`);

/** A digest of everything that decides what the archive holds. */
async function digestOf(action) {
  const hash = createHash("sha256").update(JSON.stringify([action.family, action.pack, process.versions.modules]));
  for (const file of ["pack.mjs", "install.mjs"]) hash.update(await readFile(path.join(HERE, file)));
  const folder = path.join(HERE, action.source);
  for (const name of await listFiles(folder)) {
    const { mode } = await stat(path.join(folder, name));
    hash.update(`${name}\0${mode & 0o111}\0`).update(await readFile(path.join(folder, name)));
  }
  return hash.digest("hex");
}

async function upToDate(archive, digest) {
  if (!existsSync(archive) || !existsSync(`${archive}.digest`)) return false;
  return (await readFile(`${archive}.digest`, "utf8")) === digest;
}

async function buildArchive(action, archive) {
  const stage = path.join(OUT, "stage", `${action.family}-${action.name}`);
  await rm(stage, { recursive: true, force: true });
  await cp(path.join(HERE, action.source), stage, { recursive: true });
  await installPackages(action, stage, path.join(OUT, "tools"));
  const pack = action.pack === "tar.gz" ? packTar : packZip;
  await pack(stage, `${archive}.part`);
  await rename(`${archive}.part`, archive);
  await rm(stage, { recursive: true });
}

async function outOfDate(wanted) {
  const corpus = JSON.parse(await readFile(path.join(HERE, "corpus.json"), "utf8"));
  const jobs = [];
  for (const action of corpus) {
    if (path.extname(action.source) !== "") continue;
    const archive = archiveOf(action);
    const digest = await digestOf(action);
    const name = path.basename(archive);
    jobs.push({ name, archive, digest, build: () => buildArchive(action, archive) });
  }
  for (const { name, build } of hostileArchives) {
    const archive = path.join(OUT, name);
    const hash = createHash("sha256").update(name);
    for (const file of ["pack.mjs", "hostile/archives.mjs"]) hash.update(await readFile(path.join(HERE, file)));
    const digest = hash.digest("hex");
    jobs.push({ name, archive, digest, build: () => build(archive) });
  }
  const due = [];
  for (const job of jobs) {
    if (wanted.length > 0 && !wanted.some((name) => job.name.startsWith(`${name}.`))) continue;
    if (!(await upToDate(job.archive, job.digest))) due.push(job);
  }
  return due;
}

async function work(due, total, problems) {
  for (let job = due.shift(); job; job = due.shift()) {
    const begun = performance.now();
    try {
      await rm(`${job.archive}.digest`, { force: true });
      await job.build();
      await writeFile(`${job.archive}.digest`, job.digest);
    } catch (problem) {
      problems.push(`${job.name}: ${problem.message}`);
      continue;
    }
    const { size } = await stat(job.archive);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    console.log(`actions: ${job.name} ${(size / 1e6).toFixed(2)} MB in ${seconds} s, ${due.length} of ${total} left`);
  }
}

async function main() {
  await mkdir(OUT, { recursive: true });
  const due = await outOfDate(process.argv.slice(2));
  if (due.length === 0) return 0;
  const missing = await missingTools();
  if (missing !== undefined) {
    console.error(`actions: ${missing}`);
    return 1;
  }
  const total = due.length;
  const problems = [];
  await Promise.all(Array.from({ length: AT_ONCE }, () => work(due, total, problems)));
  for (const problem of problems) console.error(`actions: ${problem}`);
  return problems.length === 0 ? 0 : 1;
}

process.exitCode = await main();
