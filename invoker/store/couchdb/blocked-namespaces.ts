// The namespaces whose activations are not to be run, read from the subjects database again and again.

import { isJsonArray, isJsonObject } from "../../wire/json.ts";
import type { BlockedNamespaces } from "../stores.ts";
import type { CouchConnection } from "./connection.ts";
import { reasonOf, type TellEvent } from "./events.ts";

export interface BlockedNamespacesSettings {
  readonly database: string;
  /** `whisk.blacklist.poll-interval`: from the start of one reading to the start of the next. */
  readonly pollIntervalMs: number;
}

const path = "_design/namespaceThrottlings/_view/blockedNamespaces";
const query = { stale: "update_after", descending: "true", reduce: "false" };

/** The cluster's BlockedNamespaces. Until `start` nothing is blocked. */
export class CouchBlockedNamespaces implements BlockedNamespaces {
  readonly #connection: CouchConnection;
  readonly #settings: BlockedNamespacesSettings;
  readonly #tell: TellEvent;
  #blocked: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> | undefined;

  constructor(connection: CouchConnection, settings: BlockedNamespacesSettings, tell: TellEvent) {
    this.#connection = connection;
    this.#settings = settings;
    this.#tell = tell;
  }

  isBlocked(namespace: string): boolean {
    return this.#blocked.has(namespace);
  }

  /** Resolves when the database was read once, or could not be. */
  async start(): Promise<void> {
    this.#timer ??= setInterval(() => void this.read(), this.#settings.pollIntervalMs).unref();
    await this.read();
  }

  /** Reads them now, or waits for the reading that is under way. Never rejects: on failure the old ones stay. */
  async read(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  async #read(): Promise<void> {
    try {
      const answer = await this.#connection.view(this.#settings.database, path, query);
      if (!isJsonObject(answer) || !isJsonArray(answer.rows)) throw new Error(`${path} gave no rows`);
      const keys = answer.rows.map((row) => (isJsonObject(row) ? row.key : undefined));
      this.#blocked = new Set(keys.filter((key) => typeof key === "string"));
    } catch (error) {
      this.#tell({ event: "blocked-namespaces-unread", reason: reasonOf(error) });
    }
  }

  /** Reads no more. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#reading;
  }
}
