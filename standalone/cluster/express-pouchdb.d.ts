// What we use of express-pouchdb, which comes without types.

declare module "express-pouchdb" {
  import type { RequestListener } from "node:http";
  import type PouchDB from "pouchdb";

  /** An Express application that answers as CouchDB does, from databases of the given PouchDB. */
  export default function expressPouchDB(
    pouchDB: typeof PouchDB,
    options: { readonly mode: "minimumForPouchDB" },
  ): RequestListener;
}
