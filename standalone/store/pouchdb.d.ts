// What we use of PouchDB, typed; its published types declare a global Buffer of their own, which breaks Node's.

declare module "pouchdb" {
  /** A document with its identity; other fields are the caller's. */
  export interface Stored {
    readonly _id: string;
    readonly _rev?: string;
  }

  export interface Written {
    readonly id: string;
    readonly rev: string;
  }

  export interface Row {
    readonly id: string;
    /** Present with `include_docs`; null for a removed document that was asked for by key. */
    readonly doc?: Stored | null;
  }

  export interface Change {
    readonly id: string;
    readonly doc?: Stored;
  }

  /** Rejections carry `status` as over HTTP: 404 missing, 409 conflict. */
  export default class PouchDB {
    constructor(name: string, options?: { readonly auto_compaction?: boolean; readonly revs_limit?: number });
    info(): Promise<{ readonly update_seq: number | string }>;
    get(id: string): Promise<Stored>;
    put(document: Stored): Promise<Written>;
    remove(id: string, rev: string): Promise<Written>;
    /** Conflicts and the like come back as entries with `error`, not as a rejection. */
    bulkDocs(documents: readonly Stored[]): Promise<readonly { readonly error?: true | string }[]>;
    allDocs(options: {
      readonly include_docs?: boolean;
      readonly startkey?: string;
      readonly limit?: number;
      readonly keys?: readonly string[];
    }): Promise<{ readonly rows: readonly Row[] }>;
    changes(options: {
      readonly since: number;
      readonly limit: number;
      readonly include_docs: true;
    }): Promise<{ readonly results: readonly Change[]; readonly last_seq: number | string }>;
    getAttachment(id: string, name: string, options: { readonly rev?: string }): Promise<Buffer>;
    close(): Promise<void>;
  }
}
