// Records on their way to a database that answers by a script, with a spool in a folder of their own.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { within } from "../within.ts";
import { type OpenedStores, openStores, recordOf } from "./couch.ts";
import { type Scripted, ScriptedCouch } from "./scripted-couch.ts";

export const patienceMs = 60_000;

/** The ids in the body of a `_bulk_docs`. */
export function idsOf(body: string): readonly string[] {
  const { docs } = JSON.parse(body) as { readonly docs: readonly { readonly _id: string }[] };
  return docs.map(({ _id }) => _id);
}

export class ScriptedRecords {
  readonly folder: string;
  readonly couch: ScriptedCouch;
  stores: OpenedStores;
  /** What the database has taken. */
  readonly taken: Set<string>;

  private constructor(folder: string, couch: ScriptedCouch, stores: OpenedStores, taken: Set<string>) {
    this.folder = folder;
    this.couch = couch;
    this.stores = stores;
    this.taken = taken;
  }

  /** The database takes all until it has another script. */
  static async start(): Promise<ScriptedRecords> {
    const folder = mkdtempSync(join(tmpdir(), "rewhisk-scripted-"));
    const taken = new Set<string>();
    const couch = await ScriptedCouch.start((_what, _count, body) => takeInto(taken, body));
    return new ScriptedRecords(folder, couch, await openStores(couch.port, join(folder, "spool")), taken);
  }

  /** For a script. Takes all; `errors`: but these, by id. */
  take(body: string, errors: { readonly [id: string]: string } = {}): Scripted {
    return takeInto(this.taken, body, errors);
  }

  /** Resolves when all of them are kept. */
  store(...ids: readonly string[]): Promise<unknown> {
    return Promise.all(ids.map((id) => this.stores.activations.store(recordOf(id))));
  }

  /** Resolves when nothing waits. */
  async settled(): Promise<void> {
    await within(patienceMs, () => {
      const { waiting, spooledBytes } = this.stores.activations.status();
      return (waiting === 0 && spooledBytes === 0) || undefined;
    });
  }

  /** Another life, with these settings. */
  async reopen(
    more: Parameters<typeof openStores>[2],
    spoolFolder = join(this.folder, "spool"),
  ): Promise<void> {
    await this.stores.close(0);
    this.stores = await openStores(this.couch.port, spoolFolder, more);
  }

  async close(): Promise<void> {
    await this.stores.close(0);
    await this.couch.stop();
    rmSync(this.folder, { recursive: true });
  }
}

function takeInto(
  taken: Set<string>,
  body: string,
  errors: { readonly [id: string]: string } = {},
): Scripted {
  const results = idsOf(body).map((id) => {
    const error = errors[id];
    if (error === undefined) taken.add(id);
    // As CouchDB and as PouchDB answer: with the id of a refused document, and without.
    return error === undefined ? { ok: true, id, rev: "1-a" } : { error, reason: "said why" };
  });
  return { status: 201, body: JSON.stringify(results) };
}
