// A pool of Docker containers, against a scripted Docker and a scripted action proxy: whose a container is, and for how long.

import { writeFileSync } from "node:fs";
import { expect } from "chai";
import { defaultEngineTimeouts } from "../../../../pool/docker/engine.ts";
import { createDockerFactory, type DockerFactoryOptions } from "../../../../pool/docker/factory.ts";
import { sentinel } from "../../../../pool/log-lines.ts";
import { systemClock } from "../../../../pool/machine.ts";
import { Pool } from "../../../../pool/pool.ts";
import {
  defaultPoolSettings,
  type InitFrame,
  type Job,
  type Lease,
  PoolError,
  type PoolSettings,
} from "../../../../pool/types.ts";
import { holdsWithin } from "../../../within.ts";
import { FakeMachine } from "../fake-machine.ts";
import { type Say, ScriptedDocker, type Verb } from "./scripted-docker.ts";
import { ScriptedServer, say } from "./scripted-server.ts";

const limits = { timeoutMs: 5000, maxBodyBytes: 1000, keptBodyBytes: 1000 };
const frame: InitFrame = { name: "a", main: "main", binary: false, env: {}, code: undefined };
const image = { name: "images/php:1", pull: false, sentinelled: true };
const job = (owner = "a", fields: Partial<Job> = {}): Job => ({
  ...{ kind: "php:8", memoryMB: 256, owner, image, label: "guest_hello" },
  ...fields,
});
const refused: Say = { status: 500, body: { message: "no" } };

describe("a pool of Docker containers", () => {
  let docker: ScriptedDocker;
  let proxy: ScriptedServer;
  let story: string[];
  /** Absent: nobody looks. */
  let memory: FakeMachine["memory"];
  const pools: Pool[] = [];

  beforeEach(async () => {
    docker = await ScriptedDocker.start();
    proxy = await ScriptedServer.start();
    story = [];
    memory = undefined;
  });

  afterEach(async () => {
    docker.script = () => undefined;
    for (const pool of pools.splice(0)) await pool.close();
    await proxy.stop();
    await docker.stop();
  });

  async function opened(
    settings: Partial<PoolSettings> = {},
    options: Partial<DockerFactoryOptions> = {},
    nowMs?: () => number,
  ): Promise<{ pool: Pool; machine: FakeMachine }> {
    const machine = new FakeMachine();
    machine.memory = memory;
    if (nowMs !== undefined) machine.clock = { nowMs };
    machine.docker = createDockerFactory({
      ...{ network: "bridge", dnsServers: [], dnsSearch: [], dnsOptions: [], extraArgs: {}, environment: {} },
      ...{ userMemoryMB: 1024, collectsLogs: true, namePrefix: "wsk00", parallelRuns: 10 },
      ...{ pauseGraceMs: 60_000, socketPath: docker.socketPath, port: proxy.endpoint.port },
      ...{ newsMs: 60_000, clock: systemClock },
      ...options,
    });
    const pool = new Pool(machine, { ...defaultPoolSettings, userMemoryMB: 1024, ...settings });
    pool.events.on("leased", ({ container, start }) => story.push(`${container} ${start}`));
    pool.events.on("tainted", ({ container, reason }) => story.push(`${container} tainted: ${reason}`));
    pool.events.on("removed", ({ container, cause }) => story.push(`${container} removed: ${cause}`));
    pools.push(pool);
    await pool.settled();
    return { pool, machine };
  }

  /** One activation as the invoker does it. */
  async function use(pool: Pool, wanted: Job, wellBehaved = true): Promise<Lease> {
    const lease = await pool.lease(wanted);
    if (!lease.initialised) await lease.init(frame, limits);
    await lease.run("{}", limits);
    await lease.release(wellBehaved);
    return lease;
  }

  const paths = (): string[] => proxy.asked.map(({ path }) => path);
  const refuse = (says: Partial<Record<Verb, Say>>): void => {
    docker.script = (verb) => says[verb];
  };

  it("keeps a container for its owner, and makes one for each owner", async () => {
    const { pool } = await opened();
    for (const owner of ["a", "a", "b", "a"]) await use(pool, job(owner));
    expect(story).to.deep.equal([
      ...["wsk00_1_guest_hello cold", "wsk00_1_guest_hello warm"],
      ...["wsk00_2_guest_hello cold", "wsk00_1_guest_hello warm"],
    ]);
    expect(paths()).to.deep.equal(["/init", "/run", "/run", "/init", "/run", "/run"]);
  });

  it("keeps it whatever the policy of rewinds, for there are none", async () => {
    const { pool } = await opened({ rewind: "always" });
    for (const rewind of ["always", "always"] as const) await use(pool, job("a", { rewind }));
    expect(story[1]).to.equal("wsk00_1_guest_hello warm");
  });

  it("uses it once where each activation is to have one that nobody has used, and makes the next ahead", async () => {
    const { pool } = await opened({ stemCells: [{ kind: "php:8", memoryMB: 256, count: 1, image }] });
    for (let i = 0; i < 3; i++) {
      await use(pool, job("a", { rewind: "fresh" }));
      await pool.settled();
    }
    expect(story).to.deep.equal(
      [1, 2, 3].flatMap((i) => [`wsk00_${i}_prewarm_php8 clean`, `wsk00_${i}_prewarm_php8 removed: spent`]),
    );
    const kept = await use(pool, job("b"));
    await pool.settled();
    const fresh = await use(pool, job("b", { rewind: "fresh" }));
    expect(fresh.containerId).to.not.equal(kept.containerId);
    expect(paths().filter((path) => path === "/init")).to.have.lengthOf(5);
  });

  it("removes a container whose activation ended badly", async () => {
    const { pool } = await opened();
    await use(pool, job(), false);
    await pool.settled();
    expect(story).to.deep.equal(["wsk00_1_guest_hello cold", "wsk00_1_guest_hello removed: spent"]);
    expect(docker.containers).to.deep.equal([]);
  });

  it("makes containers ahead, gives them to whoever comes first, and replaces them", async () => {
    const { pool } = await opened({ stemCells: [{ kind: "php:8", memoryMB: 256, count: 1, image }] });
    expect(docker.containers.map(({ name }) => name)).to.deep.equal(["wsk00_1_prewarm_php8"]);
    await use(pool, job());
    await pool.settled();
    expect(story).to.deep.equal(["wsk00_1_prewarm_php8 clean"]);
    expect(docker.containers.length).to.equal(2);
    await use(pool, job("b", { memoryMB: 512 }));
    expect(story[1], "not of that size").to.equal("wsk00_3_guest_hello cold");
  });

  it("makes as many ahead as the last cold starts call for, and gives up those that nobody has used", async () => {
    const reactive = { minCount: 1, maxCount: 3, ttlMs: 0, threshold: 1, increment: 1 };
    const cell = { kind: "php:8", memoryMB: 128, count: 1, image, reactive };
    const prewarmChecks = { firstAfterMs: 1000, everyMs: 1000, removedMax: 100 };
    const { pool } = await opened({ stemCells: [cell], prewarmChecks });
    const small = job("a", { memoryMB: 128 });
    const leases = await Promise.all([1, 2, 3].map(() => pool.lease(small)));
    expect(leases.map(({ start }) => start).sort()).to.deep.equal(["clean", "cold", "cold"]);
    const ahead = (): number => docker.containers.filter(({ name }) => name.includes("prewarm")).length;
    const taken = leases.filter(({ containerId }) => containerId.includes("prewarm")).length;
    expect(await holdsWithin(60_000, () => ahead() - taken === 2)).to.equal(true);
    expect(await holdsWithin(60_000, () => ahead() - taken === 1)).to.equal(true);
    await Promise.all(leases.map((lease) => lease.release(true)));
  });

  it("refills a reactive cell to its least number alone, once it has had the one it begins with", async () => {
    const reactive = { minCount: 1, maxCount: 3, ttlMs: 60_000, threshold: 1, increment: 1 };
    const { pool } = await opened({
      stemCells: [{ kind: "php:8", memoryMB: 128, count: 2, image, reactive }],
    });
    const made = (): number => docker.containers.length;
    expect(made(), "at the start").to.equal(2);
    await use(pool, job("a", { memoryMB: 128 }));
    await pool.settled();
    expect(made(), "one is left, and that is enough").to.equal(2);
    await use(pool, job("b", { memoryMB: 128 }));
    await pool.settled();
    expect(made(), "none was left").to.equal(3);
  });

  it("replaces one that is made ahead and ceases to listen, and leaves those alone that are in use", async () => {
    const { port } = proxy.endpoint;
    const stemCells = [{ kind: "php:8", memoryMB: 256, count: 1, image }];
    const { pool } = await opened({ stemCells }, { vigil: { everyMs: 20, failsMax: 3 }, port });
    const used = await pool.lease(job());
    await used.init(frame, limits);
    await pool.settled();
    expect(story).to.deep.equal(["wsk00_1_prewarm_php8 clean"]);
    await proxy.stop();
    const replaced = "wsk00_2_prewarm_php8 removed: tainted";
    expect(await holdsWithin(60_000, () => story.includes(replaced))).to.equal(true);
    expect(story).to.include("wsk00_2_prewarm_php8 tainted: process-gone");
    expect(story.some((line) => line.startsWith("wsk00_1") && line.includes("tainted"))).to.equal(false);
    await used.release(false);
  });

  it("makes those that never listen ahead less and less often", async () => {
    const { port } = proxy.endpoint;
    await proxy.stop();
    const stemCells = [{ kind: "php:8", memoryMB: 256, count: 1, image }];
    let nowMs = 1e6;
    const tick = (): number => (nowMs += 0.001);
    // Long enough for the second to stand as well before the first is lost.
    const vigil = { everyMs: 200, failsMax: 1 };
    const { pool } = await opened({ stemCells }, { vigil, port }, tick);
    const lost = (): number => story.filter((line) => line.endsWith("removed: tainted")).length;
    // The first is made good at once.
    for (const [waitMs, made] of [
      [0, 2],
      [200, 3],
      [400, 4],
    ] as const) {
      nowMs += waitMs;
      expect(await holdsWithin(60_000, () => lost() === made), `${made} are lost`).to.equal(true);
      await pool.settled();
      expect(docker.count("create"), "and not replaced").to.equal(made);
    }
  });

  it("gives one that has expired to whoever comes before the next check, as stock does", async () => {
    const reactive = { minCount: 1, maxCount: 1, ttlMs: 0, threshold: 1, increment: 1 };
    const { pool } = await opened({
      stemCells: [{ kind: "php:8", memoryMB: 256, count: 1, image, reactive }],
    });
    const [seat] = pool.status().containers;
    expect(await holdsWithin(60_000, () => systemClock.nowMs() - (seat?.lastUsed ?? 0) > 1)).to.equal(true);
    await use(pool, job());
    expect(story).to.deep.equal(["wsk00_1_prewarm_php8 clean"]);
  });

  it("shares its memory with lean containers: an idle one of either sort makes way for the other", async () => {
    const { pool, machine } = await opened({ userMemoryMB: 256 });
    await use(pool, job());
    await (await pool.lease({ kind: "nodejs:20", memoryMB: 256, owner: "n" })).release(true);
    expect(docker.containers).to.deep.equal([]);
    expect(machine.living.length).to.equal(1);
    await use(pool, job());
    expect([machine.living.length, docker.containers.length]).to.deep.equal([0, 1]);
    expect(pool.status().reservedMB).to.equal(256);
  });

  it("pauses an idle container after the grace time, and resumes it for its owner", async () => {
    const { pool } = await opened({}, { pauseGraceMs: 0 });
    await use(pool, job());
    expect(await holdsWithin(60_000, () => docker.containers[0]?.isPaused === true)).to.equal(true);
    const lease = await pool.lease(job());
    expect((await lease.run("{}", limits)).exchange.outcome).to.equal("answer");
    expect(docker.containers[0]?.isPaused).to.equal(false);
    await lease.release(true);
  });

  it("resumes a paused container before it removes it", async () => {
    const { pool } = await opened({}, { pauseGraceMs: 0 });
    await use(pool, job());
    await holdsWithin(60_000, () => docker.containers[0]?.isPaused === true);
    await pool.close();
    expect(docker.asked.slice(-2)).to.deep.equal([
      ...["unpause wsk00_1_guest_hello", "remove wsk00_1_guest_hello"],
    ]);
  });

  it("removes a container that cannot be paused", async () => {
    const { pool } = await opened({}, { pauseGraceMs: 0 });
    refuse({ pause: refused });
    await use(pool, job());
    expect(await holdsWithin(60_000, () => story.length === 3)).to.equal(true);
    expect(story.slice(1)).to.deep.equal([
      ...["wsk00_1_guest_hello tainted: engine", "wsk00_1_guest_hello removed: tainted"],
    ]);
  });

  it("sends a job elsewhere whose container cannot be resumed, has died, or is shutting down", async () => {
    const { pool } = await opened({}, { pauseGraceMs: 0 });
    const obstacles: readonly [() => unknown, () => unknown][] = [
      [() => refuse({ unpause: refused }), () => refuse({})],
      [() => proxy.stop(), async () => (proxy = await ScriptedServer.start(proxy.endpoint.port))],
      [() => (proxy.script = say(503, "")), () => (proxy.script = say(200, "{}"))],
    ];
    for (const [begin, end] of obstacles) {
      await use(pool, job());
      await holdsWithin(60_000, () => docker.containers.some(({ isPaused }) => isPaused));
      const lease = await pool.lease(job());
      await begin();
      expect((await lease.run("{}", limits)).exchange).to.deep.equal({ outcome: "unavailable" });
      await lease.release(false);
      await pool.settled();
      expect(docker.containers, "it is not offered again").to.deep.equal([]);
      await end();
    }
  });

  it("blames the action for a connection that is refused after init, or broken", async () => {
    const { pool } = await opened();
    docker.state = { Running: false, ExitCode: 3, OOMKilled: false };
    const dies = await pool.lease(job());
    await dies.init(frame, limits);
    await proxy.stop();
    const exit = { cause: "exit", status: 3, oomKilled: false, message: "" };
    expect((await dies.run("{}", limits)).exchange).to.deep.equal({
      outcome: "gone",
      exit,
      oomKilled: false,
    });
    await dies.release(false);
    proxy = await ScriptedServer.start(proxy.endpoint.port);
    await use(pool, job());
    proxy.script = (response) => response.socket?.destroy();
    const breaks = await pool.lease(job());
    expect((await breaks.run("{}", limits)).exchange.outcome).to.equal("gone");
    await breaks.release(false);
  });

  it("asks Docker for a while whether the memory was exhausted, and takes the end before that", async () => {
    const { pool } = await opened();
    proxy.script = (response) => response.socket?.destroy();
    const lease = await pool.lease(job());
    const asked = lease.init(frame, limits);
    await holdsWithin(60_000, () => docker.count("inspect") > 3);
    docker.state = { Running: false, ExitCode: 137, OOMKilled: true };
    const toldMs = systemClock.nowMs();
    const { exchange, endMs } = await asked;
    expect(exchange).to.deep.include({ outcome: "gone", oomKilled: true });
    expect(endMs).to.be.below(toldMs);
    await lease.release(false);
  });

  it("does not ask after an answer without a length, nor after a time-out", async () => {
    const { pool } = await opened();
    const lease = await pool.lease(job());
    const before = docker.count("inspect");
    proxy.script = (response) => {
      response.write("{");
      response.end("}");
    };
    expect((await lease.init(frame, limits)).exchange.outcome).to.equal("garbled");
    proxy.script = () => undefined;
    const { exchange } = await lease.init(frame, { ...limits, timeoutMs: 50 });
    expect(exchange.outcome).to.equal("timeout");
    expect(docker.count("inspect")).to.equal(before);
    await lease.release(false);
  });

  it("makes lean containers while Docker hangs, and gives up on Docker in its own time", async () => {
    refuse({ create: "nothing", remove: "nothing" });
    const timeouts = { ...defaultEngineTimeouts, runMs: 4000, removeMs: 4000 };
    const { pool } = await opened({ parallelStarts: 2 }, { timeouts });
    const refusals: string[] = [];
    const waiting = [1, 2, 3].map((n) =>
      pool.lease(job(`o${n}`, { memoryMB: 128 })).catch((error) => void refusals.push(String(error))),
    );
    const lean = await pool.lease({ kind: "nodejs:20", memoryMB: 256, owner: "n" });
    expect(refusals, "Docker hangs still").to.deep.equal([]);
    await lean.release(true);
    await Promise.all(waiting);
    expect(refusals.length).to.equal(3);
    for (const refusal of refusals) expect(refusal).to.contain("has not answered");
  });

  it("runs containers while it pulls images that take their time, and as many at once as it may", async () => {
    let come: () => void = () => undefined;
    const pulled = new Promise<void>((resolve) => {
      come = resolve;
    });
    let running = 0;
    let most = 0;
    docker.hold = async (verb) => {
      if (verb === "pull") await pulled;
      if (verb === "create") most = Math.max(most, ++running);
      if (verb === "inspect") running--;
    };
    const { pool } = await opened({}, { parallelRuns: 1 });
    const users = { name: "far.example/away:1", pull: true, sentinelled: false };
    const slow = [1, 2].map((n) => pool.lease(job(`o${n}`, { image: users })));
    expect(await holdsWithin(60_000, () => docker.count("pull") > 0)).to.equal(true);
    const quick = pool.lease(job("a"));
    const isThere = holdsWithin(60_000, () =>
      pool.status().containers.some(({ state }) => state === "running"),
    );
    const isQuick = await isThere.finally(come);
    expect(isQuick, "while the others wait").to.equal(true);
    await (await quick).release(true);
    for (const lease of await Promise.all(slow)) await lease.release(true);
    expect(most).to.equal(1);
  });

  it("closes while Docker hangs, as soon as it is given up, and names what is left", async () => {
    const { pool, machine } = await opened({ parallelStarts: 2 });
    await use(pool, job("idle"));
    const running = await pool.lease(job("running"));
    docker.script = () => "nothing";
    const made = pool.lease(job("made")).catch((error: unknown) => error);
    expect(await holdsWithin(60_000, () => docker.count("create") === 3)).to.equal(true);
    const failures: unknown[] = [];
    pool.events.on("removed", ({ failure }) => failures.push((failure as Error | undefined)?.message));
    let isClosed = false;
    const closed = pool.close().then(() => {
      isClosed = true;
    });
    expect(await holdsWithin(60_000, () => docker.count("remove") === 2)).to.equal(true);
    expect(isClosed).to.equal(false);
    machine.docker?.giveUp();
    await closed;
    expect(await made).to.be.instanceOf(PoolError);
    expect(failures.filter((failure) => failure !== undefined)).to.have.members([
      ...["remove id1: Docker is waited for no more", "remove id2: Docker is waited for no more"],
    ]);
    await running.release(false);
  });

  describe("counts the memory of a container until Docker says that it is gone,", () => {
    const lean = (owner: string, memoryMB = 256): Job => ({ kind: "nodejs:20", memoryMB, owner });
    const stuck: string[] = [];

    /** Docker answers so when it is told to remove anything. Two lean containers are idle beside one of Docker's. */
    async function leaveOne(remove: Say): Promise<Pool> {
      const { pool } = await opened({ userMemoryMB: 768 });
      stuck.length = 0;
      pool.events.on("stuck", ({ container, failure }) => stuck.push(`${container}: ${failure}`));
      const leases = await Promise.all([pool.lease(lean("l")), pool.lease(lean("m")), pool.lease(job())]);
      refuse({ remove });
      for (const lease of leases) await lease.release(lease.containerId.startsWith("sandbox"));
      await pool.settled();
      return pool;
    }

    for (const [what, remove] of [
      ["which refuses to remove it", refused],
      ["which is removing it", { status: 409, body: { message: "removal is already in progress" } }],
    ] as const) {
      it(`${what}, and has others make way meanwhile`, async () => {
        const pool = await leaveOne(remove);
        expect(pool.status().reservedMB).to.equal(768);
        expect(stuck).to.have.length(1);
        const large = await pool.lease(lean("n", 512));
        expect(pool.status().reservedMB).to.equal(768);
        const next = pool.lease(job("b"));
        await large.release(true);
        refuse({});
        await (await next).release(true);
        const names = (): string => docker.containers.map(({ name }) => name).join();
        expect(await holdsWithin(60_000, () => names() === "wsk00_2_guest_hello")).to.equal(true);
        expect(stuck, "it is told once").to.have.length(1);
      });
    }

    it("and only who needs all of the memory waits for that", async () => {
      const pool = await leaveOne(refused);
      let isServed = false;
      const waiting = pool.lease(lean("w", 768)).then((lease) => {
        isServed = true;
        return lease;
      });
      await (await pool.lease(lean("n"))).release(true);
      const told = docker.count("remove");
      expect(await holdsWithin(60_000, () => docker.count("remove") > told)).to.equal(true);
      expect([isServed, pool.status().waiting, pool.status().reservedMB]).to.deep.equal([false, 1, 768]);
      refuse({});
      await (await waiting).release(true);
    });

    it("gives up others too where the machine's memory is short, and runs one beside it nevertheless", async () => {
      let availableMB = 1000;
      memory = () => [{ totalMB: 8000, availableMB }];
      const { pool } = await opened({ userMemoryMB: 768, leastMemoryMB: 10, memoryLookMs: 1 });
      await use(pool, job());
      await use(pool, lean("l"));
      refuse({ remove: refused });
      // As much as one of Docker's is taken for would be enough.
      availableMB = 9;
      const states = (): string =>
        pool
          .status()
          .containers.map(({ state }) => state)
          .join();
      expect(await holdsWithin(60_000, () => states() === "removing")).to.equal(true);
      await (await pool.lease(lean("m", 512))).release(true);
    });

    it("takes no places for those who wait for that, and makes ahead what has been lost", async () => {
      const stemCells = [{ kind: "nodejs:20", memoryMB: 256, count: 1 }];
      const { pool, machine } = await opened({ userMemoryMB: 768, stemCells });
      const lease = await pool.lease(job());
      refuse({ remove: refused });
      await lease.release(false);
      await pool.settled();
      const waiting = [1, 2, 3, 4, 5, 6].map(() => pool.lease(lean("w", 768)));
      expect(pool.parked).to.equal(6);
      machine.sandboxes[0]?.die();
      expect(await holdsWithin(60_000, () => machine.sandboxes.length === 2)).to.equal(true);
      refuse({});
      for (const one of waiting) await (await one).release(true);
      expect(pool.parked).to.equal(0);
    });

    it("has no more make way for one that Docker does not remove for a moment", async () => {
      const { pool } = await opened({ userMemoryMB: 768 });
      for (const owner of ["a", "b", "c"]) await use(pool, job(owner));
      const [first = ""] = story;
      story.length = 0;
      docker.script = (verb) => (verb === "remove" && docker.count("remove") === 1 ? refused : undefined);
      await (await pool.lease(lean("l"))).release(true);
      expect(story[0]).to.equal(`${first.split(" ")[0]} removed: evicted`);
      for (const owner of ["b", "c"]) await use(pool, job(owner));
      expect(story.filter((line) => / (cold|removed)/.test(line))).to.deep.equal([
        story[0],
        "sandbox-0 cold",
      ]);
    });

    it("also where its start has failed half-way", async () => {
      const { pool } = await opened({ userMemoryMB: 256 });
      refuse({ inspect: refused, remove: refused });
      expect(await pool.lease(job()).catch((error: unknown) => error)).to.be.instanceOf(PoolError);
      await pool.settled();
      expect(pool.status().reservedMB).to.equal(256);
      const next = pool.lease(lean("l"));
      refuse({});
      await (await next).release(true);
      expect(docker.containers).to.deep.equal([]);
      expect(story[0]).to.equal("wsk00_1_guest_hello removed: start-failed");
    });

    it("but where it was never asked to start", async () => {
      const { pool } = await opened({ userMemoryMB: 256 });
      refuse({ create: refused, remove: refused });
      expect(await pool.lease(job()).catch((error: unknown) => error)).to.be.instanceOf(PoolError);
      await pool.settled();
      expect(pool.status().reservedMB).to.equal(0);
    });

    it("and closes without waiting for it, after one more try", async () => {
      const { pool, machine } = await opened();
      const failures: unknown[] = [];
      pool.events.on("removed", ({ failure }) => failures.push(failure));
      const lease = await pool.lease(job());
      refuse({ remove: refused });
      await lease.release(false);
      await pool.settled();
      await pool.close();
      const error: unknown = await machine.docker?.close().catch((reason: unknown) => reason);
      expect(String(error)).to.contain("remove id1");
      expect(await holdsWithin(60_000, () => failures.length === 1)).to.equal(true);
      expect(String(failures[0])).to.contain("remove id1");
    });
  });

  it("tells apart what is the image's fault", async () => {
    const { pool } = await opened();
    const codeFor = async (wanted: Job): Promise<unknown> => {
      const error: unknown = await pool.lease(wanted).catch((reason: unknown) => reason);
      return error instanceof PoolError ? error.code : error;
    };
    refuse({ pull: refused });
    const users = { name: "a/b", pull: true, sentinelled: false };
    expect(await codeFor(job("a", { image: users }))).to.equal("pull-failed");
    refuse({ start: refused });
    expect(await codeFor(job())).to.equal("cannot-create");
    docker.state = { Running: false, ExitCode: 127, OOMKilled: false };
    expect(await codeFor(job())).to.equal("no-executable");
  });

  it("refuses jobs that name an image where there is no Docker", async () => {
    const machine = new FakeMachine();
    const pool = new Pool(machine, { ...defaultPoolSettings, userMemoryMB: 1024 });
    pools.push(pool);
    const error: unknown = await pool.lease(job()).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(PoolError).with.property("code", "cannot-create");
  });

  it("lets neighbours share a container, up to their number", async () => {
    const { pool } = await opened();
    const shared = job("a", { concurrency: 2 });
    const [one, two, three] = await Promise.all([1, 2, 3].map(() => pool.lease(shared)));
    expect([one, two, three].map((lease) => lease?.containerId)).to.deep.equal([
      ...["wsk00_1_guest_hello", "wsk00_1_guest_hello", "wsk00_2_guest_hello"],
    ]);
    const [, beside] = await Promise.all([one?.init(frame, limits), two?.run("{}", limits)]);
    expect(beside?.exchange.outcome, "once the other has loaded the action").to.equal("answer");
    await Promise.all([one, two, three].map((lease) => lease?.release(true)));
  });

  describe("collects logs", () => {
    const line = (text: string, stream = "stdout"): string =>
      `${JSON.stringify({ log: `${text}\n`, stream, time: "2026-01-01T00:00:00.5Z" })}\n`;
    const ends = line(sentinel) + line(sentinel, "stderr");

    it("of each activation, from where the last one's ended", async () => {
      const { pool } = await opened();
      writeFileSync(docker.logPath, line("one") + ends + line("two") + ends);
      for (const text of ["one", "two"]) {
        const lease = await pool.lease(job());
        lease.keepLogs(1_000_000);
        expect((await lease.collectLogs()).lines).to.deep.equal([
          `2026-01-01T00:00:00.5Z         stdout: ${text}`,
        ]);
        await lease.release(true);
      }
    });

    it("but not where the limit is nothing, or the log store does without", async () => {
      writeFileSync(docker.logPath, line("one") + ends);
      for (const [limitBytes, collectsLogs] of [
        [0, true],
        [1_000_000, false],
      ] as const) {
        const { pool } = await opened({}, { collectsLogs });
        const lease = await pool.lease(job());
        lease.keepLogs(limitBytes);
        expect(await lease.collectLogs()).to.deep.equal({ lines: [], truncated: false });
        await lease.release(true);
      }
    });

    it("without waiting for sentinels where the image writes none, or the action ended badly", async () => {
      const { pool } = await opened();
      writeFileSync(docker.logPath, line("one"));
      const unsentinelled = job("b", { image: { ...image, sentinelled: false } });
      for (const [wanted, isOrderly] of [
        [unsentinelled, true],
        [job(), false],
      ] as const) {
        const lease = await pool.lease(wanted);
        lease.keepLogs(1_000_000);
        expect((await lease.collectLogs(isOrderly)).lines.length).to.equal(1);
        await lease.release(true);
      }
      expect(story.filter((event) => event.includes("tainted"))).to.deep.equal([]);
    });

    it("and gives up a container whose output has no end, or is too much", async () => {
      const { pool } = await opened();
      writeFileSync(docker.logPath, line("one") + line("two") + ends);
      const lease = await pool.lease(job());
      lease.keepLogs(100);
      expect((await lease.collectLogs()).truncated).to.equal(true);
      await lease.release(true);
      await pool.settled();
      expect(story.slice(1)).to.deep.equal([
        ...["wsk00_1_guest_hello tainted: logs", "wsk00_1_guest_hello removed: tainted"],
      ]);
    });
  });
});
