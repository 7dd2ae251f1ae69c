// The cluster's invoker over the bus of one process: all but the bus is as there, its settings and the database too.

import { join } from "node:path";
import {
  couchDefaults,
  createLeanFactory,
  findInterpreters,
  openCouchStores,
  probe,
  projectFolder,
  readClusterSettings,
  startInvoker,
} from "../invoker/index.ts";
import { createBus } from "../standalone/bus.ts";
import { instanceName } from "../test/system/instance.ts";
import { Caller, fromController } from "./caller.ts";
import type { ClusterMachine } from "./cluster-machine.ts";

const memoryMB = 256;
const graceMs = 5000;

/** With one container of this kind. */
export async function startInProcess(
  { environment, kafka }: ClusterMachine,
  kind: string,
): Promise<{ readonly caller: Caller; readonly stop: () => Promise<void> }> {
  const { settings } = readClusterSettings(environment);
  const { couchdb, invoker: own } = settings;
  const bus = createBus((topic, error) => console.error(topic, error));
  const spool = { ...couchdb.spool, folder: join(kafka.folder, "in-process", kind) };
  const stores = await openCouchStores(
    { ...couchDefaults, ...couchdb, spool },
    () => ({ attached: true, requireMain: false }),
    (event) => console.error(event),
  );
  const factory = createLeanFactory({
    ...{ instance: instanceName("cluster-in-process"), interpreters: await findInterpreters() },
    ...{ environment: settings.docker.environment, scratchMB: 256, network: settings.network },
    launcher: join(projectFolder(), "build", "native", "lean"),
  });
  const pool = { ...own.pool, userMemoryMB: memoryMB, stemCells: [{ kind, count: 1, memoryMB }] };
  const invoker = await startInvoker({
    ...{ bus, actions: stores.actions, activations: stores.activations, factory, probe: await probe() },
    settings: { ...own, pool, logLevel: "warn" },
  });
  await invoker.ready;
  const caller = new Caller((topic, message) => bus.send(topic, message));
  bus.subscribe(`completed${fromController}`, (message) => caller.heard(message));
  return {
    caller,
    async stop() {
      await invoker.drain(graceMs);
      await stores.close(graceMs);
    },
  };
}
