// Starting: one clear message for everything that stands in the way, and keys that only their owner can read.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { projectFolder, readConfigFile } from "../../../invoker/config/entries.ts";
import { readManifest } from "../../../invoker/manifest.ts";
import { requireContainers, stemCellsFor } from "../../../standalone/alone.ts";
import { bannerLines, clusterBannerLines, urlOf } from "../../../standalone/banner.ts";
import { invokerEnvironment } from "../../../standalone/cluster/machine.ts";
import { StartError } from "../../../standalone/errors.ts";
import { listen } from "../../../standalone/listener.ts";
import { localManifest, type ManifestTemplate } from "../../../standalone/local-manifest.ts";
import { readManifest as readControllers } from "../../../standalone/manifest.ts";
import { openDatabases } from "../../../standalone/store/databases.ts";
import { watchUrl } from "../../../standalone/watch.ts";
import { startTestServer } from "./server.ts";

async function messageOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    expect(error).to.be.instanceOf(StartError);
    return (error as Error).message;
  }
  throw new Error("it started");
}

describe("containers made ahead on one machine", () => {
  it("take half of the memory, one of each kind in turn and then a second one: no kind is left without for another's sake", () => {
    const kinds = ["nodejs:20", "python:3", "ruby:3"];
    const counts = (userMemoryMB: number): readonly string[] =>
      stemCellsFor(kinds, { userMemoryMB, memoryMB: 256 }).map(({ kind, count }) => `${count} ${kind}`);
    expect(counts(511)).to.deep.equal([]);
    expect(counts(512)).to.deep.equal(["1 nodejs:20"]);
    expect(counts(1024)).to.deep.equal(["1 nodejs:20", "1 python:3"]);
    expect(counts(2048)).to.deep.equal(["2 nodejs:20", "1 python:3", "1 ruby:3"]);
    expect(counts(8192)).to.deep.equal(["2 nodejs:20", "2 python:3", "2 ruby:3"]);
    expect(stemCellsFor([], { userMemoryMB: 8192, memoryMB: 256 })).to.deep.equal([]);
  });
});

describe("starting", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-start-"));
  });
  afterEach(() => {
    chmodSync(folder, 0o700);
    rmSync(folder, { recursive: true, force: true });
  });

  it("on a data folder that another server uses is refused, and possible once that has ended", async () => {
    const first = await openDatabases(folder);
    expect(await messageOf(openDatabases(folder))).to.match(/in use by another rewhisk.*--data-dir/);
    await first.close();
    await (await openDatabases(folder)).close();
  });

  it("on a data folder that another process uses is refused, and possible once that was killed", async () => {
    const module = join(import.meta.dirname, "..", "..", "..", "standalone", "store", "databases.js");
    const script = `import(${JSON.stringify(module)}).then((m) => m.openDatabases(${JSON.stringify(folder)})).then(() => console.log("open")); setInterval(() => {}, 1000)`;
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "close");
    await once(child.stdout, "data");
    expect(await messageOf(openDatabases(folder))).to.match(/in use by another rewhisk/);
    child.kill("SIGKILL");
    await ended;
    await (await openDatabases(folder)).close();
  });

  it("on a data folder that is a file, or cannot be made, is refused", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    expect(await messageOf(openDatabases(file))).to.match(/is not a folder.*--data-dir/);
    expect(await messageOf(openDatabases(join(file, "below")))).to.match(/is not a folder/);
    expect(await messageOf(openDatabases("/proc/rewhisk"))).to.match(
      /\/proc\/rewhisk.*(cannot be written|cannot be opened)/,
    );
  });

  it("on a full disk is refused", async function () {
    // A small memory file system stands for the disk; mounting it takes root.
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]);
    if (mounted.status !== 0) {
      console.log(`      skipped: mounting is not permitted here (${mounted.stderr?.toString().trim()})`);
      this.skip();
    }
    try {
      expect(await messageOf(openDatabases(folder))).to.match(/is full.*--data-dir/);
    } finally {
      spawnSync("umount", ["--lazy", folder]);
    }
  });

  it("on a port that is taken is refused", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    expect(await messageOf(listen(port, "127.0.0.1"))).to.match(
      new RegExp(`Port ${port} .* is taken.*--port`),
    );
    await new Promise((resolve) => other.close(resolve));
    expect(await messageOf(listen(0, "203.0.113.1"))).to.match(/no address of this machine.*--host/);
  });

  it("answers 503 until it is ready", async () => {
    const listener = await listen(0, "127.0.0.1");
    const url = `http://127.0.0.1:${listener.port}/ping`;
    expect((await fetch(url)).status).to.equal(503);
    listener.handle((_request, response) => response.end("pong"));
    expect(await (await fetch(url)).text()).to.equal("pong");
    await listener.close();
  });

  it("makes random keys once, readable by their owner alone", async () => {
    const server = await startTestServer({ folder });
    const file = join(folder, "auth.guest");
    expect(readFileSync(file, "utf8").trim()).to.equal(server.keyOf("guest"));
    expect(server.keyOf("guest")).to.match(/^[0-9a-f-]{36}:[A-Za-z0-9]{64}$/);
    expect(server.keyOf("whisk.system")).to.not.equal(server.keyOf("guest"));
    for (const path of [file, join(folder, "auth.whisk.system")]) {
      expect(statSync(path).mode & 0o777).to.equal(0o600);
    }
    expect(statSync(folder).mode & 0o777).to.equal(0o700);
    await server.stop({ keep: true });
  });

  it("takes over a key that was put there before", async () => {
    const key = `11111111-2222-4333-8444-555555555555:${"k".repeat(64)}`;
    writeFileSync(join(folder, "auth.guest"), `${key}\n`);
    const server = await startTestServer({ folder });
    expect((await server.send("GET", "/api/v1/namespaces", undefined, { auth: key })).body).to.deep.equal([
      "guest",
    ]);
    await server.stop({ keep: true });
  });

  it("says what is offered, with lines that can be pasted", () => {
    const lines = bannerLines({
      version: "0.1.0",
      interpreters: [{ kind: "nodejs:20", family: "nodejs", version: "20.20.2", path: "/usr/bin/node" }],
      probe: {
        ...{ rung: "soft-dirty", obstacles: [] },
        rungs: [{ rung: "soft-dirty", proven: true, why: "", rewindUs: 321 }],
      },
      userMemoryMB: 2048,
      rewind: "on-change",
      dataFolder: "/data",
      url: urlOf("0.0.0.0", 3233),
      auth: "uuid:key",
      watchUrl: watchUrl({ host: "0.0.0.0", port: 3234, auth: "uuid:key" }),
    }).join("\n");
    expect(lines).to.match(/^ {2}watch {6}http:\/\/uuid:key@127\.0\.0\.1:3234\/ui$/m);
    expect(lines).to.match(/nodejs:20 \(20\.20\.2\)/);
    expect(lines).to.match(/when a container changes hands; soft-dirty, a rewind took 321 us/);
    expect(lines).to.match(/wsk property set --apihost http:\/\/127\.0\.0\.1:3233 --auth uuid:key$/m);
    expect(lines).to.match(
      /curl -s -u uuid:key .*'http:\/\/127\.0\.0\.1:3233\/api\/v1\/namespaces\/whisk\.system\//,
    );
  });

  it("says of a controller where the rest is, and leaves keys that are not its own to whoever has them", () => {
    const facts = {
      ...{ version: "0.1.0", kinds: ["nodejs:20"], kafkaHosts: "k:9092", database: "http://c:5984, whisk_…" },
      ...{ dataFolder: "/data", url: "http://127.0.0.1:3233" },
    };
    const own = clusterBannerLines({ ...facts, auth: "uuid:key" }).join("\n");
    expect(own)
      .to.match(/k:9092/)
      .and.to.match(/http:\/\/c:5984/)
      .and.to.match(/curl -s -u uuid:key/);
    const others = clusterBannerLines({ ...facts, auth: undefined }).join("\n");
    expect(others)
      .to.match(/--auth UUID:KEY$/m)
      .and.to.not.match(/curl/);
  });
});

describe("the invoker of a cluster on this machine", () => {
  it("gets what OpenWhisk's playbooks give one", async () => {
    const template = readConfigFile("runtimes.template.json") as ManifestTemplate;
    const libraries = "python:3=numpy";
    const options = {
      userMemoryMB: 1024,
      concurrencyMax: 2,
      rewind: "on-change",
      boots: true,
      libraries,
    } as const;
    const environment = await invokerEnvironment(options, {
      ...{ folder: "/data/cluster", kafkaHosts: "127.0.0.1:9092", databasePort: 5984, password: "secret" },
      ...{ apiUrl: "http://127.0.0.1:3233", manifest: localManifest(template, ["nodejs:20", "python:3"]) },
    });
    const { RUNTIMES_MANIFEST, PORT, ...rest } = environment;
    expect(rest).to.deep.equal({
      KAFKA_HOSTS: "127.0.0.1:9092",
      WHISK_API_HOST_PROTO: "http",
      WHISK_API_HOST_NAME: "127.0.0.1",
      WHISK_API_HOST_PORT: "3233",
      CONFIG_whisk_couchdb_protocol: "http",
      CONFIG_whisk_couchdb_host: "127.0.0.1",
      CONFIG_whisk_couchdb_port: "5984",
      CONFIG_whisk_couchdb_username: "whisk",
      CONFIG_whisk_couchdb_password: "secret",
      CONFIG_whisk_couchdb_provider: "CouchDB",
      CONFIG_whisk_couchdb_databases_WhiskAuth: "whisk_local_subjects",
      CONFIG_whisk_couchdb_databases_WhiskEntity: "whisk_local_whisks",
      CONFIG_whisk_couchdb_databases_WhiskActivation: "whisk_local_activations",
      CONFIG_whisk_containerPool_userMemory: "1024m",
      CONFIG_whisk_concurrencyLimit_max: "2",
      CONFIG_whisk_containerFactory_containerArgs_extraEnvVars_0: "__OW_ALLOW_CONCURRENT=true",
      CONFIG_rewhisk_rewind: "on-change",
      CONFIG_rewhisk_boots: "true",
      CONFIG_rewhisk_libraries: "python:3=numpy",
      CONFIG_rewhisk_spool_folder: "/data/cluster",
      CONFIG_rewhisk_network: "none",
      CONFIG_whisk_spi_InvokerProvider: "org.apache.openwhisk.core.invoker.InvokerReactive",
      CONFIG_whisk_spi_InvokerServerProvider: "org.apache.openwhisk.core.invoker.DefaultInvokerServer",
    });
    expect(Number(PORT)).to.be.above(0);
    const content = readManifest(String(RUNTIMES_MANIFEST));
    const { nodejs = [] } = "families" in content ? content.families : {};
    expect(nodejs.find((runtime) => runtime.default)).to.deep.include({
      kind: "nodejs:20",
      stemCells: [{ count: 2, memoryMB: 256 }],
    });
    expect(nodejs.find(({ kind }) => kind === "nodejs:10")?.stemCells).to.deep.equal([]);
  });

  it("gets the operator's manifest as it is written", async () => {
    const stemCells = '[{"initialCount": 2, "memory": "256 MB"}]';
    const image = '{"prefix": "openwhisk", "name": "action-nodejs-v20", "tag": "nightly"}';
    const manifestText = `{"runtimes": {"nodejs": [{"kind": "nodejs:20", "default": true, "image": ${image}, "stemCells": ${stemCells}}]}}`;
    const { RUNTIMES_MANIFEST } = await invokerEnvironment(
      { userMemoryMB: 1024, concurrencyMax: 1, rewind: "always" },
      {
        ...{ folder: "/data/cluster", kafkaHosts: "127.0.0.1:9092", databasePort: 5984, password: "secret" },
        ...{ apiUrl: "http://127.0.0.1:3233", manifest: readControllers(manifestText, "file"), manifestText },
      },
    );
    expect(RUNTIMES_MANIFEST).to.equal(manifestText);
  });
});

describe("npm start", () => {
  const scripts = join(projectFolder(), "standalone");

  it("explains itself without any set-up", () => {
    const { status, stdout } = spawnSync(process.execPath, [join(scripts, "start.mjs"), "--help"], {
      encoding: "utf8",
    });
    expect(status).to.equal(0);
    for (const option of ["--port", "--host", "--data-dir", "--user-memory", "--kinds", "--help"]) {
      expect(stdout).to.include(option);
    }
  });

  it("names each thing that it cannot install, with the remedy", () => {
    const script = `
      import { ensureSystemPackages } from ${JSON.stringify(join(scripts, "setup.mjs"))};
      const needs = ["one", "two"].map((what) => ({ what, debianPackage: "lib" + what, isThere: () => false }));
      await ensureSystemPackages(console.log, needs).catch((error) => console.log(error.problems.join("\\n")));`;
    // Where nothing is found in PATH there is no apt-get.
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
      env: { PATH: "/var/empty" },
    });
    const remedy = (name: string): string =>
      `Remedy: install it with this system's package manager (on Debian it is lib${name})`;
    expect(stdout.split("\n").slice(0, 2)).to.deep.equal([
      `Missing: one. ${remedy("one")}`,
      `Missing: two. ${remedy("two")}`,
    ]);
  });

  it("without privileges says which, and ends with 2", () => {
    const start = [process.execPath, join(scripts, "start.mjs")];
    const isRoot = process.getuid?.() === 0;
    const [command = "", ...args] = [
      ...(isRoot ? ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] : []),
      ...start,
    ];
    const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
    expect(stderr).to.match(/^Missing: CAP_\w+(, CAP_\w+)*\. Remedy: start rewhisk as root/);
    expect(status).to.equal(2);
  });
});

describe("a start after which no container is clean", () => {
  const placed = { id: 1, kind: "python:3", memoryMB: 256, owner: undefined, lastUsed: 0 };

  it("ends with a message", () => {
    for (const containers of [[], [{ ...placed, state: "starting" } as const]]) {
      expect(() => requireContainers({ pool: { containers } })).to.throw(StartError, "No container");
    }
  });

  it("goes on where one is", () => {
    requireContainers({ pool: { containers: [{ ...placed, state: "clean" }] } });
  });
});
