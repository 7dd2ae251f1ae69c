// Turns an action's code, a source text or an archive, into the function to call.
"use strict";

const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const vm = require("node:vm");
const { archiveFormat, unpack } = require("./archive.js");

const WRAPPER_PARAMETERS = ["exports", "require", "module", "__filename", "__dirname"];
/** What V8 says of a source that only makes sense as an ES module. */
const ONLY_IN_MODULES =
  /Cannot use import statement outside|Unexpected token 'export'|import\.meta|^await is only valid/;
const MODULE_ERROR_CODES = new Set(["ERR_REQUIRE_ESM", "ERR_REQUIRE_ASYNC_MODULE"]);
const TEXT_OF_NO_ENTRY = "Zipped actions must contain either package.json or index.js at the root.";

/**
 * Where actions are loaded below `home`. `codeFolder` is made when an archive or an ES module needs files;
 * `require` and `scope` are prepared ahead, since making them costs more than compiling a small action.
 */
function createPlace(home, folderName = "code") {
  const file = path.join(home, "main.js");
  const module = new Module(file);
  module.filename = file;
  module.paths = Module._nodeModulePaths(home);
  return { home, codeFolder: path.join(home, folderName), file, module, require: Module.createRequire(file) };
}

/** Gives the function that `main` names, or a promise of it; throws or rejects with what the user is to read. */
function load(place, { code, binary, folder, main }) {
  if (folder !== undefined) return loadFolder(folder, main);
  return binary ? loadArchive(place, code, main) : loadSource(place, code, main);
}

/**
 * The source runs in sloppy mode inside a function of its own, and may name its entry point by a declaration of any
 * kind or through exports; the expression `main` is evaluated at its end, where it sees all of these.
 */
function loadSource(place, source, main) {
  let compiled;
  try {
    compiled = compile(wrapped(source, main), place.file);
  } catch (error) {
    if (error instanceof SyntaxError && ONLY_IN_MODULES.test(error.message))
      return loadModuleSource(place, source, main);
    throw error;
  }
  const { module } = place;
  return functionNamed(main, compiled(module.exports, place.require, module, place.file, place.home));
}

function wrapped(source, main) {
  return `return (function () {
${source}
try {
  return ${main};
} catch (error) {
  if (error.name !== "ReferenceError") throw error;
  return module.exports.${main} || exports.${main};
}
})()`;
}

/**
 * import() in the source works as in a module of that name. Node 18 cannot say so: there the source is compiled as a
 * part of this file, whose imports it shares.
 */
function compile(text, filename) {
  const importModuleDynamically = vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  if (importModuleDynamically === undefined) return new Function(...WRAPPER_PARAMETERS, text);
  return vm.compileFunction(text, WRAPPER_PARAMETERS, { filename, lineOffset: -1, importModuleDynamically });
}

async function loadModuleSource(place, source, main) {
  fs.mkdirSync(place.codeFolder);
  const file = path.join(place.codeFolder, "main.mjs");
  fs.writeFileSync(file, source);
  return exportNamed(main, await import(pathToFileURL(file).href));
}

/** What is wrong with `main` is said before what is wrong with the archive, unless that is none. */
function loadArchive(place, bytes, main) {
  if (archiveFormat(bytes) !== undefined) splitMain(main);
  unpackArchive(place, bytes);
  return loadFolder(place.codeFolder, main);
}

function unpackArchive(place, bytes) {
  if (archiveFormat(bytes) === undefined) throw "The Filetype is not supported";
  try {
    unpack(bytes, place.codeFolder);
  } catch (error) {
    throw `There was an error uncompressing the action archive: ${error.message}`;
  }
}

/** Of an archive that is unpacked. */
function loadFolder(folder, main) {
  const [file, property] = splitMain(main);
  process.chdir(folder);
  if (file === undefined && !fs.existsSync("package.json") && !fs.existsSync("index.js"))
    throw TEXT_OF_NO_ENTRY;
  return loadFile(file === undefined ? folder : path.join(folder, file), folder, main, property);
}

/** `property` is a function of the module itself, `file.property` one of another file. */
function splitMain(main) {
  const parts = /^(?:([^.]+)\.)?([^.].*)$/.exec(main);
  if (parts === null) throw "Name of main function is not valid.";
  return [parts[1], parts[2]];
}

/** `request` is a path that require() would take. */
function loadFile(request, folder, main, property) {
  const require = Module.createRequire(path.join(folder, "index.js"));
  const file = require.resolve(request);
  if (isModuleFile(file, folder)) return importFile(file, main, property);
  try {
    return functionNamed(main, propertyOf(require(file), property));
  } catch (error) {
    if (!needsImport(error, file)) throw error;
    return importFile(file, main, property);
  }
}

async function importFile(file, main, property) {
  return exportNamed(main, await import(pathToFileURL(file).href), property);
}

/** Whether this is what require() says of a file that only import() can load. */
function needsImport(error, file) {
  if (!(error instanceof Error)) return false;
  if (MODULE_ERROR_CODES.has(error.code)) return true;
  return error instanceof SyntaxError && ONLY_IN_MODULES.test(error.message) && error.stack.startsWith(file);
}

/** As Node decides it: by the ending, else by `type` of the nearest package.json. */
function isModuleFile(file, root) {
  if (!file.endsWith(".js")) return file.endsWith(".mjs");
  for (let folder = path.dirname(file); folder.startsWith(root); folder = path.dirname(folder)) {
    const description = path.join(folder, "package.json");
    if (fs.existsSync(description)) return JSON.parse(fs.readFileSync(description, "utf8")).type === "module";
  }
  return false;
}

/** Names an ES module's export; one of its default export's properties or that itself when it is the only thing. */
function exportNamed(main, namespace, property = main) {
  if (property.split(".")[0] in namespace) return functionNamed(main, propertyOf(namespace, property));
  const standard = namespace.default;
  if (typeof standard === "function" && standard[property] === undefined) return standard;
  return functionNamed(main, standard === undefined ? undefined : propertyOf(standard, property));
}

/** The value at the end of the dotted path, called as it would be written: a method's `this` is not kept. */
function propertyOf(value, property) {
  return property.split(".").reduce((object, name) => object[name], value);
}

function functionNamed(main, value) {
  if (typeof value !== "function") throw `Action entrypoint '${main}' is not a function.`;
  return value;
}

module.exports = { createPlace, load, unpackArchive };
