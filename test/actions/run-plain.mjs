// Runs an action of the corpus in a fresh process outside any container: what a container's answer is compared with.
//   node test/actions/run-plain.mjs FAMILY/NAME [INVOCATION]
// prints a line of JSON for each invocation of the table, or for one (they count from 0), each run in its own process
// and folder: {"phase":"run","result":...,"stdout":"...","stderr":"..."}, or "failed" instead of "result".
// REWHISK_NODE, REWHISK_PYTHON and REWHISK_RUBY choose the interpreters. Knows OpenWhisk's rules by itself: shares no code with runtimes/.
import { execFile, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import yauzl from "yauzl";

const HERE = import.meta.dirname;
const BUILT = path.join(HERE, "../../build/actions");
const INTERPRETERS = {
  nodejs: [process.env.REWHISK_NODE ?? process.execPath, path.join(HERE, "plain/node.cjs")],
  python: [process.env.REWHISK_PYTHON ?? "/usr/bin/python3", path.join(HERE, "plain/python.py")],
  ruby: [process.env.REWHISK_RUBY ?? "/usr/bin/ruby", path.join(HERE, "plain/ruby.rb")],
};

async function unzip(archive, folder) {
  const zip = await promisify(yauzl.open)(archive, { lazyEntries: true, autoClose: true });
  const open = promisify(zip.openReadStream.bind(zip));
  await new Promise((resolve, reject) => {
    zip.on("error", reject).on("end", resolve);
    zip.on("entry", (entry) => extract(entry).then(() => zip.readEntry(), reject));
    zip.readEntry();
  });
  async function extract(entry) {
    const target = path.join(folder, entry.fileName);
    if (entry.fileName.endsWith("/")) return mkdir(target, { recursive: true });
    await mkdir(path.dirname(target), { recursive: true });
    await pipeline(await open(entry), createWriteStream(target));
    const mode = (entry.externalFileAttributes >>> 16) & 0o777;
    if (mode !== 0) await chmod(target, mode);
  }
}

async function prepare(action, folder) {
  if (path.extname(action.source) !== "") {
    return { source: await readFile(path.join(HERE, action.source), "utf8") };
  }
  const archive = path.join(BUILT, `${action.family}-${action.name}.${action.pack === "tar.gz" ? "tar.gz" : "zip"}`);
  if (action.pack === "tar.gz") await promisify(execFile)("tar", ["-xzf", archive, "-C", folder]);
  else await unzip(archive, folder);
  return {};
}

function environmentOf(action) {
  return {
    PATH: "/usr/bin:/bin",
    HOME: os.tmpdir(),
    TMPDIR: os.tmpdir(),
    LANG: "C.UTF-8",
    PYTHONIOENCODING: "UTF-8",
    PYTHONDONTWRITEBYTECODE: "1",
    RUBYOPT: "-EUTF-8",
    __OW_ACTION_NAME: `/guest/${action.name}`,
    __OW_ACTIVATION_ID: "00000000000000000000000000000000",
    __OW_DEADLINE: String(Date.now() + (action.timeoutMs ?? 60_000)),
    ...action.env,
  };
}

async function execute(action, job, folder) {
  const jobFile = path.join(folder, "job.json");
  await writeFile(jobFile, JSON.stringify(job));
  const [interpreter, loader] = INTERPRETERS[action.family];
  const child = spawn(interpreter, [loader, jobFile], {
    cwd: folder,
    env: environmentOf(action),
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    timeout: action.timeoutMs ?? 60_000,
    killSignal: "SIGKILL",
  });
  const texts = child.stdio.slice(1).map(async (stream) => {
    const parts = [];
    for await (const part of stream) parts.push(part);
    return Buffer.concat(parts).toString("utf8");
  });
  const ended = new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve(signal ?? code));
  });
  const [stdout, stderr, answer] = await Promise.all(texts);
  const how = await ended;
  const outcome = answer === "" ? { phase: "run", failed: `ended with ${how} and without an answer` } : JSON.parse(answer);
  return { ...outcome, stdout, stderr };
}

/** Runs the invocations, each in a process and a folder of its own, and hands each outcome to `report`. */
async function runPlain(action, invocations, report) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "plain-"));
  try {
    const unpacked = path.join(folder, "unpacked");
    await mkdir(unpacked);
    const code = await prepare(action, unpacked);
    for (const { value } of invocations) {
      const inside = path.join(folder, "action");
      await promisify(execFile)("cp", ["--archive", unpacked, inside]);
      report(await execute(action, { folder: inside, main: action.main ?? "main", value, ...code }, folder));
      await rm(inside, { recursive: true });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function main([id, index]) {
  const corpus = JSON.parse(await readFile(path.join(HERE, "corpus.json"), "utf8"));
  const action = corpus.find(({ family, name }) => `${family}/${name}` === id);
  const invocations = action?.invocations.filter((_, i) => index === undefined || i === Number(index)) ?? [];
  if (invocations.length === 0) {
    console.error(`usage: run-plain.mjs FAMILY/NAME [INVOCATION]; there is no ${id} ${index ?? ""}`);
    return 2;
  }
  await runPlain(action, invocations, (outcome) => process.stdout.write(`${JSON.stringify(outcome)}\n`));
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
