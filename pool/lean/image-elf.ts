// What a program of an image needs to be started: read from its ELF header.

import { closeSync, openSync, readSync } from "node:fs";

const headerBytes = 64;
const programHeaderBytes = 56;
const is64Bit = 2;
const littleEndian = 1;
const x86_64 = 62;
const interpreterSegment = 3;
const longestPath = 4096;

/** What loads it, as it says itself: a path. Empty: nothing, it is linked statically. Undefined: it is no program for x86-64. */
export function loaderOf(file: string): string | undefined {
  const fd = openSync(file, "r");
  try {
    const read = (at: number, bytes: number): Buffer => {
      const buffer = Buffer.alloc(bytes);
      return buffer.subarray(0, readSync(fd, buffer, 0, bytes, at));
    };
    const header = read(0, headerBytes);
    const isOurs = header.length === headerBytes && header.toString("latin1", 0, 4) === "\x7fELF";
    if (!isOurs || header[4] !== is64Bit || header[5] !== littleEndian || header.readUInt16LE(18) !== x86_64)
      return undefined;
    const [at, size, count] = [header.readBigUInt64LE(32), header.readUInt16LE(54), header.readUInt16LE(56)];
    for (let i = 0; i < count; i++) {
      const segment = read(Number(at) + i * size, programHeaderBytes);
      if (segment.length < programHeaderBytes) return undefined;
      if (segment.readUInt32LE(0) !== interpreterSegment) continue;
      const bytes = Math.min(Number(segment.readBigUInt64LE(32)), longestPath);
      return read(Number(segment.readBigUInt64LE(8)), bytes)
        .toString("utf8")
        .replace(/\0.*$/s, "");
    }
    return "";
  } finally {
    closeSync(fd);
  }
}
