// A real ZooKeeper server on this machine, from Kafka's jars.

import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { freePort, type JavaServer, startJava } from "./java.ts";

export interface ZooKeeperOptions {
  /** Keeps the server's settings and data: started again with the same folder, it is the same server on the same port. */
  readonly folder: string;
  /** A free one by default. */
  readonly port?: number;
}

export interface ZooKeeper extends JavaServer {
  /** `host:port` for clients. */
  readonly bootstrap: string;
}

const host = "127.0.0.1";
const answerPatienceMs = 1_000;

/** Resolves when it answers. Throws ClusterStartError. */
export async function startZooKeeper({ folder, port }: ZooKeeperOptions): Promise<ZooKeeper> {
  const file = join(folder, "zoo.cfg");
  mkdirSync(folder, { recursive: true });
  if (!existsSync(file)) {
    const clientPort = port ?? (await freePort());
    const settings = [
      ...["tickTime=500", `dataDir=${join(folder, "data")}`, `clientPort=${clientPort}`],
      ...[`clientPortAddress=${host}`, "admin.enableServer=false", "4lw.commands.whitelist=ruok,conf"],
    ];
    writeFileSync(file, `${settings.join("\n")}\n`);
  }
  const own = /^clientPort=(\d+)$/m.exec(readFileSync(file, "utf8"))?.[1] ?? "";
  const server = await startJava(
    "org.apache.zookeeper.server.ZooKeeperServerMain",
    [file],
    join(folder, "server.log"),
    async () => (await ask(Number(own), "conf")).includes(join(folder, "data")),
  );
  return { ...server, bootstrap: `${host}:${own}` };
}

/** The answer to one of ZooKeeper's four-letter words. */
async function ask(port: number, word: string): Promise<string> {
  const socket = connect({ host, port, timeout: answerPatienceMs });
  socket.on("timeout", () => socket.destroy(new Error("no answer")));
  await once(socket, "connect");
  socket.end(word);
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}
