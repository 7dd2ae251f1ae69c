// Lists the entries of a gzipped tar archive held in memory.
"use strict";

const { gunzipSync } = require("node:zlib");
const { Parser } = require("tar");

const KINDS = {
  File: "file",
  OldFile: "file",
  ContiguousFile: "file",
  Directory: "folder",
  GNUDumpDir: "folder",
  SymbolicLink: "symlink",
  Link: "hardlink",
};

/** Room for the headers and padding of very many small files on top of their content. */
const TAR_OVERHEAD_BYTES = 64 * 1024 * 1024;

/** The largest limit that zlib takes. */
const MAX_OUTPUT_BYTES = 2 ** 32 - 1;

/**
 * Calls `visit` for each entry with `{path, kind, mode, sizeBytes, target, content()}`, as the zip reader does;
 * links name their `target`. `maxBytes` is what all contents together may take: more is refused while inflating.
 */
function eachTarEntry(bytes, maxBytes, visit) {
  const archive = inflated(bytes, maxBytes);
  let failure;
  const parser = new Parser({
    strict: true,
    maxMetaEntrySize: 64 * 1024,
    onReadEntry(entry) {
      const chunks = [];
      entry.on("data", (chunk) => chunks.push(chunk));
      entry.on("end", () => {
        try {
          if (failure === undefined) visit(described(entry, chunks));
        } catch (error) {
          failure = error;
        }
      });
    },
  });
  parser.on("error", (error) => {
    failure ??= error;
  });
  let ended = false;
  parser.on("end", () => {
    ended = true;
  });
  parser.end(archive);
  if (failure !== undefined) throw failure;
  if (!ended) throw new Error("unexpected end of the archive");
}

function inflated(bytes, maxBytes) {
  try {
    return gunzipSync(bytes, { maxOutputLength: Math.min(maxBytes + TAR_OVERHEAD_BYTES, MAX_OUTPUT_BYTES) });
  } catch (error) {
    if (error.code !== "ERR_BUFFER_TOO_LARGE") throw error;
    throw new Error(`the archive holds more than the ${maxBytes} bytes that there is room for`);
  }
}

function described(entry, chunks) {
  return {
    path: entry.path,
    kind: KINDS[entry.type] ?? "special",
    mode: (entry.mode ?? 0) & 0o777,
    sizeBytes: entry.size,
    target: entry.linkpath,
    content: () => (chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)),
  };
}

module.exports = { eachTarEntry };
