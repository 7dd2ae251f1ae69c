// Lists of entities by type and path: kept in memory where one process writes them all, asked of CouchDB's views otherwise.

import { splitPath } from "../names.ts";
import { viewNames } from "./design-documents.ts";
import type { DocumentDatabase } from "./document-database.ts";
import { type EntityDocument, type EntityType, type Summary, summaryOf } from "./entity-documents.ts";
import { fromStored } from "./exact-documents.ts";

/** `path` is `namespace`, which includes its packages, or `namespace/package`; the latest update comes first. */
export interface EntityIndex {
  list(type: EntityType, path: string): Promise<readonly Summary[]>;
  written(document: EntityDocument): void;
  removed(document: EntityDocument): void;
}

const pageSize = 500;

/** The index of the embedded database. */
export class MemoryIndex implements EntityIndex {
  readonly #summaries: { readonly [type in EntityType]: Map<string, Summary> } = {
    action: new Map(),
    package: new Map(),
    trigger: new Map(),
    rule: new Map(),
  };

  /** Reads what is there. */
  static async open(whisks: DocumentDatabase): Promise<MemoryIndex> {
    const index = new MemoryIndex();
    let startkey = "";
    for (;;) {
      const page = await whisks.allDocs({ include_docs: true, limit: pageSize, startkey });
      for (const row of page.rows) {
        if (row.doc) {
          index.written(fromStored<EntityDocument>(row.doc));
        }
      }
      const last = page.rows.at(-1);
      if (last === undefined || page.rows.length < pageSize) {
        return index;
      }
      startkey = `${last.id}\u0000`;
    }
  }

  async list(type: EntityType, path: string): Promise<readonly Summary[]> {
    const found: Summary[] = [];
    for (const summary of this.#summaries[type].values()) {
      if (summary.namespace === path || splitPath(summary.namespace).namespace === path) {
        found.push(summary);
      }
    }
    return found.sort((a, b) => b.updated - a.updated);
  }

  written(document: EntityDocument): void {
    if (document.entityType in this.#summaries) {
      this.#summaries[document.entityType].set(document._id, summaryOf(document));
    }
  }

  removed(document: EntityDocument): void {
    this.#summaries[document.entityType].delete(document._id);
  }
}

/** The views of a CouchDB that others write to as well. */
export class ViewIndex implements EntityIndex {
  readonly #whisks: DocumentDatabase;

  constructor(whisks: DocumentDatabase) {
    this.#whisks = whisks;
  }

  async list(type: EntityType, path: string): Promise<readonly Summary[]> {
    // The view of rules emits no summary.
    const include_docs = type === "rule";
    const { rows } = await this.#whisks.query<Summary>(`${viewNames.entities}/${type}s`, {
      ...{ startkey: [path, {}], endkey: [path], descending: true, reduce: false, include_docs },
    });
    return include_docs
      ? rows.flatMap((row) => (row.doc ? [summaryOf(fromStored<EntityDocument>(row.doc))] : []))
      : rows.map((row) => row.value);
  }

  written(): void {}

  removed(): void {}
}
