// One stored template as a file: a head that says what it is, the template itself, and a digest of both.

import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Template } from "../restorer/index.ts";
import type { Facts, Files } from "./fingerprint.ts";

/** `changed`: something is not as it was. `unbootable`: nothing of that, and yet it could not be booted from (docs/TROUBLESHOOTING.md). */
export type StoredReason = "corrupt" | "changed" | "clock" | "unbootable" | "unwritable";
const reasons = {
  corrupt: true,
  changed: true,
  clock: true,
  unbootable: true,
  unwritable: true,
} as const satisfies Record<StoredReason, true>;

/** All of them, for metrics that show each from the start. */
export const storedReasons = Object.keys(reasons) as readonly StoredReason[];

/** Why a stored template is not used, or there is none. */
export class StoredError extends Error {
  readonly code: StoredReason;
  constructor(code: StoredReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoredError";
    this.code = code;
  }
}

export interface StoredHead {
  readonly base: string;
  /** As the machine's clock told it. */
  readonly bornMs: number;
  readonly facts: Facts;
  readonly files: Files;
}

/** The next number where the order of these changes: magic, digest of all that follows, length of the head, head, template. */
const magic = Buffer.from("rewhisk template 1\n");
const digestBytes = 32;
const lengthBytes = 4;
const headAt = magic.length + digestBytes + lengthBytes;
/** Many times what a runtime has. */
const largestBytes = 1024 * 1024 * 1024;
const forOthers = 0o077;

/** Read in one go, and digested while the next is read: about a millisecond. */
const pieceBytes = 1024 * 1024;

/** Fills `bytes` from there on. Gives the digest of those from `digestedFrom` on. Others have their turn meanwhile. */
async function readAndDigest(file: FileHandle, bytes: Buffer, at: number, digestedFrom = 0): Promise<Buffer> {
  const hash = createHash("sha256");
  const readPiece = (from: number): Promise<{ readonly bytesRead: number }> =>
    file.read(bytes, from, Math.min(pieceBytes, bytes.length - from), at + from);
  for (let from = 0, reading = readPiece(0); from < bytes.length; ) {
    const { bytesRead } = await reading;
    if (bytesRead === 0) throw new StoredError("corrupt", "it has become shorter");
    const end = from + bytesRead;
    if (end < bytes.length) reading = readPiece(end);
    hash.update(bytes.subarray(Math.max(from, digestedFrom), Math.max(end, digestedFrom)));
    from = end;
  }
  return hash.digest();
}

/** Under another name first: whoever reads it finds all of it, or what was there before. */
export async function writeStored(path: string, head: StoredHead, template: Template): Promise<void> {
  const fresh = `${path}.new`;
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32LE(text.length);
  await rm(fresh, { force: true });
  const file = await open(fresh, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    await file.write(Buffer.concat([magic, Buffer.alloc(digestBytes), length, text]));
    await template.save(file.fd);
    const { size } = await file.stat();
    const digestedFrom = magic.length + digestBytes;
    const digest = await readAndDigest(file, Buffer.allocUnsafeSlow(size - digestedFrom), digestedFrom);
    await file.write(digest, 0, digestBytes, magic.length);
    await file.sync();
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  const folder = await open(dirname(path));
  await folder.sync().finally(() => folder.close());
}

/** Throws StoredError `corrupt`, or whatever opening it throws. */
export async function readStored(
  path: string,
): Promise<{ readonly head: StoredHead; readonly body: Buffer }> {
  // To open a pipe would wait for whoever writes to it.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  let bytes: Buffer;
  let digest: Buffer;
  try {
    const found = await file.stat();
    const isOwn = found.isFile() && found.uid === process.geteuid?.() && (found.mode & forOthers) === 0;
    if (!isOwn)
      throw new StoredError("corrupt", "it is no file of our own that nobody else can read or write");
    if (found.size < headAt || found.size > largestBytes)
      throw new StoredError("corrupt", `it has ${found.size} bytes`);
    bytes = Buffer.allocUnsafeSlow(found.size);
    digest = await readAndDigest(file, bytes, 0, magic.length + digestBytes);
  } finally {
    await file.close();
  }
  if (!bytes.subarray(0, magic.length).equals(magic))
    throw new StoredError("changed", "it is of another version");
  if (!bytes.subarray(magic.length, magic.length + digestBytes).equals(digest))
    throw new StoredError("corrupt", "its digest is another");
  const end = headAt + bytes.readUInt32LE(headAt - lengthBytes);
  if (end > bytes.length) throw new StoredError("corrupt", "its head is longer than it");
  return { head: parseHead(bytes.toString("utf8", headAt, end)), body: bytes.subarray(end) };
}

function parseHead(text: string): StoredHead {
  let head: Partial<StoredHead> | null;
  try {
    head = JSON.parse(text) as Partial<StoredHead> | null;
  } catch (cause) {
    throw new StoredError("corrupt", "its head is no JSON", { cause });
  }
  const { base, bornMs, facts, files } = head ?? {};
  if (typeof base !== "string" || typeof bornMs !== "number" || !isTexts(facts) || !isTexts(files))
    throw new StoredError("corrupt", "its head has other members");
  return { base, bornMs, facts, files };
}

function isTexts(found: unknown): found is Facts {
  if (typeof found !== "object" || found === null) return false;
  return Object.values(found).every((one) => typeof one === "string");
}
