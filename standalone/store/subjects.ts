// Who may use this server: the subjects database, and the key files that tell a person their own key.

import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LRUCache } from "lru-cache";
import type { Identity } from "../../invoker/index.ts";
import { StartError, StoreError } from "../errors.ts";
import { randomKey } from "../ids.ts";
import type { Databases } from "./databases.ts";
import { viewNames } from "./design-documents.ts";
import type { DocumentDatabase } from "./document-database.ts";

interface Namespace {
  readonly name: string;
  readonly uuid: string;
  readonly key: string;
}

/** A subject as OpenWhisk keeps it: one key for each of its namespaces. */
interface SubjectDocument {
  readonly _id: string;
  readonly subject: string;
  readonly namespaces: readonly Namespace[];
  readonly blocked?: boolean;
  readonly limits?: Identity["limits"];
}

interface Known {
  readonly keyDigest: Buffer;
  readonly identity: Identity;
}

const rights = ["READ", "PUT", "DELETE", "ACTIVATE"] as const;
const cachedSubjects = 2_000;
/** As long as OpenWhisk's controllers remember an entity that nobody has told them to forget. */
const rememberedMs = 300_000;

/** Who may use this server, by the uuid of their key. What others may change meanwhile is looked up anew now and then. */
export class Subjects {
  readonly #database: DocumentDatabase;
  readonly #areShared: boolean;
  readonly #byUuid: Map<string, Known> | LRUCache<string, Known>;
  readonly #byNamespace = new Map<string, Identity>();
  readonly #sharedOwners = new LRUCache<string, Identity>({ max: cachedSubjects, ttl: rememberedMs });

  private constructor({ subjects, areShared }: Databases) {
    this.#database = subjects;
    this.#areShared = areShared;
    this.#byUuid = areShared ? new LRUCache({ max: cachedSubjects, ttl: rememberedMs }) : new Map();
  }

  /**
   * Reads the database, first adding those of `subjects` that are not in it, each with a namespace of its own name and
   * a random key. The key of each is kept in `auth.<subject>` in `folder`, readable by the owner alone.
   */
  static async open(databases: Databases, folder: string, subjects: readonly string[]): Promise<Subjects> {
    const store = new Subjects(databases);
    const database = databases.subjects;
    const found = await database.allDocs({
      include_docs: true,
      ...(databases.areShared ? { keys: subjects } : {}),
    });
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
      const identity = identityOf(document.subject, namespace, document.limits ?? {});
      this.#byNamespace.set(namespace.name, identity);
      // Limits of a shared database are in documents of their own.
      if (!this.#areShared) {
        this.#byUuid.set(namespace.uuid, { keyDigest: digest(namespace.key), identity });
      }
    }
  }

  /** Whose credentials these are; undefined when nobody's. Takes as long for a wrong key as for a right one. */
  async authenticate(uuid: string, key: string): Promise<Identity | undefined> {
    const known = this.#byUuid.get(uuid) ?? (this.#areShared ? await this.#lookUp([uuid, key]) : undefined);
    const matches = timingSafeEqual(digest(key), known?.keyDigest ?? digest(""));
    return known !== undefined && matches ? known.identity : undefined;
  }

  /** The owner of a namespace among those known from the start, undefined when it has none. */
  owner(namespace: string): Identity | undefined {
    return this.#byNamespace.get(namespace);
  }

  /** Whose namespace it is, undefined when nobody's: in whose name strangers run its web actions. */
  async ownerOf(namespace: string): Promise<Identity | undefined> {
    if (!this.#areShared) {
      return this.#byNamespace.get(namespace);
    }
    const owner = this.#sharedOwners.get(namespace) ?? (await this.#lookUp([namespace]))?.identity;
    if (owner !== undefined) {
      this.#sharedOwners.set(namespace, owner);
    }
    return owner;
  }

  async #lookUp(
    viewKey: readonly [uuid: string, key: string] | readonly [namespace: string],
  ): Promise<Known | undefined> {
    const { rows } = await this.#database
      .query<Namespace & { readonly namespace: string }>(`${viewNames.subjects}/identities`, {
        ...{ key: viewKey, include_docs: true },
      })
      .catch((error: unknown) => {
        throw new StoreError("unavailable", "looking up a subject", { cause: error });
      });
    const [row] = rows;
    if (row === undefined) {
      return undefined;
    }
    // The document that the view refers to: the limits of the namespace, if it has any of its own.
    const { _id, _rev, ...limits } = row.doc ?? { _id: "" };
    const namespace = { ...row.value, name: row.value.namespace };
    const known: Known = {
      keyDigest: digest(namespace.key),
      identity: identityOf(row.id, namespace, limits),
    };
    this.#byUuid.set(namespace.uuid, known);
    return known;
  }
}

function identityOf(subject: string, namespace: Namespace, limits: Identity["limits"]): Identity {
  return {
    subject,
    namespace: { name: namespace.name, uuid: namespace.uuid },
    authkey: { api_key: `${namespace.uuid}:${namespace.key}` },
    rights,
    limits,
  };
}

function digest(key: string): Buffer {
  return createHash("sha256").update(key).digest();
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
