// What kafka-compression.ts uses of two libraries that come without types.

declare module "snappyjs" {
  export function uncompress(compressed: Buffer): Buffer;
}

declare module "lz4js" {
  /** A whole frame. */
  export function decompress(frame: Uint8Array): Uint8Array;
}
