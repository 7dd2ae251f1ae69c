// The stores of a cluster's invoker, all in one CouchDB; code may be in S3.

import type { RulesOfKind } from "../action-document.ts";
import { S3Attachments, type S3Settings } from "../attachments/s3.ts";
import { CouchActions } from "./actions.ts";
import { CouchBlockedNamespaces } from "./blocked-namespaces.ts";
import { type ConnectionSettings, CouchConnection, CouchError, type CouchFailure } from "./connection.ts";
import { reasonOf, type TellEvent } from "./events.ts";
import { type DatabaseMeter, noMeter } from "./meter.ts";
import { CouchRecords } from "./records.ts";
import { Spool, type SpoolSettings } from "./spool.ts";

export interface CouchSettings extends ConnectionSettings {
  /** `whisk.couchdb.databases.WhiskAuth`, `WhiskEntity` and `WhiskActivation`. */
  readonly databases: { readonly subjects: string; readonly whisks: string; readonly activations: string };
  /** `whisk.blacklist.poll-interval` */
  readonly blockedPollMs: number;
  /** Of actions that are kept at hand. */
  readonly cacheBytes: number;
  /** Of records that wait in memory. */
  readonly recordMemoryBytes: number;
  readonly spool: SpoolSettings;
  /** Where code is that is not in CouchDB; absent: all is there. */
  readonly s3?: S3Settings | undefined;
}

/** All but what an operator must say. */
export const couchDefaults = {
  requestTimeoutMs: 30_000,
  blockedPollMs: 5 * 60_000,
  cacheBytes: 64 << 20,
  recordMemoryBytes: 8 << 20,
} as const;

/** Why databases cannot be used, in words for the operator. */
export interface CouchProblem {
  readonly databases: readonly string[];
  readonly code: CouchFailure;
  readonly message: string;
}

export interface CouchStores {
  readonly actions: CouchActions;
  readonly activations: CouchRecords;
  readonly blockedNamespaces: CouchBlockedNamespaces;
  /** Tries all three databases; one problem for all that fail alike. `denied` and `missing` do not pass by waiting; the others may. */
  check(): Promise<readonly CouchProblem[]>;
  /** Waits up to `graceMs` for records to be stored; what is not by then is stored by the next life. */
  close(graceMs: number): Promise<void>;
}

/** Opens the spool; asks the database for nothing yet but to store what former lives left. Throws SpoolError. */
export async function openCouchStores(
  settings: CouchSettings,
  rulesOf: RulesOfKind,
  tell: TellEvent,
  meter: DatabaseMeter = noMeter,
): Promise<CouchStores> {
  const { databases, spool } = settings;
  const connection = new CouchConnection(settings, meter);
  const records = { database: databases.activations, memoryBytes: settings.recordMemoryBytes };
  const activations = new CouchRecords(connection, records, await Spool.open(spool, tell), tell, meter);
  const attachments = settings.s3 && new S3Attachments(settings.s3, meter);
  const whisks = { database: databases.whisks, cacheBytes: settings.cacheBytes, attachments };
  const actions = new CouchActions(connection, whisks, rulesOf, performance, meter);
  const subjects = { database: databases.subjects, pollIntervalMs: settings.blockedPollMs };
  const blockedNamespaces = new CouchBlockedNamespaces(connection, subjects, tell);
  return {
    actions,
    activations,
    blockedNamespaces,
    check: () => problemsOf(connection, settings),
    async close(graceMs) {
      await activations.settle(graceMs);
      await connection.close();
      await Promise.all([activations.close(), blockedNamespaces.close(), attachments?.close()]);
    },
  };
}

async function problemsOf(
  connection: CouchConnection,
  settings: CouchSettings,
): Promise<readonly CouchProblem[]> {
  const names = Object.values(settings.databases);
  const checked = await Promise.allSettled(names.map((database) => connection.check(database)));
  const failed = new Map<CouchFailure, { readonly databases: string[]; readonly reason: string }>();
  // In the order of the settings, whichever answers first.
  for (const [i, database] of names.entries()) {
    const answer = checked[i];
    if (answer?.status !== "rejected") continue;
    const code = answer.reason instanceof CouchError ? answer.reason.code : "failed";
    const { databases, reason } = failed.get(code) ?? { databases: [], reason: reasonOf(answer.reason) };
    failed.set(code, { databases: [...databases, database], reason });
  }
  const { protocol, host, port, username } = settings;
  return Array.from(failed, ([code, { databases, reason }]) => {
    const which = `${databases.join(", ")} at ${protocol}://${host}:${port}`;
    return { databases, code, message: `${remedies[code](which, username)} (${reason})` };
  });
}

const unclear = (which: string): string => `No sensible answer about ${which}. Look into the database's log.`;
const remedies: { readonly [code in CouchFailure]: (which: string, username: string) => string } = {
  denied: (which, username) =>
    `The user ${username} may not read ${which}. Correct whisk.couchdb.username and whisk.couchdb.password, or let that user read there.`,
  missing: (which) => `There is no database ${which}. Create it, or correct whisk.couchdb.databases.`,
  unreachable: (which) =>
    `The database cannot be reached: ${which}. Start it, or correct whisk.couchdb.protocol, host and port.`,
  mismatch: unclear,
  unfit: unclear,
  failed: unclear,
};
