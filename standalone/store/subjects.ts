// Who may use this server: the subjects database, and the key files that tell a person their own key.

import { createHash, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Identity } from "../../invoker/index.ts";
import { StartError } from "../errors.ts";
import type { DocumentDatabase } from "./databases.ts";

/** A subject as OpenWhisk keeps it: one key for each of its namespaces. */
interface SubjectDocument {
  readonly _id: string;
  readonly subject: string;
  readonly namespaces: readonly { readonly name: string; readonly uuid: string; readonly key: string }[];
  readonly blocked?: boolean;
  readonly limits?: Identity["limits"];
}

interface Known {
  readonly keyDigest: Buffer;
  readonly identity: Identity;
}

const rights = ["READ", "PUT", "DELETE", "ACTIVATE"] as const;
const keyLength = 64;
const keyLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** All identities, looked up by the uuid of their key. */
export class Subjects {
  readonly #byUuid = new Map<string, Known>();
  readonly #byNamespace = new Map<string, Identity>();

  /**
   * Reads the database, first adding those of `subjects` that are not in it, each with a namespace of its own name and
   * a random key. The key of each is kept in `auth.<subject>` in `folder`, readable by the owner alone.
   */
  static async open(
    database: DocumentDatabase,
    folder: string,
    subjects: readonly string[],
  ): Promise<Subjects> {
    const store = new Subjects();
    const found = await database.allDocs({ include_docs: true });
    const documents = found.rows.flatMap((row) => (row.doc ? [row.doc as SubjectDocument] : []));
    for (const subject of subjects) {
      let document = documents.find((candidate) => candidate._id === subject);
      if (document === undefined) {
        document = newSubject(subject, keyFromFile(keyFile(folder, subject)));
        await database.put(document);
        documents.push(document);
      }
      const [namespace] = document.namespaces;
      if (namespace !== undefined) {
        writeKeyFile(keyFile(folder, subject), `${namespace.uuid}:${namespace.key}`);
      }
    }
    for (const document of documents) {
      store.#add(document);
    }
    return store;
  }

  #add(document: SubjectDocument): void {
    if (document.blocked === true) {
      return;
    }
    for (const namespace of document.namespaces ?? []) {
      const identity: Identity = {
        subject: document.subject,
        namespace: { name: namespace.name, uuid: namespace.uuid },
        authkey: { api_key: `${namespace.uuid}:${namespace.key}` },
        rights,
        limits: document.limits ?? {},
      };
      this.#byUuid.set(namespace.uuid, { keyDigest: digest(namespace.key), identity });
      this.#byNamespace.set(namespace.name, identity);
    }
  }

  /** Whose credentials these are; undefined when nobody's. Takes as long for a wrong key as for a right one. */
  authenticate(uuid: string, key: string): Identity | undefined {
    const known = this.#byUuid.get(uuid);
    const matches = timingSafeEqual(digest(key), known?.keyDigest ?? digest(""));
    return known !== undefined && matches ? known.identity : undefined;
  }

  /** The owner of a namespace, undefined when it has none. */
  owner(namespace: string): Identity | undefined {
    return this.#byNamespace.get(namespace);
  }
}

function digest(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}

/** Letters and digits drawn evenly. */
function randomKey(): string {
  let key = "";
  while (key.length < keyLength) {
    for (const byte of randomBytes(keyLength)) {
      if (byte < 4 * keyLetters.length && key.length < keyLength) {
        key += keyLetters[byte % keyLetters.length];
      }
    }
  }
  return key;
}

function newSubject(subject: string, kept: { uuid: string; key: string } | undefined): SubjectDocument {
  const { uuid, key } = kept ?? { uuid: randomUUID(), key: randomKey() };
  return { _id: subject, subject, namespaces: [{ name: subject, uuid, key }] };
}

function keyFile(folder: string, subject: string): string {
  return join(folder, `auth.${subject}`);
}

/** A key that a person put there before the first start is taken over. */
function keyFromFile(path: string): { uuid: string; key: string } | undefined {
  if (!existsSync(path)) {
    return undefined;
  }
  const [, uuid, key] = /^([0-9a-f-]{36}):(\w{64,})\s*$/i.exec(readFileSync(path, "utf8")) ?? [];
  if (uuid === undefined || key === undefined) {
    throw new StartError(`${path} holds no key of the form uuid:key. Correct or remove it.`);
  }
  return { uuid, key };
}

function writeKeyFile(path: string, key: string): void {
  if (!existsSync(path) || readFileSync(path, "utf8").trim() !== key) {
    writeFileSync(path, `${key}\n`, { mode: 0o600 });
  }
  chmodSync(path, 0o600);
}
