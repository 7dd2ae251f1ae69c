// Writes zip and tar.gz archives, well-formed and hostile ones, byte by byte.

import { crc32, deflateRawSync, gzipSync } from "node:zlib";

/** One entry; the defaults make an ordinary file. */
export interface Entry {
  readonly path: string;
  readonly content?: string | Buffer;
  /** Type and permissions as in st_mode; 0 leaves them out. */
  readonly mode?: number;
  /** The size that the headers claim. */
  readonly claimedBytes?: number;
  /** tar only: "0" file, "1" hard link, "2" symbolic link, "5" folder. */
  readonly type?: string;
  readonly target?: string;
}

const regularFile = 0o100644;
const symbolicLink = 0o120777;

/** A symbolic link, for either format. */
export function link(path: string, target: string): Entry {
  return { path, content: target, mode: symbolicLink, type: "2", target };
}

/** Entries of plain files. */
export function files(contents: Readonly<Record<string, string>>): Entry[] {
  return Object.entries(contents).map(([path, content]) => ({ path, content }));
}

/** A zip archive as made on Unix. */
export function zip(entries: readonly Entry[]): Buffer {
  const locals: Buffer[] = [];
  const index: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const content = Buffer.from(entry.content ?? "");
    const packed = deflateRawSync(content);
    const name = Buffer.from(entry.path);
    const head = Buffer.alloc(26);
    head.writeUInt16LE(20, 0);
    head.writeUInt16LE(0x800, 2);
    head.writeUInt16LE(8, 4);
    head.writeUInt32LE(crc32(content), 10);
    head.writeUInt32LE(packed.length, 14);
    head.writeUInt32LE(entry.claimedBytes ?? content.length, 18);
    head.writeUInt16LE(name.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE((entry.mode ?? regularFile) * 0x10000, 6);
    tail.writeUInt32LE(offset, 10);
    index.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x03", "latin1"), head, tail, name]));
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), head, name, packed]);
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(index);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(Math.min(entries.length, 0xffff), 8);
  end.writeUInt16LE(Math.min(entries.length, 0xffff), 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, central, end]);
}

/** A gzipped ustar archive. */
export function tarGz(entries: readonly Entry[]): Buffer {
  const blocks = entries.map((entry) => {
    const content = entry.target === undefined ? Buffer.from(entry.content ?? "") : Buffer.alloc(0);
    const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
    return Buffer.concat([tarHeader(entry, content.length), content, padding]);
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

function tarHeader(entry: Entry, contentBytes: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(entry.path, 0, 100);
  header.write(octal((entry.mode ?? regularFile) & 0o7777, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(contentBytes, 11), 124);
  header.write(octal(0, 11), 136);
  header.write("        ", 148);
  header.write(entry.type ?? "0", 156);
  header.write(entry.target ?? "", 157, 100);
  header.write("ustar\x0000", 257, "latin1");
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${octal(sum, 6)}\0 `, 148, "latin1");
  return header;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}
