/** Compresses a text four ways at once on the thread pool and proves that nothing was lost. */
const zlib = require("zlib");
const { promisify } = require("util");
const { createHash } = require("crypto");

const ways = {
  gzip: [promisify(zlib.gzip), promisify(zlib.gunzip)],
  deflate: [promisify(zlib.deflate), promisify(zlib.inflate)],
  brotli: [promisify(zlib.brotliCompress), promisify(zlib.brotliDecompress)],
  raw: [promisify(zlib.deflateRaw), promisify(zlib.inflateRaw)],
};

exports.main = async function ({ text, repeat = 1 }) {
  const plain = Buffer.from(text.repeat(repeat));
  const sizes = await Promise.all(
    Object.entries(ways).map(async ([name, [pack, unpack]]) => {
      const packed = await pack(plain);
      const again = await unpack(packed);
      if (!again.equals(plain)) throw new Error(`${name} lost something`);
      return [name, packed.length];
    }),
  );
  return {
    plain: plain.length,
    sizes: Object.fromEntries(sizes),
    sha256: createHash("sha256").update(plain).digest("hex"),
  };
};
