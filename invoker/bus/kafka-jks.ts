// Reads Java's own key stores (JKS), which OpenWhisk's playbooks make for Kafka's clients.

import { createHash, createPrivateKey, timingSafeEqual, X509Certificate } from "node:crypto";

export interface JksContents {
  /** PEM; of all trusted entries. */
  readonly trusted: readonly string[];
  /** PEM; of the first entry with a private key. Undefined where there is none, or no `keyPassword`. */
  readonly identity: { readonly key: string; readonly cert: string } | undefined;
}

const magic = 0xfeedfeed;
const digestBytes = 20;

export function isJks(bytes: Buffer): boolean {
  return bytes.length >= 4 && bytes.readUInt32BE(0) === magic;
}

/** Without `password` nothing is checked, as in Java. Throws where a password is wrong or the file is cut off. */
export function readJks(bytes: Buffer, password?: string, keyPassword?: string): JksContents {
  if (password !== undefined) checkPassword(bytes, password);
  const cursor = new Cursor(bytes, 4);
  const version = cursor.uint32();
  const count = cursor.uint32();
  const certificate = (): string => {
    if (version > 1) cursor.text();
    return new X509Certificate(cursor.take(cursor.uint32())).toString();
  };
  const trusted: string[] = [];
  let identity: JksContents["identity"];
  for (let i = 0; i < count; i++) {
    const isKey = cursor.uint32() === 1;
    cursor.text(); // alias
    cursor.take(8); // date
    if (!isKey) {
      trusted.push(certificate());
      continue;
    }
    const locked = cursor.take(cursor.uint32());
    const chain = Array.from({ length: cursor.uint32() }, certificate);
    if (keyPassword !== undefined) {
      identity ??= { key: unlockKey(locked, keyPassword), cert: chain.join("") };
    }
  }
  return { trusted, identity };
}

class Cursor {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw new Error("the file is cut off");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  uint32(): number {
    return this.take(4).readUInt32BE();
  }

  text(): string {
    return this.take(this.take(2).readUInt16BE()).toString();
  }

  /** What is inside the next DER value. */
  der(): Buffer {
    this.take(1); // tag
    const first = this.take(1).readUInt8();
    return this.take(first < 0x80 ? first : this.take(first - 0x80).readUIntBE(0, first - 0x80));
  }
}

function sha1(...parts: readonly (Buffer | string)[]): Buffer {
  const hash = createHash("sha1");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Java's characters, two bytes each, the higher one first. */
function javaBytes(password: string): Buffer {
  return Buffer.from(password, "utf16le").swap16();
}

function checkPassword(bytes: Buffer, password: string): void {
  const [body, digest] = [bytes.subarray(0, -digestBytes), bytes.subarray(-digestBytes)];
  const expected = sha1(javaBytes(password), "Mighty Aphrodite", body);
  if (!timingSafeEqual(digest, expected)) throw new Error("the password is wrong, or the file is damaged");
}

/** Sun's key protector: XOR with a chain of SHA-1 digests over the password, seeded by a salt. Gives PEM. */
function unlockKey(locked: Buffer, password: string): string {
  const info = new Cursor(new Cursor(locked, 0).der(), 0);
  info.der(); // the algorithm
  const data = info.der();
  const secret = javaBytes(password);
  const key = Buffer.from(data.subarray(digestBytes, -digestBytes));
  let pad = data.subarray(0, digestBytes);
  for (let i = 0; i < key.length; i++) {
    if (i % digestBytes === 0) pad = sha1(secret, pad);
    key.writeUInt8(key.readUInt8(i) ^ pad.readUInt8(i % digestBytes), i);
  }
  if (!timingSafeEqual(sha1(secret, key), data.subarray(-digestBytes))) {
    throw new Error("the password of the key is wrong");
  }
  return createPrivateKey({ key, format: "der", type: "pkcs8" })
    .export({ format: "pem", type: "pkcs8" })
    .toString();
}
