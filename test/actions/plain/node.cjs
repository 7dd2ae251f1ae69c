// Runs one JavaScript action once, by OpenWhisk's rules and nothing else; the answer goes to descriptor 3.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { pathToFileURL } = require("node:url");

async function load({ folder, source, main }) {
  if (source !== undefined) {
    const body = `${source}\ntry { return ${main} } catch (e) {
      if (e.name === "ReferenceError") return module.exports.${main} || exports.${main}; else throw e; }`;
    return new Function("require", "module", "exports", "__dirname", "__filename", body)(
      require, module, exports, __dirname, __filename);
  }
  process.chdir(folder);
  const dot = main.indexOf(".");
  const [file, name] = dot < 0 ? [undefined, main] : [main.slice(0, dot), main.slice(dot + 1)];
  let entry = file && path.join(folder, file);
  if (!entry) {
    const manifest = path.join(folder, "package.json");
    const declared = fs.existsSync(manifest) ? JSON.parse(fs.readFileSync(manifest, "utf8")).main : undefined;
    entry = path.join(folder, declared ?? "index.js");
  }
  entry = require.resolve(entry);
  let exported;
  try {
    exported = require(entry);
  } catch (problem) {
    if (problem.code !== "ERR_REQUIRE_ESM") throw problem;
    exported = await import(pathToFileURL(entry).href);
  }
  return name.split(".").reduce((value, part) => value?.[part], exported);
}

function describe(error) {
  if (!error) return {};
  if (!(error instanceof Error)) return error;
  return { ...error, name: error.name, message: error.message, stack: error.stack };
}

async function answer(job) {
  let handler;
  try {
    handler = await load(job);
    if (typeof handler !== "function") throw new TypeError(`${job.main} is not a function`);
  } catch (error) {
    return { phase: "init", failed: String(error) };
  }
  let pending;
  try {
    pending = handler(job.value);
  } catch (error) {
    return { phase: "run", failed: String(error) };
  }
  try {
    const result = await pending;
    return { phase: "run", result: result === undefined ? {} : result };
  } catch (error) {
    return { phase: "run", result: { error: describe(error) } };
  }
}

const job = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
answer(job).then((outcome) => {
  const text = Buffer.from(JSON.stringify(outcome));
  for (let written = 0; written < text.length; ) written += fs.writeSync(3, text, written);
  process.exit(0);
});
