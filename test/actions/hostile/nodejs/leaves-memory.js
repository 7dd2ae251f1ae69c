/** Leaves a secret on the heap, outside it, in a compiled function, in an interned string and on the stack. */
const { deflateSync } = require("zlib");

function main({ marker }) {
  const copies = Array.from({ length: 500 }, (_, i) => marker + i);
  globalThis.kept = [copies, Buffer.from(copies.join()), new Map(copies.map((copy) => [copy, { [copy]: copy }]))];
  globalThis.kept.push(new SharedArrayBuffer(1 << 20), new WebAssembly.Memory({ initial: 16 }));
  Buffer.from(globalThis.kept[3]).fill(marker);
  Buffer.from(globalThis.kept[4].buffer).fill(marker);
  globalThis.kept.push(new Function(`return ${JSON.stringify(marker)}`), Symbol.for(marker), new RegExp(marker));
  deflateSync(marker.repeat(1000));
  require("crypto").createHash("sha256").update(marker).digest();
  const recurse = (n, text) => (n === 0 ? text.length : recurse(n - 1, `${text}${n % 10}`) + 1);
  return { left: recurse(1000, marker) > 0 };
}
