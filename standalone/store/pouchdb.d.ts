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

  export interface ViewRow<Value> extends Row {
    readonly value: Value;
  }

  export interface Change {
    readonly id: string;
    readonly doc?: Stored;
  }

  /** Rejections carry `status` as over HTTP: 404 missing, 409 conflict. */
  export default class PouchDB {
    static fetch(url: string, options: object): Promise<Response>;
    /** The same class with other defaults: `prefix` comes before the names of all files. */
    static defaults(options: { readonly prefix: string }): typeof PouchDB;
    /** A folder, or the URL of a database of CouchDB; only over HTTP `auth` and `fetch` mean anything. */
    constructor(
      name: string,
      options?: {
        readonly auto_compaction?: boolean;
        readonly revs_limit?: number;
        readonly auth?: { readonly username: string; readonly password: string };
        readonly fetch?: typeof PouchDB.fetch;
      },
    );
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
    /** `view` is `<design document>/<view>`. Keys sort as in CouchDB: numbers before objects. */
    query<Value>(
      view: string,
      options: {
        readonly key?: readonly unknown[];
        readonly startkey?: readonly unknown[];
        readonly endkey?: readonly unknown[];
        readonly descending?: boolean;
        readonly reduce?: boolean;
        readonly include_docs?: boolean;
        readonly skip?: number;
        readonly limit?: number;
      },
    ): Promise<{ readonly rows: readonly ViewRow<Value>[] }>;
    getAttachment(id: string, name: string, options: { readonly rev?: string }): Promise<Buffer>;
    close(): Promise<void>;
  }
}
