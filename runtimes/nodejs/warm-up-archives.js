// Writes the small archives that the warm-up unpacks.
"use strict";

const { crc32, deflateRawSync, gzipSync } = require("node:zlib");
const { Header } = require("tar");

const DEFLATED = 8;
const MADE_BY_UNIX = 3;
const REGULAR_FILE = 0o100644;
const TAR_BLOCK_BYTES = 512;

/** `files` is an object of texts by name. */
function zipOf(files) {
  const locals = [];
  const index = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const content = Buffer.from(text);
    const packed = deflateRawSync(content);
    const head = zipHead(name, content, packed);
    const local = Buffer.concat([signature("PK\x03\x04"), head, Buffer.from(name), packed]);
    index.push(zipIndexEntry(name, head, offset));
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(index);
  return Buffer.concat([...locals, central, zipEnd(index.length, central.length, offset)]);
}

/** The 26 bytes that a local header and an index entry share. */
function zipHead(name, content, packed) {
  const head = Buffer.alloc(26);
  head.writeUInt16LE(20, 0);
  head.writeUInt16LE(DEFLATED, 4);
  head.writeUInt32LE(crc32 === undefined ? 0 : crc32(content), 10);
  head.writeUInt32LE(packed.length, 14);
  head.writeUInt32LE(content.length, 18);
  head.writeUInt16LE(Buffer.byteLength(name), 22);
  return head;
}

function zipIndexEntry(name, head, offset) {
  const madeBy = Buffer.from([20, MADE_BY_UNIX]);
  const tail = Buffer.alloc(14);
  tail.writeUInt32LE(REGULAR_FILE * 0x10000, 6);
  tail.writeUInt32LE(offset, 10);
  return Buffer.concat([signature("PK\x01\x02"), madeBy, head, tail, Buffer.from(name)]);
}

function zipEnd(entries, indexBytes, indexOffset) {
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries, 4);
  end.writeUInt16LE(entries, 6);
  end.writeUInt32LE(indexBytes, 8);
  end.writeUInt32LE(indexOffset, 12);
  return Buffer.concat([signature("PK\x05\x06"), end]);
}

function signature(text) {
  return Buffer.from(text, "latin1");
}

/** `files` is an object of texts by name. */
function tarGzOf(files) {
  const blocks = [];
  for (const [path, text] of Object.entries(files)) {
    const content = Buffer.from(text);
    const padded = Buffer.alloc(Math.ceil(content.length / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES);
    content.copy(padded);
    const block = Buffer.alloc(TAR_BLOCK_BYTES);
    new Header({ path, mode: 0o644, size: content.length, type: "File" }).encode(block, 0);
    blocks.push(block, padded);
  }
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * TAR_BLOCK_BYTES)]));
}

module.exports = { tarGzOf, zipOf };
