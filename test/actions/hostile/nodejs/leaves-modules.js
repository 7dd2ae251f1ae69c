/** Leaves modules loaded, replaced and intercepted. */
const Module = require("module");

function main({ marker }) {
  for (const name of ["http2", "inspector", "repl", "readline", "wasi", "cluster", "async_hooks", "perf_hooks"]) {
    try {
      require(name);
    } catch {}
  }
  require.cache["/tmp/left.js"] = { exports: marker };
  Module._load = () => marker;
  Module._extensions[".left"] = () => {};
  Module.prototype.require = () => marker;
  Module.wrap = () => marker;
  return { left: true };
}
