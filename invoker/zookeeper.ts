// The one door to ZooKeeper: a connection whose operations answer with values instead of errors where the answer is one.

import zookeeper, { type Client, type Transaction, type ZooKeeperError } from "node-zookeeper-client";
import jute from "node-zookeeper-client/lib/jute/index.js";

const { Exception, ACL } = zookeeper;

export interface Znode {
  readonly data: Buffer;
  readonly version: number;
}

/** One change of a transaction. `version`: only if it still is the znode's; never 0, which counts as any. */
export type Change =
  | { readonly create: string; readonly data: Buffer }
  | { readonly set: string; readonly data: Buffer; readonly version: number }
  | { readonly remove: string; readonly version: number };

const sessionMs = 10_000;
/** Between two rounds through all servers that are not there. */
const spinMs = 200;
/** Java's client calls it createContainer: the server removes such a znode some time after its last child. */
const createContainer = { code: 19, flags: 4 };
const typeOffset = 8;

/** Not to be used after close. Every operation rejects where the server is not reached or refuses for another reason. */
export class ZooKeeperConnection {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  /** Resolves when it is connected; `signal` ends the waiting and closes it. `hosts`: `host:port` between commas. */
  static open(hosts: string, signal: AbortSignal): Promise<ZooKeeperConnection> {
    const client = zookeeper.createClient(hosts, { sessionTimeout: sessionMs, spinDelay: spinMs });
    const connection = new ZooKeeperConnection(client);
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        connection.close();
        client.connectionManager.socket?.destroy();
        reject(new Error("no server answers"));
      };
      signal.addEventListener("abort", giveUp, { once: true });
      client.once("connected", () => {
        signal.removeEventListener("abort", giveUp);
        resolve(connection);
      });
      client.connect();
    });
  }

  /** Ends the session; the server then ends the connection. */
  close(): void {
    this.#client.close();
  }

  /** Undefined: there is none. */
  async read(path: string): Promise<Znode | undefined> {
    return await new Promise((resolve, reject) => {
      this.#client.getData(path, (error, data, stat) => {
        if (!error) resolve({ data, version: stat.version });
        else if (error.code === Exception.NO_NODE) resolve(undefined);
        else reject(error);
      });
    });
  }

  /** Names below the path; undefined: it is not there. */
  async children(path: string): Promise<readonly string[] | undefined> {
    return await new Promise((resolve, reject) => {
      this.#client.getChildren(path, (error, names) => {
        if (!error) resolve(names);
        else if (error.code === Exception.NO_NODE) resolve(undefined);
        else reject(error);
      });
    });
  }

  /** Makes what is not there yet of the folders of `path`: container znodes, or lasting ones for a server that knows none. */
  async makeParents(path: string, kind: "container" | "lasting"): Promise<void> {
    const parts = path.split("/").slice(1, -1);
    for (const [i] of parts.entries()) {
      const parent = `/${parts.slice(0, i + 1).join("/")}`;
      if ((await this.read(parent)) !== undefined) continue;
      if (kind === "lasting") await this.create(parent, Buffer.alloc(0));
      else await this.#createContainer(parent);
    }
  }

  /** Leaves one alone that is there. */
  async create(path: string, data: Buffer): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#client.create(path, data, settle(resolve, reject));
    });
  }

  /** False: the version is another one. */
  async set(path: string, data: Buffer, version: number): Promise<boolean> {
    return await new Promise((resolve, reject) => {
      this.#client.setData(path, data, version, (error) => {
        if (!error || error.code === Exception.BAD_VERSION) resolve(!error);
        else reject(error);
      });
    });
  }

  /** All changes or none. False: a version is another one, or a znode is there, or not there, against expectation. */
  async commit(changes: readonly Change[]): Promise<boolean> {
    const conflicts = [Exception.BAD_VERSION, Exception.NODE_EXISTS, Exception.NO_NODE];
    const transaction = changes.reduce(addChange, this.#client.transaction());
    return await new Promise((resolve, reject) => {
      transaction.commit((error) => {
        if (!error || conflicts.includes(error.code)) resolve(!error);
        else reject(error);
      });
    });
  }

  /** The client knows no such request, but its answer begins as that of a usual one. */
  async #createContainer(path: string): Promise<void> {
    const header = new jute.protocol.RequestHeader();
    header.type = jute.OP_CODES.CREATE;
    const payload = new jute.protocol.CreateRequest();
    const acl = ACL.OPEN_ACL_UNSAFE.map((entry) => entry.toRecord());
    Object.assign(payload, { path, data: Buffer.alloc(0), acl, flags: createContainer.flags });
    const request = new jute.Request(header, payload);
    const toBuffer = request.toBuffer.bind(request);
    request.toBuffer = () => {
      const bytes = toBuffer();
      bytes.writeInt32BE(createContainer.code, typeOffset);
      return bytes;
    };
    await new Promise<void>((resolve, reject) => {
      this.#client.connectionManager.queue(request, settle(resolve, reject));
    });
  }
}

function settle(resolve: () => void, reject: (error: Error) => void) {
  return (error: ZooKeeperError | null | undefined): void => {
    if (!error || error.code === Exception.NODE_EXISTS) resolve();
    else reject(error);
  };
}

function addChange(transaction: Transaction, change: Change): Transaction {
  if ("create" in change) return transaction.create(change.create, change.data);
  if ("set" in change) return transaction.setData(change.set, change.data, change.version);
  return transaction.remove(change.remove, change.version);
}

/** The server does not know the request, which some answer by ending the connection. */
export function isUnknownRequest(error: unknown): boolean {
  const { code } = error as ZooKeeperError;
  return code === Exception.UNIMPLEMENTED || code === Exception.CONNECTION_LOSS;
}
