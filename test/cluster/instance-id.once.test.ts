// Ids by a real ZooKeeper: the bytes stock writes, the order of names, races, and days when the server is not there.

import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { assignInstanceId } from "../../invoker/instance-id.ts";
import { InstanceIdError } from "../../invoker/instance-id-error.ts";
import { type Change, ZooKeeperConnection } from "../../invoker/zookeeper.ts";
import { freePort } from "../../standalone/cluster/java.ts";
import { startZooKeeper, type ZooKeeper } from "../../standalone/cluster/zookeeper.ts";

const mapping = "/invokers/idAssignment/mapping";
const counter = "/invokers/idAssignment/counter";

/** No client is told what is a container: the server's log of changes says it. */
function newestLog(of: string): string {
  const logs = readdirSync(of).filter((name) => name.startsWith("log."));
  return logs.sort((a, b) => Number.parseInt(a.slice(4), 16) - Number.parseInt(b.slice(4), 16)).at(-1) ?? "";
}

/**
 * A way to the server that drops its first connections, as a server that is about to start; and each one that asks for a
 * container znode if it `isOld`, as a server of 3.4.
 */
async function startProxy(
  real: string,
  { droppedAtFirst = 0, isOld = false }: { readonly droppedAtFirst?: number; readonly isOld?: boolean },
): Promise<{ readonly hosts: string; refused(): number; close(): void }> {
  const [host = "", realPort] = real.split(":");
  let connections = 0;
  let refused = 0;
  const proxy = createServer((client) => {
    if (connections++ < droppedAtFirst) {
      client.destroy();
      return;
    }
    const upstream = connect(Number(realPort), host);
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on("close", end).on("error", end);
    upstream.pipe(client);
    client.on("data", (bytes: Buffer) => {
      if (!(isOld && asksForContainer(bytes))) upstream.write(bytes);
      else {
        refused++;
        end();
      }
    });
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { port } = proxy.address() as AddressInfo;
  return { hosts: `127.0.0.1:${port}`, refused: () => refused, close: () => proxy.close() };
}

/** Requests begin with their length, a number of their own and their type. */
function asksForContainer(bytes: Buffer): boolean {
  const [createContainer, headerBytes, typeOffset] = [19, 12, 8];
  for (let at = 0; at + headerBytes <= bytes.length; at += 4 + bytes.readInt32BE(at)) {
    if (bytes.readInt32BE(at + typeOffset) === createContainer) return true;
  }
  return false;
}

async function failureOf(promise: Promise<unknown>): Promise<InstanceIdError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof InstanceIdError) return error;
    throw error;
  }
  throw new Error("an id was given");
}

describe("an instance id by ZooKeeper", () => {
  let folder: string;
  let server: ZooKeeper;
  let znodes: ZooKeeperConnection;
  /** A folder of ZooKeeper's for each test, as the end of a connection string. */
  let chroot: string;
  let hosts: string;
  let tests = 0;

  before(async function () {
    this.timeout(120_000);
    folder = mkdtempSync(join(tmpdir(), "rewhisk-ids-"));
    server = await startZooKeeper({ folder });
  });
  after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    znodes = await ZooKeeperConnection.open(server.bootstrap, AbortSignal.timeout(10_000));
    chroot = `/test${tests++}`;
    await znodes.create(chroot, Buffer.alloc(0));
    hosts = `${server.bootstrap}${chroot}`;
  });
  afterEach(() => {
    znodes.close();
  });

  const hexAt = async (path: string): Promise<string | undefined> =>
    (await znodes.read(`${chroot}${path}`))?.data.toString("hex");
  const write = async (changes: readonly Change[]): Promise<void> => {
    expect(await znodes.commit(changes)).to.equal(true);
  };
  /** As stock leaves them behind. */
  const lay = async (count: number, ids: { readonly [name: string]: string }): Promise<void> => {
    const data = Buffer.alloc(4);
    data.writeInt32BE(count);
    await znodes.makeParents(`${chroot}${mapping}/x`, "lasting");
    await write([
      { create: `${chroot}${counter}`, data },
      ...Object.entries(ids).map(([name, hex]) => ({
        create: `${chroot}${mapping}/${name}`,
        data: Buffer.from(hex, "hex"),
      })),
    ]);
  };

  it("is counted from 0, kept for the name, and written as stock writes it", async () => {
    expect(await assignInstanceId({ hosts, uniqueName: "alpha" })).to.equal(0);
    expect(await assignInstanceId({ hosts, uniqueName: "beta.example" })).to.equal(1);
    expect(await assignInstanceId({ hosts, uniqueName: "alpha" })).to.equal(0);
    expect(await hexAt(`${mapping}/alpha`)).to.equal("00");
    expect(await hexAt(`${mapping}/beta.example`)).to.equal("01");
    expect(await hexAt(counter)).to.equal("00000002");
  });

  it("goes on where stock has counted, of one byte and of two", async () => {
    const ids = Array.from({ length: 128 }, (_, id) => [`stock${id}`, id.toString(16).padStart(2, "0")]);
    await lay(128, Object.fromEntries(ids));
    expect(await assignInstanceId({ hosts, uniqueName: "stock77" })).to.equal(77);
    expect(await assignInstanceId({ hosts, uniqueName: "new" })).to.equal(128);
    expect(await hexAt(`${mapping}/new`)).to.equal("0080");
    expect(await hexAt(counter)).to.equal("00000081");
    await write([{ create: `${chroot}${mapping}/large`, data: Buffer.from("0100", "hex") }]);
    expect(await assignInstanceId({ hosts, uniqueName: "large" })).to.equal(256);
  });

  it("has container znodes above it, which the server itself removes again", async () => {
    await assignInstanceId({ hosts, uniqueName: "alpha" });
    const log = readFileSync(join(folder, "data", "version-2", newestLog(join(folder, "data", "version-2"))));
    const made = (code: number, path: string): boolean => {
      const record = Buffer.alloc(8);
      record.writeInt32BE(code);
      record.writeInt32BE(path.length, 4);
      return log.includes(Buffer.concat([record, Buffer.from(path)]));
    };
    const [asContainer, asUsual] = [19, 1];
    for (const path of ["/invokers", "/invokers/idAssignment", mapping]) {
      expect(made(asContainer, `${chroot}${path}`), path).to.equal(true);
    }
    for (const path of [counter, `${mapping}/alpha`]) {
      expect(made(asContainer, `${chroot}${path}`), path).to.equal(false);
    }
    expect(made(asUsual, `${chroot}${counter}`)).to.equal(true);
  });

  it("is given by a server that knows no container znodes and ends the connection over one", async () => {
    const old = await startProxy(server.bootstrap, { isOld: true });
    try {
      expect(await assignInstanceId({ hosts: `${old.hosts}${chroot}`, uniqueName: "alpha" })).to.equal(0);
      expect(old.refused()).to.equal(1);
      expect(await hexAt(`${mapping}/alpha`)).to.equal("00");
    } finally {
      old.close();
    }
  });

  it("is another one for each of twelve that start at the same time, from an empty server", async () => {
    const names = Array.from({ length: 12 }, (_, i) => `invoker-${i}`);
    const ids = await Promise.all(names.map((uniqueName) => assignInstanceId({ hosts, uniqueName })));
    expect([...ids].sort((a, b) => a - b)).to.deep.equal(names.map((_, i) => i));
    expect(await hexAt(counter)).to.equal("0000000c");
  });

  it("is one for two processes of the same name that start at the same time", async () => {
    const both = [1, 2].map(() => assignInstanceId({ hosts, uniqueName: "twin" }));
    expect(await Promise.all(both)).to.deep.equal([0, 0]);
    expect(await znodes.children(`${chroot}${mapping}`)).to.deep.equal(["twin"]);
  });

  it("waits for an invoker of stock's that has counted and not written its own yet", async () => {
    await lay(2, { first: "00" });
    const late = assignInstanceId({ hosts, uniqueName: "ours" });
    await write([{ create: `${chroot}${mapping}/stocks`, data: Buffer.from("01", "hex") }]);
    expect(await late).to.equal(2);
  });

  it("does not wait for ever for one that never writes", async () => {
    await lay(2, { first: "00" });
    expect(await assignInstanceId({ hosts, uniqueName: "ours" })).to.equal(1);
  });

  it("is the first free one where an operator has removed a name, and never somebody else's", async () => {
    await lay(3, { first: "00", third: "02" });
    expect(await assignInstanceId({ hosts, uniqueName: "ours" })).to.equal(1);
    expect(await hexAt(counter)).to.equal("00000003");
  });

  it("is refused where a znode holds none", async () => {
    await lay(1, { ours: "" });
    const error = await failureOf(assignInstanceId({ hosts, uniqueName: "ours" }));
    expect(error.code).to.equal("damaged");
    expect(error.message).to.match(/mapping\/ours holds no id.*--id/);
  });

  describe("that is overwritten", () => {
    it("is taken from another name, the counter left alone", async () => {
      await lay(2, { first: "00", second: "01" });
      expect(await assignInstanceId({ hosts, uniqueName: "third", overwriteId: 1 })).to.equal(1);
      expect(await znodes.children(`${chroot}${mapping}`)).to.have.members(["first", "third"]);
      expect(await hexAt(counter)).to.equal("00000002");
    });

    it("replaces the name's own", async () => {
      await lay(2, { first: "00", second: "01" });
      expect(await assignInstanceId({ hosts, uniqueName: "first", overwriteId: 1 })).to.equal(1);
      expect(await hexAt(`${mapping}/first`)).to.equal("01");
      expect(await znodes.children(`${chroot}${mapping}`)).to.deep.equal(["first"]);
    });

    it("may be the next one, but none beyond it, and none at all before the first", async () => {
      const request = { hosts, uniqueName: "ours" };
      expect((await failureOf(assignInstanceId({ ...request, overwriteId: 0 }))).message).to.match(
        /no ids yet/,
      );
      await lay(1, { first: "00" });
      const error = await failureOf(assignInstanceId({ ...request, overwriteId: 2 }));
      expect([error.code, error.message]).to.deep.equal([
        "cannot-overwrite",
        "--overwriteId: 2 cannot be given while there are 1 ids: ids are counted from 0",
      ]);
      expect(await assignInstanceId({ ...request, overwriteId: 1 })).to.equal(1);
    });
  });

  it("needs servers to ask", async () => {
    for (const bad of [undefined, "", " ", ":2181", "zookeeper:"]) {
      const error = await failureOf(assignInstanceId({ hosts: bad, uniqueName: "ours" }));
      expect(error.code, bad).to.equal("bad-hosts");
    }
  });

  it("is given when the server serves only after a while", async () => {
    const proxy = await startProxy(server.bootstrap, { droppedAtFirst: 2 });
    try {
      expect(await assignInstanceId({ hosts: `${proxy.hosts}${chroot}`, uniqueName: "ours" })).to.equal(0);
    } finally {
      proxy.close();
    }
  });

  it("outlives the server's sudden death", async function () {
    this.timeout(120_000);
    await assignInstanceId({ hosts, uniqueName: "before" });
    await server.kill("SIGKILL");
    server = await startZooKeeper({ folder });
    expect(await assignInstanceId({ hosts, uniqueName: "after" })).to.equal(1);
    expect(await assignInstanceId({ hosts, uniqueName: "before" })).to.equal(0);
  });
});

describe("an instance id without ZooKeeper", () => {
  let silent: Server;
  afterEach(() => silent?.close());

  it("is given up after a while, with the remedy, be nobody there or somebody who does not answer", async function () {
    this.timeout(120_000);
    const port = await freePort();
    silent = createServer((socket) => socket.on("error", () => {})).listen(port, "127.0.0.1");
    const nobody = `127.0.0.1:${await freePort()}`;
    const errors = await Promise.all(
      [nobody, `127.0.0.1:${port}`].map((hosts) =>
        failureOf(assignInstanceId({ hosts, uniqueName: "ours" })),
      ),
    );
    for (const { code, message } of errors) {
      expect(code).to.equal("unreachable");
      expect(message).to.match(/ZooKeeper at 127.* see ZOOKEEPER_HOSTS, or give --id/);
    }
  });
});
