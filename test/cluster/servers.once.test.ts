// The cluster's own servers as this project starts them: ready when they say so, the same after a kill, gone with their parent.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ClusterStartError, freePort } from "../../standalone/cluster/java.ts";
import { startKafka } from "../../standalone/cluster/kafka.ts";
import { startZooKeeper } from "../../standalone/cluster/zookeeper.ts";
import { within } from "../within.ts";

const patienceMs = 60_000;
const zookeeper = new URL("../../standalone/cluster/zookeeper.js", import.meta.url).href;

describe("a server of the cluster", function () {
  this.timeout(120_000);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-servers-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("ZooKeeper comes back on its port after it was killed, and stops", async () => {
    const first = await startZooKeeper({ folder });
    await first.kill("SIGKILL");
    const second = await startZooKeeper({ folder });
    expect(second.bootstrap).to.equal(first.bootstrap);
    expect(existsSync(`/proc/${first.pid}`)).to.equal(false);
    await second.stop();
    expect(existsSync(`/proc/${second.pid}`)).to.equal(false);
  });

  it("ends with the process that started it, however that ends", async () => {
    const program = `const { startZooKeeper } = await import("${zookeeper}");
      console.log((await startZooKeeper({ folder: "${folder}" })).pid);`;
    const parent = spawn(process.execPath, ["--input-type=module", "--eval", program]);
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(String(line));
    expect(readFileSync(`/proc/${pid}/cmdline`, "utf8")).to.contain("ZooKeeperServerMain");
    parent.kill("SIGKILL");
    await within(patienceMs, () => !existsSync(`/proc/${pid}`) || undefined);
  });

  it("has a port that nobody is given meanwhile who asks the kernel for any", async () => {
    const [first = 0, last = 0] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8")
      .split("\t")
      .map(Number);
    const ports = await Promise.all(Array.from({ length: 50 }, freePort));
    expect(ports.filter((port) => port >= first && port <= last)).to.deep.equal([]);
  });

  it("a broker that cannot have its port says so", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const error = await startKafka({ folder, port }).catch((caught: unknown) => caught);
    taken.close();
    expect(error).to.be.instanceOf(ClusterStartError);
    expect((error as Error).message).to.match(/in use|bind/i);
  });
});
