// Layers of images for tests: tar archives of whatever entries, honest or not.

import { gzipSync } from "node:zlib";
import { Header, type HeaderData } from "tar";

const blockBytes = 512;

export type LayerEntry = HeaderData & { readonly path: string; readonly content?: string };

/** A tar archive of these entries, in this order. */
export function layer(...entries: readonly LayerEntry[]): Buffer {
  const blocks = entries.flatMap(({ content = "", ...fields }) => {
    const header = Buffer.alloc(blockBytes);
    const body = Buffer.from(content);
    new Header({
      ...{ type: "File", mode: 0o644, uid: 1000, gid: 1000, mtime: new Date(1_500_000_000_000) },
      ...{ ...fields, size: body.length },
    }).encode(header);
    return [header, body, Buffer.alloc((blockBytes - (body.length % blockBytes)) % blockBytes)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockBytes)]);
}

export const gzipped = (archive: Buffer): Buffer => gzipSync(archive);

/** As it comes from a disk or a socket: in pieces that fit nothing. */
export async function* inPieces(archive: Buffer, bytes = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < archive.length; at += bytes) yield archive.subarray(at, at + bytes);
}
