// Lists the entries of a zip archive held in memory; their content is inflated when asked for.
"use strict";

const { constants } = require("node:fs");
const zlib = require("node:zlib");
const yauzl = require("yauzl");

const STORED = 0;
const DEFLATED = 8;
const MADE_BY_UNIX = 3;
const IS_FOLDER_IN_DOS = 0x10;
/** The largest limit that zlib takes. */
const MAX_OUTPUT_BYTES = 2 ** 32 - 1;

/** yauzl reads through this; since every read is answered at once, so is every callback: no event loop is needed. */
class BytesReader extends yauzl.RandomAccessReader {
  constructor(bytes) {
    super();
    this.bytes = bytes;
  }

  read(buffer, offset, length, position, callback) {
    if (position < 0 || position + length > this.bytes.length) {
      callback(new Error("unexpected end of the archive"));
      return;
    }
    this.bytes.copy(buffer, offset, position, position + length);
    callback(null);
  }
}

/**
 * Calls `visit` for each entry with `{path, kind, mode, sizeBytes, content()}`. kind is "file", "folder" or
 * "symlink"; mode 0 when the archive has none; content() gives the bytes, checked against size and checksum.
 * Throws on an archive that is damaged, encrypted, or says one thing and holds another.
 */
function eachZipEntry(bytes, visit) {
  const zip = opened(bytes);
  let failure;
  zip.on("error", (error) => {
    failure = error;
  });
  zip.on("entry", (entry) => visit(described(zip, bytes, entry)));
  while (failure === undefined && zip.entriesRead < zip.entryCount) zip.readEntry();
  if (failure !== undefined) throw failure;
}

function opened(bytes) {
  let failure;
  let zip;
  yauzl.fromRandomAccessReader(
    new BytesReader(bytes),
    bytes.length,
    { lazyEntries: true, autoClose: false, decodeStrings: false },
    (error, file) => {
      failure = error;
      zip = file;
    },
  );
  if (failure) throw failure;
  return zip;
}

function described(zip, bytes, entry) {
  const unixMode = entry.versionMadeBy >> 8 === MADE_BY_UNIX ? entry.externalFileAttributes >>> 16 : 0;
  const name = yauzl.getFileNameLowLevel(
    entry.generalPurposeBitFlag,
    entry.fileNameRaw,
    entry.extraFields,
    false,
  );
  return {
    path: name,
    kind: kindOf(entry, name, unixMode),
    mode: unixMode & 0o777,
    sizeBytes: entry.uncompressedSize,
    content: () => contentOf(zip, bytes, entry, name),
  };
}

function kindOf(entry, name, unixMode) {
  switch (unixMode & constants.S_IFMT) {
    case constants.S_IFLNK:
      return "symlink";
    case constants.S_IFDIR:
      return "folder";
    case constants.S_IFREG:
    case 0:
      return name.endsWith("/") || entry.externalFileAttributes & IS_FOLDER_IN_DOS ? "folder" : "file";
    default:
      return "special";
  }
}

function contentOf(zip, bytes, entry, name) {
  if (entry.isEncrypted()) throw new Error(`entry "${name}" is encrypted`);
  let failure;
  let start = 0;
  zip.readLocalFileHeader(entry, { minimal: true }, (error, local) => {
    failure = error;
    start = local?.fileDataStart;
  });
  if (failure) throw failure;
  const packed = bytes.subarray(start, start + entry.compressedSize);
  const content = unpacked(packed, entry, name);
  if (content.length !== entry.uncompressedSize) {
    throw new Error(`entry "${name}" does not have the size that the archive's index says`);
  }
  if (zlib.crc32 !== undefined && zlib.crc32(content) !== entry.crc32) {
    throw new Error(`entry "${name}" is damaged: its checksum differs`);
  }
  return content;
}

function unpacked(packed, entry, name) {
  if (entry.compressionMethod === STORED) return packed;
  if (entry.compressionMethod !== DEFLATED) {
    throw new Error(`entry "${name}" is packed with the unknown method ${entry.compressionMethod}`);
  }
  try {
    return zlib.inflateRawSync(packed, {
      maxOutputLength: Math.min(Math.max(entry.uncompressedSize, 1), MAX_OUTPUT_BYTES),
    });
  } catch (error) {
    if (error.code !== "ERR_BUFFER_TOO_LARGE")
      throw new Error(`entry "${name}" is damaged: ${error.message}`);
    throw new Error(`entry "${name}" does not have the size that the archive's index says`);
  }
}

module.exports = { eachZipEntry };
