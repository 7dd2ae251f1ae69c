// Run as a program it archives the classes of the cluster's servers, each in a short life: what is started often starts faster then.

import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { archiveOf, archivingVariable } from "./java.ts";
import { startKafka } from "./kafka.ts";
import { startZooKeeper } from "./zookeeper.ts";

process.env[archivingVariable] = "1";
const folder = mkdtempSync(join(tmpdir(), "rewhisk-classes-"));
try {
  const starting = [
    startKafka({ folder: join(folder, "kafka") }),
    startZooKeeper({ folder: join(folder, "zookeeper") }),
  ];
  for (const server of await Promise.all(starting)) await server.stop();
} finally {
  rmSync(folder, { recursive: true });
}
const programs = [
  "kafka.tools.StorageTool",
  "org.apache.zookeeper.server.ZooKeeperServerMain",
  "kafka.Kafka",
];
for (const archive of programs.map(archiveOf)) renameSync(`${archive}.part`, archive);
