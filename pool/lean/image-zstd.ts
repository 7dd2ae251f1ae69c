// Opens layers that are compressed by zstd: no Node before 22.15 can, and by later ones the archiver opens a first frame alone.

import { Decompress } from "fzstd";

const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** What was compressed by zstd, or else the archive as it is. Throws at what is cut off, or no zstd after all. */
export async function* openedByZstd(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head = Buffer.alloc(0);
  let stream: Decompress | undefined;
  let opened: Uint8Array[] = [];
  const open = (piece: Uint8Array, isLast: boolean): readonly Uint8Array[] => {
    stream?.push(piece, isLast);
    const all = opened;
    opened = [];
    return all;
  };
  for await (const piece of archive) {
    if (head.length >= magic.length) {
      if (stream === undefined) yield piece;
      else yield* open(piece, false);
      continue;
    }
    head = Buffer.concat([head, piece]);
    if (head.length < magic.length) continue;
    if (!head.subarray(0, magic.length).equals(magic)) {
      yield head;
      continue;
    }
    stream = new Decompress((part) => void opened.push(part));
    yield* open(head, false);
  }
  if (head.length < magic.length) yield head;
  if (stream !== undefined) yield* open(new Uint8Array(0), true);
}
