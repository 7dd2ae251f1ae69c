// The id of an invoker that knows only its name: assigned once through ZooKeeper, in znodes that stock's invokers share.

import { setTimeout as sleep } from "node:timers/promises";
import { within } from "../pool/index.ts";
import { InstanceIdError } from "./instance-id-error.ts";
import { isUnknownRequest, ZooKeeperConnection } from "./zookeeper.ts";

const root = "/invokers/idAssignment";
/** One znode per unique name, with its id. */
const mapping = `${root}/mapping`;
/** Who changes it in a known version may assign the next id; stock writes there how many ids there are then. */
const counter = `${root}/counter`;

const patienceMs = 5_000;
const pauseMs = 500;
/** Stock writes the mapping right after the counter; whoever has not done so by then has ended in between. */
const unwrittenMs = 1_000;

export interface IdRequest {
  /** A connection string: `host:port` between commas, and optionally a folder. */
  readonly hosts: string | undefined;
  readonly uniqueName: string;
  /** The id that the name is to have from now on, whoever has it. */
  readonly overwriteId?: number | undefined;
}

/**
 * The id that the name has, or gets. What fails is tried again for five seconds. Throws InstanceIdError.
 */
export async function assignInstanceId({ hosts = "", uniqueName, overwriteId }: IdRequest): Promise<number> {
  if (!/^[^:].*[^:]$/.test(hosts.trim())) {
    const text = `ZOOKEEPER_HOSTS is '${hosts}': it must be host:port between commas, or give --id`;
    throw new InstanceIdError("bad-hosts", text);
  }
  const untilMs = performance.now() + patienceMs;
  let parents: "container" | "lasting" = "container";
  for (;;) {
    const leftMs = untilMs - performance.now();
    try {
      return await withConnection(hosts.trim(), leftMs, (znodes) =>
        overwriteId === undefined
          ? assign(znodes, uniqueName, parents)
          : overwrite(znodes, uniqueName, overwriteId),
      );
    } catch (error) {
      if (error instanceof InstanceIdError) throw error;
      if (performance.now() + pauseMs > untilMs) {
        const text = `ZooKeeper at ${hosts} gave no id within ${patienceMs / 1000} s (${(error as Error).message}): see ZOOKEEPER_HOSTS, or give --id`;
        throw new InstanceIdError("unreachable", text, { cause: error });
      }
      if (isUnknownRequest(error)) parents = "lasting";
    }
    await sleep(pauseMs);
  }
}

async function withConnection<Of>(
  hosts: string,
  timeoutMs: number,
  use: (znodes: ZooKeeperConnection) => Promise<Of>,
): Promise<Of> {
  const opening = ZooKeeperConnection.open(hosts, AbortSignal.timeout(Math.max(1, Math.floor(timeoutMs))));
  const connection = await opening;
  try {
    const value = await within(timeoutMs, use(connection));
    if (value === undefined) throw new Error("no answer");
    return value;
  } finally {
    connection.close();
  }
}

async function assign(
  znodes: ZooKeeperConnection,
  name: string,
  parents: "container" | "lasting",
): Promise<number> {
  const own = `${mapping}/${name}`;
  const beganMs = performance.now();
  for (;;) {
    const known = await znodes.read(own);
    if (known !== undefined) return decodeId(known.data, own);
    await znodes.makeParents(own, parents);
    await znodes.create(counter, int32(0));
    const lock = await znodes.read(counter);
    if (lock === undefined) continue;
    const taken = await idsByName(znodes);
    const isUnwritten = decodeCounter(lock.data) > taken.size;
    if (isUnwritten && performance.now() - beganMs < unwrittenMs) {
      await sleep(unwrittenMs / 10);
    } else if (lock.version === 0) {
      // In a transaction the version 0 would count as any.
      await znodes.set(counter, lock.data, 0);
    } else {
      const id = smallestFree([...taken.values()]);
      const changes = [
        { set: counter, data: int32(taken.size + 1), version: lock.version },
        { create: own, data: encodeId(id) },
      ];
      if (await znodes.commit(changes)) return id;
    }
  }
}

async function overwrite(znodes: ZooKeeperConnection, name: string, id: number): Promise<number> {
  const own = `${mapping}/${name}`;
  for (;;) {
    if ((await znodes.children(mapping)) === undefined) {
      throw new InstanceIdError("cannot-overwrite", `--overwriteId: ZooKeeper has no ids yet (${mapping})`);
    }
    const taken = await idsByName(znodes);
    if (taken.size < id) {
      const text = `--overwriteId: ${id} cannot be given while there are ${taken.size} ids: ids are counted from 0`;
      throw new InstanceIdError("cannot-overwrite", text);
    }
    const others = [...taken].filter(([other, held]) => other !== name && held === id);
    const changes = [
      ...others.map(([other]) => ({ remove: `${mapping}/${other}`, version: -1 })),
      taken.has(name) ? { set: own, data: encodeId(id), version: -1 } : { create: own, data: encodeId(id) },
    ];
    if (await znodes.commit(changes)) return id;
  }
}

async function idsByName(znodes: ZooKeeperConnection): Promise<ReadonlyMap<string, number>> {
  const names = (await znodes.children(mapping)) ?? [];
  const found = await Promise.all(
    names.map(async (name) => ({ name, znode: await znodes.read(`${mapping}/${name}`) })),
  );
  return new Map(
    found.flatMap(({ name, znode }) =>
      znode === undefined ? [] : [[name, decodeId(znode.data, `${mapping}/${name}`)] as const],
    ),
  );
}

/** How many ids there are, as stock has it, unless one in between is not in use any more. */
export function smallestFree(taken: readonly number[]): number {
  const used = new Set(taken);
  let id = 0;
  while (used.has(id)) id++;
  return id;
}

/** As few bytes of two's complement as hold it, the most significant first: 127 is 7f, 128 is 0080. */
export function encodeId(id: number): Buffer {
  const hex = id.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return (bytes[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes;
}

function decodeId(data: Buffer, path: string): number {
  const id = data.length > 0 && data.length <= 5 ? data.readIntBE(0, data.length) : -1;
  if (id >= 0 && id < 2 ** 31) return id;
  const text = `ZooKeeper's ${path} holds no id (${data.toString("hex") || "nothing"}): remove it, or give --id`;
  throw new InstanceIdError("damaged", text);
}

function decodeCounter(data: Buffer): number {
  if (data.length === 4) return data.readInt32BE();
  throw new InstanceIdError("damaged", `ZooKeeper's ${counter} holds no number: remove it, or give --id`);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
