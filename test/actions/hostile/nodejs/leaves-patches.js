/** Leaves built-in functions replaced: those with which a runtime reads, writes and answers. */
function main({ marker }) {
  const evil = (name, original) =>
    function (...args) {
      globalThis.patched = `${marker} ${name}`;
      return typeof original === "function" ? Reflect.apply(original, this, args) : original;
    };
  JSON.parse = evil("parse", () => ({ value: { patched: true } }));
  JSON.stringify = evil("stringify", () => '{"patched":true}');
  Array.prototype.push = evil("push", Array.prototype.push);
  Promise.prototype.then = evil("then", Promise.prototype.then);
  Buffer.prototype.readUInt32LE = evil("readUInt32LE", () => 0);
  Function.prototype.call = evil("call", () => ({ patched: true }));
  require("fs").writeSync = evil("writeSync", () => 0);
  require("fs").readSync = evil("readSync", () => 0);
  process.exit = evil("exit");
  console.log = evil("log");
  Object.prototype.then = undefined;
  Object.defineProperty(Object.prototype, "value", { get: () => ({ patched: true }), set() {}, configurable: true });
  Object.freeze(Array.prototype);
  return { left: true };
}
