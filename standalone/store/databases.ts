// The embedded databases of the standalone server, all in one folder: PouchDB as on CouchDB, LevelDB for the order.

import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { ClassicLevel } from "classic-level";
import PouchDB from "pouchdb";
import { StartError } from "../errors.ts";
import { ActivationOrder, type RecordOrder } from "./activation-order.ts";
import { DiskRoom, isDiskFull, leastBytes, type Room } from "./disk-room.ts";
import type { DocumentDatabase } from "./document-database.ts";
import { type EntityIndex, MemoryIndex } from "./entity-index.ts";

/** Keys and values, sorted by key. */
export type OrderDatabase = ClassicLevel<string, string>;

export interface Databases {
  readonly whisks: DocumentDatabase;
  readonly activations: DocumentDatabase;
  readonly subjects: DocumentDatabase;
  /** Does anybody else write to them? Then nothing that is kept here of what they hold is sure. */
  readonly areShared: boolean;
  readonly entityIndex: EntityIndex;
  readonly order: RecordOrder;
  readonly room: Room;
  close(): Promise<void>;
}

/**
 * Opens (or creates) the databases below `folder`. LevelDB locks its files, so that a second server is refused. Throws
 * StartError naming the obstacle and the remedy. `say` hears of a disk that gets full, and has room again.
 */
export async function openDatabases(
  folder: string,
  say: (line: string) => void = console.error,
): Promise<Databases> {
  prepareFolder(folder);
  const activationOrder = new ClassicLevel<string, string>(join(folder, "activation-order"));
  try {
    await activationOrder.open();
  } catch (error) {
    throw openingFailed(folder, error);
  }
  const open = (name: string): DocumentDatabase =>
    new PouchDB(join(folder, name), { auto_compaction: true, revs_limit: 1 });
  const documents = { whisks: open("whisks"), activations: open("activations"), subjects: open("subjects") };
  try {
    await Promise.all(Object.values(documents).map((database) => database.info()));
  } catch (error) {
    await activationOrder.close();
    throw openingFailed(folder, error);
  }
  return {
    ...documents,
    areShared: false,
    entityIndex: await MemoryIndex.open(documents.whisks),
    order: new ActivationOrder(activationOrder),
    room: new DiskRoom(folder, say),
    async close() {
      await Promise.all([...Object.values(documents), activationOrder].map((database) => database.close()));
    },
  };
}

function prepareFolder(folder: string): void {
  const probe = join(folder, ".probe");
  try {
    makeFolder(folder);
    if (!statSync(folder).isDirectory()) {
      throw Object.assign(new Error(`${folder} is no folder`), { code: "ENOTDIR" });
    }
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    chmodSync(folder, 0o700);
    writeFileSync(probe, Buffer.alloc(leastBytes), { mode: 0o600 });
    rmSync(probe, { force: true });
  } catch (error) {
    removeIfThere(probe);
    throw openingFailed(folder, error);
  }
}

/** One by one from the top: asked to do all by itself, Node 20 loops for ever where the kernel refuses with ENOENT. */
function makeFolder(folder: string): void {
  if (!existsSync(folder)) {
    makeFolder(dirname(folder));
    mkdirSync(folder, { mode: 0o700 });
  }
}

/** `force` alone still throws below something that is no folder. */
function removeIfThere(path: string): void {
  if (existsSync(path)) {
    rmSync(path, { force: true });
  }
}

function folderInUse(folder: string): StartError {
  return new StartError(
    `The data folder ${folder} is in use by another rewhisk. Stop that one, or give this one its own with --data-dir.`,
  );
}

function openingFailed(folder: string, error: unknown): StartError {
  const code = rootCode(error);
  const message = error instanceof Error ? error.message : String(error);
  if (code === "LEVEL_LOCKED" || /lock .*LOCK/i.test(message)) {
    return folderInUse(folder);
  }
  if (isDiskFull(error)) {
    return new StartError(
      `The disk that holds ${folder} is full. Free some space, or choose another place with --data-dir.`,
    );
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "ENOENT") {
    return new StartError(
      `The data folder ${folder} cannot be written. Change its owner or mode, or choose another with --data-dir.`,
    );
  }
  if (code === "ENOTDIR" || code === "EEXIST") {
    return new StartError(`${folder} is not a folder. Choose another place with --data-dir.`);
  }
  return new StartError(`The databases in ${folder} cannot be opened: ${message}`, { cause: error });
}

/** The code of the innermost error that has one: LevelDB's wrappers hide the telling one in `cause`. */
function rootCode(error: unknown): string | undefined {
  let code: string | undefined;
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    code = "code" in current && typeof current.code === "string" ? current.code : code;
  }
  return code;
}
