// Opens batches of messages that a controller or a broker has compressed: kafkajs itself knows gzip alone.

import { decompress as openZstd } from "fzstd";
import { decompress as openLz4 } from "lz4js";
import { uncompress as openSnappyBlock } from "snappyjs";

/** What kafkajs asks of a codec; this bus never compresses. */
interface Codec {
  compress(): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

/** As kafkajs numbers them, which is as Kafka does. */
type Kafkajs = Pick<typeof import("kafkajs"), "CompressionCodecs" | "CompressionTypes">;

/** Makes kafkajs know all that Kafka has. */
export function addCodecs({ CompressionCodecs, CompressionTypes }: Kafkajs): void {
  const codecs = CompressionCodecs as { [type: number]: () => Codec };
  const { Snappy, LZ4, ZSTD } = CompressionTypes;
  codecs[Snappy] = () => codecOf(openSnappy);
  codecs[LZ4] = () => codecOf((bytes) => Buffer.from(openLz4(bytes)));
  codecs[ZSTD] = () => codecOf((bytes) => Buffer.from(openZstd(bytes)));
}

function codecOf(open: (bytes: Buffer) => Buffer): Codec {
  return {
    compress: () => Promise.reject(new Error("nothing is compressed here")),
    decompress: (bytes) => new Promise((resolve) => resolve(open(bytes))),
  };
}

const javaMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const javaHeaderBytes = javaMagic.length + 8;

/** As Java's library writes it, in blocks with a length before each; or as one block, as others do. */
function openSnappy(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, javaMagic.length).equals(javaMagic)) return openSnappyBlock(bytes);
  const blocks: Buffer[] = [];
  for (let at = javaHeaderBytes; at < bytes.length; ) {
    const start = at + 4;
    at = start + bytes.readUInt32BE(at);
    blocks.push(openSnappyBlock(bytes.subarray(start, at)));
  }
  return Buffer.concat(blocks);
}
