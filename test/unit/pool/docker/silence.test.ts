// A Docker that is asked and answers nothing: lean containers go on, and nothing is promised twice when it answers again.

import { expect } from "chai";
import { createDockerFactory, type DockerFactoryOptions } from "../../../../pool/docker/factory.ts";
import { systemClock } from "../../../../pool/machine.ts";
import { Pool } from "../../../../pool/pool.ts";
import type { Alarm } from "../../../../pool/time.ts";
import { defaultPoolSettings, type Job, type Lease, PoolError } from "../../../../pool/types.ts";
import { holdsWithin } from "../../../within.ts";
import { FakeMachine } from "../fake-machine.ts";
import { ScriptedDocker, type Verb } from "./scripted-docker.ts";

const patienceMs = 60_000;
const image = { name: "images/php:1", pull: false, sentinelled: true };
const job = (owner: string, fields: Partial<Job> = {}): Job => ({
  ...{ kind: "php:8", memoryMB: 256, owner, image, label: owner },
  ...fields,
});
const lean = (memoryMB: number): Job => ({ kind: "nodejs:20", memoryMB, owner: "n" });

describe("while Docker answers nothing", function () {
  this.timeout(3 * patienceMs);
  let docker: ScriptedDocker;
  let pool: Pool;
  /** Docker answers again. */
  let goOn: () => void;
  /** What it would be called by when Docker has been silent for too long. */
  const rings = new Set<() => void>();
  const alarm: Alarm = (_afterMs, ring) => {
    rings.add(ring);
    return () => rings.delete(ring);
  };

  beforeEach(async () => {
    docker = await ScriptedDocker.start();
    goOn = () => undefined;
  });

  afterEach(async () => {
    goOn();
    await pool.close();
    await docker.stop();
    rings.clear();
  });

  async function open(options: Partial<DockerFactoryOptions> = {}): Promise<void> {
    const machine = new FakeMachine();
    machine.docker = createDockerFactory({
      ...{ network: "bridge", dnsServers: [], dnsSearch: [], dnsOptions: [], extraArgs: {}, environment: {} },
      ...{ userMemoryMB: 1024, collectsLogs: true, namePrefix: "wsk00", parallelRuns: 10 },
      ...{ pauseGraceMs: 60_000, socketPath: docker.socketPath, clock: systemClock, alarm },
      ...options,
    });
    pool = new Pool(machine, { ...defaultPoolSettings, userMemoryMB: 1024 });
    await pool.settled();
  }

  function hangAt(verb: Verb): void {
    const answered = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    docker.hold = (asked) => (asked === verb ? answered : Promise.resolve());
  }

  async function asked(verb: Verb, times: number): Promise<void> {
    expect(await holdsWithin(patienceMs, () => docker.count(verb) === times), `${verb} × ${times}`).to.equal(
      true,
    );
  }

  const fallSilent = (): void => {
    expect(rings.size).to.equal(1);
    for (const ring of rings) ring();
  };

  const failureOf = async (lease: Promise<Lease>): Promise<unknown> => {
    const error: unknown = await lease.then(
      ({ containerId }) => `leased ${containerId}`,
      (reason: unknown) => reason,
    );
    return error instanceof PoolError ? error.code : error;
  };

  it("lean containers have the memory that was promised to what it is asked for, and it gets no more than is left", async () => {
    await open();
    hangAt("create");
    const granted: Lease[] = [];
    for (const owner of ["o1", "o2", "o3", "o4"]) {
      void pool.lease(job(owner)).then((lease) => granted.push(lease));
    }
    await asked("create", 4);
    const first = pool.lease(lean(512));
    expect(pool.status()).to.deep.include({ waiting: 5, reservedMB: 1024 });
    fallSilent();
    const served = await first;
    expect([pool.status().reservedMB, pool.parked]).to.deep.equal([512, 4]);

    let mostMB = 0;
    pool.events.on("changed", () => {
      mostMB = Math.max(mostMB, pool.status().reservedMB);
    });
    goOn();
    expect(await holdsWithin(patienceMs, () => granted.length === 2)).to.equal(true);
    expect(await holdsWithin(patienceMs, () => docker.containers.length === 2)).to.equal(true);
    expect([docker.count("start"), pool.parked], "none was started without room").to.deep.equal([2, 0]);
    await served.release(true);
    expect(await holdsWithin(patienceMs, () => granted.length === 4)).to.equal(true);
    expect(mostMB).to.equal(1024);
    for (const lease of granted) await lease.release(true);
  });

  it("a container that it has started meanwhile goes where its memory is in use, and its job has another one", async () => {
    await open();
    hangAt("start");
    const waiting = pool.lease(job("o", { memoryMB: 1024 }));
    await asked("start", 1);
    fallSilent();
    const served = await pool.lease(lean(256));
    goOn();
    expect(await holdsWithin(patienceMs, () => docker.count("remove") === 1)).to.equal(true);
    expect(await holdsWithin(patienceMs, () => pool.status().reservedMB === 256)).to.equal(true);
    await served.release(true);
    const lease = await waiting;
    expect(lease.containerId).to.equal("wsk00_2_o");
    await lease.release(true);
  });

  it("a container that it has perhaps started counts beside those that have its memory, until it is removed", async () => {
    await open();
    hangAt("start");
    const failed = failureOf(pool.lease(job("o", { memoryMB: 1024 })));
    await asked("start", 1);
    fallSilent();
    const served = await pool.lease(lean(256));
    docker.script = (verb) => (verb === "remove" ? { status: 500, body: { message: "no" } } : undefined);
    docker.cut("wsk00_1_o");
    expect(await failed).to.equal("cannot-create");
    await asked("remove", 1);
    expect(pool.status().reservedMB).to.equal(1280);
    docker.script = () => undefined;
    expect(await holdsWithin(patienceMs, () => pool.status().reservedMB === 256)).to.equal(true);
    await served.release(true);
  });

  it("one job waits for it, others are refused at once, and what is there serves its owner", async () => {
    await open();
    await (await pool.lease(job("here"))).release(true);
    hangAt("create");
    const first = failureOf(pool.lease(job("first")));
    await asked("create", 2);
    const early = failureOf(pool.lease(job("early", { memoryMB: 1024 })));
    fallSilent();
    expect(await early, "it waited for room").to.equal("cannot-create");
    expect(await failureOf(pool.lease(job("late")))).to.equal("cannot-create");
    const own = await pool.lease(job("here"));
    expect(own.start).to.equal("warm");
    await own.release(true);
    expect(docker.count("create")).to.equal(2);

    docker.cut("wsk00_2_first");
    expect(await first, "there will be no answer").to.equal("cannot-create");
    const next = pool.lease(job("next"));
    await asked("create", 3);
    expect(await failureOf(pool.lease(job("late")))).to.equal("cannot-create");
    expect(pool.status().reservedMB, "who tries takes nothing from others").to.equal(256);
    goOn();
    for (const lease of [await next, await pool.lease(job("late"))]) await lease.release(true);
  });

  it("whose turn it is while another one waits for it does not wait as well", async () => {
    await open({ parallelRuns: 2 });
    hangAt("create");
    const outcomes: string[] = [];
    for (const owner of ["o1", "o2", "o3"]) {
      void failureOf(pool.lease(job(owner))).then((failure) => outcomes.push(`${owner} ${failure}`));
    }
    await asked("create", 2);
    fallSilent();
    docker.cut("wsk00_2_o2");
    expect(await holdsWithin(patienceMs, () => outcomes.length === 2)).to.equal(true);
    expect(outcomes).to.have.members(["o2 cannot-create", "o3 cannot-create"]);
    expect(docker.count("create")).to.equal(2);
    goOn();
    expect(await holdsWithin(patienceMs, () => outcomes.length === 3)).to.equal(true);
    expect(outcomes.at(-1)).to.equal("o1 leased wsk00_1_o1");
  });

  it("operators are told, and when it answers again", async () => {
    const told: unknown[] = [];
    await open({ onReach: (failure) => told.push(failure?.code) });
    await (await pool.lease(job("o"))).release(true);
    hangAt("inspect");
    const waiting = pool.lease(job("p"));
    await asked("inspect", 2);
    fallSilent();
    expect(told).to.deep.equal([undefined, "timeout"]);
    goOn();
    await (await waiting).release(true);
    expect(told).to.deep.equal([undefined, "timeout", undefined]);
  });

  it("but for a pull or a removal, that means nothing: those take their time", async () => {
    await open();
    hangAt("pull");
    const waiting = pool.lease(job("o", { image: { ...image, pull: true } }));
    await asked("pull", 1);
    expect(rings.size).to.equal(0);
    goOn();
    const lease = await waiting;
    hangAt("remove");
    await lease.release(false);
    await asked("remove", 1);
    expect(rings.size).to.equal(0);
  });
});
