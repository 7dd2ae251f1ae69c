// Random names: of activations, transactions and keys.

import { randomBytes, randomUUID } from "node:crypto";
import type { TransactionId } from "../invoker/index.ts";

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const transactionLength = 32;
const keyLength = 64;

/** A new activation id: 32 hexadecimal digits. */
export function newActivationId(): string {
  return randomUUID().replaceAll("-", "");
}

/** A new transaction id, as a controller draws it where the caller gives none. */
export function newTransactionName(): string {
  return randomText(transactionLength);
}

/** The transaction of a part of `parent`, such as one component of a sequence: as much is logged of it. */
export function childOf(parent: TransactionId): TransactionId {
  const own = [newTransactionName(), Date.now()] as const;
  return parent[2] === true ? [...own, true, parent] : [...own, parent];
}

/** The secret half of a key. */
export function randomKey(): string {
  return randomText(keyLength);
}

/** Letters and digits drawn evenly. */
function randomText(length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < 4 * letters.length && text.length < length) {
        text += letters[byte % letters.length];
      }
    }
  }
  return text;
}
