// Containers of an image, run by a real Docker: what they are given, what they print, how they end, who has them next.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import Docker from "dockerode";
import { defaultEngineTimeouts } from "../../pool/docker/engine.ts";
import { createDockerFactory, type DockerFactoryOptions } from "../../pool/docker/factory.ts";
import { type ImageFactory, systemClock } from "../../pool/machine.ts";
import { Pool } from "../../pool/pool.ts";
import type { Timed } from "../../pool/proxy/exchange.ts";
import {
  type CollectedLogs,
  defaultPoolSettings,
  type Job,
  type Lease,
  PoolError,
  type PoolSettings,
  type StartKind,
} from "../../pool/types.ts";
import { type DockerDaemon, startDocker } from "../../standalone/cluster/docker.ts";
import { suspend } from "../suspend.ts";
import { FakeMachine } from "../unit/pool/fake-machine.ts";
import { within } from "../within.ts";
import { importImage } from "./image.ts";

const limitMs = 120_000;
const limits = { timeoutMs: 20_000, maxBodyBytes: 1_000_000, keptBodyBytes: 1_000_000 };
/** Nobody listens there: pulling fails at once. */
const repository = "127.0.0.1:9/test/actions";
const image = { name: `${repository}:1`, pull: false, sentinelled: true };
const prefix = "wsktest0";

interface Told {
  readonly start: StartKind;
  readonly init: Timed | undefined;
  readonly run: Timed | undefined;
  readonly logs: CollectedLogs;
}

describe("containers of an image, in Docker", function () {
  this.timeout(limitMs);
  let daemon: DockerDaemon;
  let docker: Docker;
  const pools: Pool[] = [];
  const factories: ImageFactory[] = [];
  const reasons: string[] = [];

  before(async () => {
    daemon = await startDocker(mkdtempSync(join(tmpdir(), "rewhisk-dockerd-")));
    docker = new Docker({ socketPath: daemon.socketPath, host: "" });
    await importImage(daemon.socketPath, repository, ["1", "latest"]);
  });

  after(() => daemon.stop());

  afterEach(async () => {
    for (const pool of pools.splice(0)) await pool.close();
    for (const factory of factories.splice(0)) await factory.close();
    reasons.length = 0;
    await within(60_000, async () => (await docker.listContainers({ all: true })).length === 0 || undefined);
  });

  function factoryOptions(changed: Partial<DockerFactoryOptions> = {}): DockerFactoryOptions {
    return {
      ...{ network: "bridge", dnsServers: ["10.9.8.7"], dnsSearch: [], dnsOptions: [], extraArgs: {} },
      ...{ environment: { __OW_API_HOST: "https://example" }, userMemoryMB: 1024, collectsLogs: true },
      ...{ namePrefix: prefix, parallelRuns: 10, pauseGraceMs: 60_000, socketPath: daemon.socketPath },
      // On a busy machine lines and ends are late.
      ...{ newsMs: 60_000, clock: systemClock, ...changed },
    };
  }

  function opened(options: Partial<DockerFactoryOptions> = {}, settings: Partial<PoolSettings> = {}): Pool {
    const machine = new FakeMachine();
    machine.docker = createDockerFactory(factoryOptions(options));
    factories.push(machine.docker);
    const pool = new Pool(machine, { ...defaultPoolSettings, userMemoryMB: 1024, ...settings });
    pool.events.on("tainted", ({ reason }) => reasons.push(reason));
    pools.push(pool);
    return pool;
  }

  const job = (owner = "a", fields: Partial<Job> = {}): Job => ({
    ...{ kind: "blackbox", memoryMB: 128, owner, image, label: "guest_hello" },
    ...fields,
  });

  /** One activation of Python source, as the invoker does it. */
  async function activate(
    pool: Pool,
    source: string,
    { wanted = job(), runMs = limits.timeoutMs }: { wanted?: Job; runMs?: number } = {},
  ): Promise<Told> {
    const lease = await pool.lease(wanted);
    lease.keepLogs(1_000_000);
    const env = { __OW_NAMESPACE: "guest" };
    const frame = { name: "hello", main: "main", binary: false, env, code: Buffer.from(source) };
    const init = lease.initialised ? undefined : await lease.init(frame, limits);
    const isLoaded = init === undefined || statusOf(init) === 200;
    const run = isLoaded ? await lease.run('{"value":{"n":1}}', { ...limits, timeoutMs: runMs }) : undefined;
    const isWell = statusOf(run) === 200;
    const logs = await lease.collectLogs(isWell);
    await lease.release(isWell);
    return { start: lease.start, init, run, logs };
  }

  const statusOf = (timed: Timed | undefined): number | undefined =>
    timed?.exchange.outcome === "answer" ? timed.exchange.status : undefined;
  const resultOf = (timed: Timed | undefined): unknown =>
    timed?.exchange.outcome === "answer" ? JSON.parse(timed.exchange.body) : timed?.exchange;

  const counter = "n = 0\ndef main(args):\n  global n\n  n += 1\n  print('count', n)\n  return {'n': n}";

  it("are made with stock's options, initialised, run, and kept with their state", async () => {
    const pool = opened();
    const first = await activate(pool, counter);
    expect([first.start, resultOf(first.init), resultOf(first.run)]).to.deep.equal([
      ...["cold", { ok: true }, { n: 1 }],
    ]);
    const [listed] = await docker.listContainers();
    expect(listed?.Names).to.deep.equal([`/${prefix}_1_guest_hello`]);
    const { Config, HostConfig } = await docker.getContainer(listed?.Id ?? "").inspect();
    expect(Config.Env).to.include("__OW_API_HOST=https://example");
    const megabytes128 = 128 * 1024 * 1024;
    expect(HostConfig).to.deep.include({
      ...{ CpuShares: 128, Memory: megabytes128, MemorySwap: megabytes128, PidsLimit: 1024 },
      ...{ CapDrop: ["NET_RAW", "NET_ADMIN"], Dns: ["10.9.8.7"], NetworkMode: "bridge" },
      Ulimits: [{ Name: "nofile", Soft: 1024, Hard: 1024 }],
      LogConfig: { Type: "json-file", Config: {} },
    });
    const second = await activate(pool, counter);
    expect([second.start, second.init, resultOf(second.run)]).to.deep.equal(["warm", undefined, { n: 2 }]);
  });

  it("see their environment and arguments", async () => {
    const source =
      "import os\ndef main(args):\n  return {'args': args, 'env': [os.environ[k] for k in ('__OW_API_HOST', '__OW_NAMESPACE')]}";
    const { run } = await activate(opened(), source);
    expect(resultOf(run)).to.deep.equal({ args: { n: 1 }, env: ["https://example", "guest"] });
  });

  it("have each activation's lines from both streams, with Docker's times, without the sentinels", async () => {
    const source =
      "import sys\ndef main(args):\n  print('out é')\n  print('err', file=sys.stderr)\n  sys.stdout.write('end')\n  return {}";
    const pool = opened();
    for (let activation = 0; activation < 3; activation++) {
      const { logs } = await activate(pool, source);
      expect(logs.truncated).to.equal(false);
      const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z *$/;
      for (const line of logs.lines) expect(line.slice(0, 30)).to.match(time);
      expect(logs.lines.map((line) => line.slice(30))).to.have.members([
        ...[" stdout: out é", " stderr: err", " stdout: end"],
      ]);
    }
    expect(reasons).to.deep.equal([]);
  });

  it("have the lines of an init that failed, as far as Docker has written them", async () => {
    const pool = opened();
    await within(60_000, async () => {
      const { init, run, logs } = await activate(pool, "raise ValueError('no')");
      expect([statusOf(init), resultOf(init), run]).to.deep.equal([502, { error: "no" }, undefined]);
      return logs.lines.some((line) => line.endsWith(" stderr: ValueError: no")) || undefined;
    });
  });

  it("have the lines of an image without sentinels", async () => {
    const plain = job("a", { image: { ...image, sentinelled: false } });
    const pool = opened();
    await activate(pool, counter, { wanted: plain });
    const { logs } = await activate(pool, counter, { wanted: plain });
    expect(reasons).to.deep.equal([]);
    expect(logs.lines.length).to.be.at.most(2);
  });

  it("are ended with their activation's time, and replaced", async () => {
    const pool = opened();
    const source = "import time\ndef main(args):\n  time.sleep(60)";
    const { run } = await activate(pool, source, { runMs: 300 });
    expect(run?.exchange.outcome).to.equal("timeout");
    expect((await activate(pool, counter)).start).to.equal("cold");
  });

  it("are found dead after an exit, with its code", async () => {
    const { run } = await activate(opened(), "import os\ndef main(args):\n  os._exit(3)");
    const exit = { cause: "exit", status: 3, oomKilled: false, message: "" };
    expect(run?.exchange).to.deep.equal({ outcome: "gone", exit, oomKilled: false });
    expect(reasons).to.deep.equal(["process-gone"]);
  });

  it("are known to have exhausted their memory", async () => {
    const eater = "def main(args):\n  return {'n': len(bytearray(b'x') * 400_000_000)}";
    const { run } = await activate(opened(), eater);
    expect(run?.exchange).to.deep.include({ outcome: "gone", oomKilled: true });
  });

  it("are paused while nobody needs them, and go on where they were", async () => {
    const pool = opened({ pauseGraceMs: 0 });
    await activate(pool, counter);
    await within(60_000, async () => {
      const [listed] = await docker.listContainers();
      return listed?.State === "paused" || undefined;
    });
    const { start, run } = await activate(pool, counter);
    expect([start, resultOf(run)]).to.deep.equal(["warm", { n: 2 }]);
  });

  it("are replaced when they have died in their sleep: the job is told that it may go elsewhere", async () => {
    const pool = opened();
    await activate(pool, counter);
    const [listed] = await docker.listContainers();
    await docker.getContainer(listed?.Id ?? "").kill();
    const lease = await pool.lease(job());
    expect((await lease.run("{}", limits)).exchange).to.deep.equal({ outcome: "unavailable" });
    await lease.release(false);
    expect((await activate(pool, counter)).start).to.equal("cold");
  });

  it("are made ahead, and go to whoever comes first", async () => {
    const cell = { kind: "blackbox", memoryMB: 128, count: 1, image };
    const pool = opened({}, { stemCells: [cell] });
    await pool.settled();
    const { start, run } = await activate(pool, counter);
    expect([start, resultOf(run)]).to.deep.equal(["clean", { n: 1 }]);
    await pool.settled();
    expect((await docker.listContainers()).length).to.equal(2);
  });

  it("tell what is wrong with an image", async () => {
    const codeFor = async (pool: Pool, wanted: Job): Promise<unknown> => {
      const error: unknown = await pool.lease(wanted).catch((reason: unknown) => reason);
      return error instanceof PoolError ? error.code : error;
    };
    const users = (tag: string) => ({ name: `${repository}:${tag}`, pull: true, sentinelled: true });
    const pool = opened();
    expect(await codeFor(pool, job("a", { image: users("latest") })), "the newest cannot be had").to.equal(
      "pull-failed",
    );
    expect(await codeFor(pool, job("a", { image: users("2") })), "not even here").to.equal("pull-failed");
    const tagged = job("a", { image: users("1") });
    expect((await activate(pool, counter, { wanted: tagged })).start, "the tag is here").to.equal("cold");
    const managed = { ...users("2"), pull: false };
    expect(await codeFor(pool, job("a", { image: managed }))).to.equal("cannot-create");
    const noProgram = opened({ namePrefix: "wsktest1", extraArgs: { entrypoint: ["/none"] } });
    expect(await codeFor(noProgram, job())).to.equal("no-executable");
    const noNetwork = opened({ namePrefix: "wsktest2", network: "none" });
    expect(await codeFor(noNetwork, job())).to.equal("cannot-create");
  });

  it("of a former life are removed, paused ones too, and nobody else's", async () => {
    const former = createDockerFactory(factoryOptions({ pauseGraceMs: 0 }));
    const order = { kind: "blackbox", memoryMB: 128, image, label: "x" };
    await former.create(order);
    const second = await former.create(order);
    await docker.getContainer(second.id).pause();
    const other = createDockerFactory(factoryOptions({ namePrefix: `${prefix}0` }));
    await other.create(order);
    await createDockerFactory(factoryOptions()).removeLeftovers();
    const left = (await docker.listContainers({ all: true })).map(({ Names }) => Names[0]);
    expect(left).to.deep.equal([`/${prefix}0_1_x`]);
    await other.close();
  });

  it("are not waited for while Docker hangs: lean ones are made, and Docker's again when it goes on", async () => {
    const timeouts = { ...defaultEngineTimeouts, listMs: 500, runMs: 500 };
    const pool = opened({ timeouts });
    await suspend(daemon.pid);
    try {
      const refused = pool.lease(job()).catch((error: unknown) => error);
      const lean = await pool.lease({ kind: "nodejs:20", memoryMB: 128, owner: "n" });
      await lean.release(true);
      expect(await refused).to.be.instanceOf(PoolError);
    } finally {
      process.kill(daemon.pid, "SIGCONT");
    }
    const patient = opened({ namePrefix: "wsktest3" });
    expect(resultOf((await activate(patient, counter)).run)).to.deep.equal({ n: 1 });
  });

  it("hold no memory that lean ones need while Docker hangs, and no more than there is when it goes on", async () => {
    const pool = opened();
    await activate(pool, counter);
    let mostMB = 0;
    pool.events.on("changed", () => {
      mostMB = Math.max(mostMB, pool.status().reservedMB);
    });
    await suspend(daemon.pid);
    let waiting: Promise<Lease>[];
    let lean: Lease;
    try {
      waiting = ["b", "c", "d"].map((owner) => pool.lease(job(owner, { memoryMB: 256 })));
      lean = await pool.lease({ kind: "nodejs:20", memoryMB: 512, owner: "n" });
      const refused: unknown = await pool.lease(job("e")).catch((error: unknown) => error);
      expect(refused).to.be.instanceOf(PoolError).and.include({ code: "cannot-create" });
    } finally {
      process.kill(daemon.pid, "SIGCONT");
    }
    await Promise.race(waiting);
    await lean.release(true);
    for (const lease of await Promise.all(waiting)) await lease.release(true);
    expect(mostMB).to.be.at.most(1024);
  });

  it("are made anew when Docker was killed and has come back", async () => {
    const pool = opened();
    await activate(pool, counter);
    await daemon.kill();
    const refused: unknown = await pool.lease(job("b")).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(PoolError);
    // Without its lines, which a daemon that is not there does not write.
    const goesOn = await pool.lease(job());
    expect(resultOf(await goesOn.run('{"value":{}}', limits)), "what runs goes on").to.deep.equal({ n: 2 });
    await goesOn.release(true);
    await daemon.restart();
    const dead = await pool.lease(job());
    expect((await dead.run("{}", limits)).exchange).to.deep.equal({ outcome: "unavailable" });
    await dead.release(false);
    expect((await activate(pool, counter)).start).to.equal("cold");
  });
});
