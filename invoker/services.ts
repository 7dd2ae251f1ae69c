// What an invoker has of its cluster: the bus over Kafka, the stores in CouchDB, and Zipkin where spans are sent there.

import { join } from "node:path";
import { within } from "../pool/index.ts";
import type { Bus } from "./bus/bus.ts";
import { type KafkaBus, openKafkaBus } from "./bus/kafka.ts";
import type { ClusterSettings } from "./config/cluster-settings.ts";
import { feedCapacity, type InvokerSettings } from "./config/invoker-settings.ts";
import type { Manifest } from "./manifest.ts";
import type { Observer } from "./observe.ts";
import { databaseTeller, followLag, kafkaObserver, spanTeller, storeTeller } from "./observe-cluster.ts";
import { invalidatedId } from "./store/couchdb/actions.ts";
import { reasonOf } from "./store/couchdb/events.ts";
import { type CouchStores, couchDefaults, openCouchStores } from "./store/couchdb/open.ts";
import { DatabaseWatch } from "./store/couchdb/watch.ts";
import { Tracer, type Tracing } from "./tracing.ts";
import { ZipkinSender } from "./tracing-zipkin.ts";

export interface Services {
  readonly kafka: KafkaBus;
  readonly healthBus: Pick<Bus, "send">;
  readonly stores: CouchStores;
  /** Whether the databases answer, as far as is known. */
  readonly isDatabaseUp: () => boolean;
  /** Absent: nothing is traced. */
  readonly tracing?: Tracing;
  /** Waits up to `graceMs` for what is to be sent and stored. */
  close(graceMs: number): Promise<void>;
}

/** The databases will not answer as they should, however long one waits; each line of the message has a remedy. */
export class DatabaseError extends Error {
  readonly code = "database";
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "DatabaseError";
  }
}

/** A ping is short: Kafka's own default. */
const longestPingBytes = 1 << 20;

/** Of one invoker: where it keeps what is to outlive it. */
export function folderOf(couchdb: Pick<ClusterSettings["couchdb"], "spool">, instance: number): string {
  return join(couchdb.spool.folder, `invoker${instance}`);
}

/** Throws KafkaBusError, SpoolError, DatabaseError. A database that does not answer now is waited for later. */
export async function openServices(
  { kafka: broker, couchdb, tracing }: ClusterSettings,
  invoker: InvokerSettings,
  manifest: Manifest,
  observer: Observer,
): Promise<Services> {
  const name = `invoker${invoker.instance}`;
  const folder = folderOf(couchdb, invoker.instance);
  const kafka = openKafkaBus({
    ...{ settings: broker.connection, clientId: name, maxPeek: feedCapacity(invoker) },
    ...{ memberFolder: join(folder, "groups"), observer: kafkaObserver(observer) },
  });
  const topic = `${broker.topicPrefix}${name}`;
  const stores = await openCouchStores(
    {
      ...{ ...couchDefaults, ...couchdb },
      spool: { ...couchdb.spool, folder: join(folder, "records") },
    },
    (kind) => {
      const runtime = manifest.kinds.resolve(kind);
      return runtime && { attached: runtime.attached !== undefined, requireMain: runtime.requireMain };
    },
    storeTeller(observer),
    observer.metrics.stock,
  );
  const [isUp] = await Promise.all([
    openDatabases(stores, observer),
    kafka.ensureTopic(topic, broker.topics.invoker),
    followChanges(kafka, stores, broker, name, observer),
  ]);
  const watch = new DatabaseWatch({ check: stores.check, isUp, onChange: databaseTeller(observer) });
  const zipkin = tracing && new ZipkinSender(tracing.url, spanTeller(observer));
  const tracer = tracing && zipkin && new Tracer({ ...tracing, invoker: name }, (span) => zipkin.add(span));
  const lag = followLag(observer, kafka, topic, broker.lagCheckMs);
  return {
    ...{ kafka, stores, healthBus: kafka.openSender(longestPingBytes) },
    ...(tracer && { tracing: tracer }),
    isDatabaseUp: () => watch.isUp && !stores.activations.status().isDatabaseAway,
    async close(graceMs) {
      watch.close();
      // A question that is under way has no end before Kafka's clients.
      const closing = [stores.close(graceMs), kafka.close(graceMs), zipkin?.close(graceMs)];
      await Promise.all([...closing, within(graceMs, lag.stop())]);
    },
  };
}

/** Says whether they answer as they should now, and learns which namespaces are blocked. Throws DatabaseError. */
async function openDatabases(stores: CouchStores, observer: Observer): Promise<boolean> {
  const problems = await stores.check();
  const lasting = problems.filter(({ code }) => code === "denied" || code === "missing");
  if (lasting.length > 0) throw new DatabaseError(lasting.map(({ message }) => message));
  for (const { databases, message } of problems) {
    observer.noted(
      "error",
      { event: "database-unfit", databases, reason: message },
      "a database is waited for",
    );
  }
  await stores.blockedNamespaces.start();
  return problems.length === 0;
}

/** Every invoker hears of all changes: it is in a group of its own. */
async function followChanges(
  kafka: KafkaBus,
  stores: CouchStores,
  { topicPrefix, topics }: ClusterSettings["kafka"],
  name: string,
  observer: Observer,
): Promise<void> {
  const topic = `${topicPrefix}cacheInvalidation`;
  try {
    await kafka.ensureTopic(topic, topics.cacheInvalidation);
  } catch (error) {
    // Stock's invokers never ask for it: messages name the revision, and the cache goes by that.
    const fields = { event: "changes-unheard", topic, reason: reasonOf(error) };
    observer.noted("warn", fields, "changed actions stay in the cache until they are asked for by revision");
    return;
  }
  const forget = (message: string): void => {
    const id = invalidatedId(message);
    if (id !== undefined) stores.actions.invalidate(id);
  };
  kafka.subscribe(topic, forget, { group: `${topic}${name}` });
}
