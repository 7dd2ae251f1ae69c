// What we use of node-zookeeper-client, which comes without types.

declare module "node-zookeeper-client" {
  /** `code` is one of Exception's. */
  export interface ZooKeeperError extends Error {
    readonly code: number;
  }

  type Done<Of> = (error: ZooKeeperError | null | undefined, value: Of) => void;

  export interface Stat {
    readonly version: number;
  }

  /** All operations of one transaction happen, or none. A version of 0 counts as "any" here, unlike in Client. */
  export interface Transaction {
    create(path: string, data: Buffer): Transaction;
    setData(path: string, data: Buffer, version: number): Transaction;
    remove(path: string, version: number): Transaction;
    commit(done: Done<unknown>): void;
  }

  export interface Client {
    connect(): void;
    close(): void;
    once(event: "connected" | "disconnected", heard: () => void): this;
    create(path: string, data: Buffer, done: Done<string>): void;
    getData(path: string, done: (error: ZooKeeperError | null, data: Buffer, stat: Stat) => void): void;
    setData(path: string, data: Buffer, version: number, done: Done<Stat>): void;
    getChildren(path: string, done: Done<readonly string[]>): void;
    transaction(): Transaction;
    /** Not part of the documented interface. */
    readonly connectionManager: {
      readonly socket?: import("node:net").Socket;
      queue(request: object, done: Done<unknown>): void;
    };
  }

  const zookeeper: {
    createClient(
      hosts: string,
      options: { readonly sessionTimeout: number; readonly spinDelay: number },
    ): Client;
    readonly ACL: { readonly OPEN_ACL_UNSAFE: readonly { toRecord(): object }[] };
    readonly Exception: {
      readonly CONNECTION_LOSS: number;
      readonly UNIMPLEMENTED: number;
      readonly NO_NODE: number;
      readonly BAD_VERSION: number;
      readonly NODE_EXISTS: number;
    };
  };
  export default zookeeper;
}

declare module "node-zookeeper-client/lib/jute/index.js" {
  const jute: {
    readonly OP_CODES: { readonly CREATE: number };
    readonly protocol: {
      readonly RequestHeader: new () => { type: number };
      readonly CreateRequest: new () => { path: string; data: Buffer; acl: readonly object[]; flags: number };
    };
    readonly Request: new (header: object, payload: object) => { toBuffer(): Buffer };
  };
  export default jute;
}
