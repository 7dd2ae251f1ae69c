// Decrypts the arguments that OpenWhisk keeps encrypted, so that an action gets them as they were written.

import { createDecipheriv } from "node:crypto";
import { memberTexts, objectText } from "./wire/json-text.ts";
import type { ActivationMessage } from "./wire/messages.ts";

/** `whisk.parameter-storage`: the raw keys, of 16 and 32 bytes. What is locked with another algorithm stays as it is. */
export interface ArgumentKeys {
  readonly "aes-128"?: Buffer;
  readonly "aes-256"?: Buffer;
}

/** An argument is no ciphertext of this key. The text names the argument, never its value. */
export class LockedArgumentError extends Error {
  readonly code = "cannot-unlock";
  constructor(name: string, algorithm: string, cause: unknown) {
    const remedy = `controllers and invokers need the same key in whisk.parameter-storage.${algorithm}`;
    super(`the argument ${name} cannot be decrypted by ${algorithm}: ${remedy}`, { cause });
    this.name = "LockedArgumentError";
  }
}

/** Bytes of the initialisation vector, as the controllers write it. */
const vectorBytes = { "aes-128": 12, "aes-256": 128 } as const;
const lengthBytes = 4;
const tagBytes = 16;

/**
 * The text of the arguments with each locked string replaced by the JSON text it stands for; all else keeps its text.
 * Throws LockedArgumentError.
 */
export function unlockArguments(
  contentText: string,
  lockedArgs: ActivationMessage["lockedArgs"],
  keys: ArgumentKeys,
): string {
  const locked = Object.entries(lockedArgs);
  if (locked.length === 0 || !contentText.startsWith("{")) return contentText;
  const members = memberTexts(contentText);
  for (const [name, algorithm] of locked) {
    const text = members.get(name);
    if (text?.startsWith('"') !== true || !isAlgorithm(algorithm)) continue;
    const key = keys[algorithm];
    if (key === undefined) continue;
    try {
      members.set(name, unlocked(JSON.parse(text) as string, algorithm, key));
    } catch (error) {
      throw new LockedArgumentError(name, algorithm, error);
    }
  }
  return objectText(members);
}

function isAlgorithm(name: string): name is keyof ArgumentKeys {
  return Object.hasOwn(vectorBytes, name);
}

/** Base64 of: length of the vector (4 bytes, big-endian), vector, AES/GCM ciphertext, tag of 128 bits. Throws. */
function unlocked(locked: string, algorithm: keyof ArgumentKeys, key: Buffer): string {
  const bytes = Buffer.from(locked, "base64");
  const vectorEnd = lengthBytes + vectorBytes[algorithm];
  if (bytes.length < vectorEnd + tagBytes) throw new Error("it is too short");
  if (bytes.readUInt32BE(0) !== vectorBytes[algorithm]) throw new Error("its vector has another length");
  const vector = bytes.subarray(lengthBytes, vectorEnd);
  const decipher = createDecipheriv(`${algorithm}-gcm`, key, vector, { authTagLength: tagBytes });
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  const text = Buffer.concat([decipher.update(bytes.subarray(vectorEnd, -tagBytes)), decipher.final()]);
  const json = text.toString("utf8");
  JSON.parse(json);
  return json;
}
