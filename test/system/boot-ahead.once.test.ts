// Containers that are booted before anybody wants them: as good as those that are booted for somebody, and nobody's where they are not.

import { closeSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { createLeanFactory } from "../../pool/lean/factory.ts";
import { findInterpreters } from "../../pool/lean/interpreters.ts";
import type { Sandbox } from "../../pool/lean/sandbox.ts";
import type { BootAhead, SandboxFactory } from "../../pool/lean/types.ts";
import type { Checkpoint } from "../../pool/machine.ts";
import { Channel } from "../../pool/proxy/channel.ts";
import { ContainerCheckpoint, RestorerError, type Template } from "../../restorer/index.ts";
import { childrenOf, isAlive, signalIfAlive } from "../processes.ts";
import { holdsWithin } from "../within.ts";
import { instanceName } from "./instance.ts";
import { launcher, requireRoot } from "./lean-probe.ts";

const kind = "python:3";
const ahead = 3;
const patienceMs = 60_000;
const limits = { timeoutMs: 60_000, maxBodyBytes: 1 << 20, keptBodyBytes: 1 << 20 };
const code = "import os, time\ndef main(args):\n  return {'uid': os.getuid(), 'pid': os.getpid()}\n";

interface Made {
  readonly sandbox: Sandbox;
  readonly channel: Channel;
  /** Undefined: it was booted for us, or started. */
  readonly taken: ContainerCheckpoint | undefined;
}

describe("a container that was booted ahead", () => {
  let factory: SandboxFactory;
  let template: Template;
  let made: Made[];
  let booted: ContainerCheckpoint[];
  let proved: Checkpoint[];
  let failures: unknown[];
  let life: string;

  function booter(isOver: () => boolean = () => false, prove = proveOne): BootAhead {
    return {
      isOver,
      from: async (waiting) => {
        const checkpoint = await ContainerCheckpoint.boot(template, waiting, { verify: false });
        booted.push(checkpoint);
        return checkpoint;
      },
      prove,
      discard: async (checkpoint) => checkpoint.release(),
      failed: (why) => void failures.push(why),
    };
  }

  async function proveOne(checkpoint: Checkpoint): Promise<void> {
    const { verified } = await checkpoint.rewind({ verify: true, halts: true });
    if (verified) proved.push(checkpoint);
  }

  async function make(memoryMB = 128): Promise<Made> {
    let taken: ContainerCheckpoint | undefined;
    let open: Channel | undefined;
    let own: ContainerCheckpoint | undefined;
    const sandbox = await factory.create(
      kind,
      memoryMB,
      async (waiting) => {
        own = await ContainerCheckpoint.boot(template, waiting, { verify: false });
      },
      (checkpoint, channel) => {
        taken = checkpoint as ContainerCheckpoint;
        open = channel;
      },
    );
    const one = { sandbox, channel: open ?? Channel.open(sandbox.channelFd), taken };
    made.push(one);
    expect(sandbox.goOn(), "stopped from its proof on").to.equal(taken !== undefined);
    void sandbox.exited.then(() => own?.release());
    return one;
  }

  async function end({ sandbox, channel, taken }: Made): Promise<void> {
    channel.close();
    for (const fd of [sandbox.stdoutFd, sandbox.stderrFd]) closeSync(fd);
    await sandbox.destroy();
    taken?.release();
  }

  async function answer({ channel }: Made): Promise<{ readonly uid: number; readonly pid: number }> {
    const frame = { name: "ahead", main: "main", binary: false, env: {}, code: Buffer.from(code) };
    expect(await channel.init(frame, limits)).to.include({ outcome: "answer", status: 200 });
    const reply = await channel.run('{"value":{}}', limits, false);
    expect(reply).to.include({ outcome: "answer", status: 200 });
    return JSON.parse((reply as { body: string }).body);
  }

  const areReady = (count = ahead): Promise<boolean> =>
    holdsWithin(patienceMs, () => factory.ahead().containers.ready === count);

  before(requireRoot);

  beforeEach(async () => {
    [made, booted, proved, failures] = [[], [], [], []];
    factory = createLeanFactory({
      ...{ instance: instanceName("boot-ahead"), interpreters: await findInterpreters(), environment: {} },
      ...{ scratchMB: 8, launcher, containersAhead: ahead, networksAhead: 0, userMemoryMB: 1024 },
    });
    const sandbox = await factory.create(kind, 128);
    life = sandbox.id.split("-")[0] ?? "";
    const first: Made = { sandbox, channel: Channel.open(sandbox.channelFd), taken: undefined };
    expect(await first.channel.ready(patienceMs)).to.include({ outcome: "answer" });
    const checkpoint = await ContainerCheckpoint.take([sandbox.runtimePid], { rung: "write-protect" });
    template = checkpoint.template();
    checkpoint.release();
    await end(first);
    expect(await areReady()).to.equal(true);
  });

  afterEach(async () => {
    for (const one of made) await end(one);
    template.release();
    await factory.close();
  });

  /** Uses up those that nobody has booted. */
  async function bootAhead(boot = booter()): Promise<void> {
    factory.bootAhead(kind, boot);
    for (let i = 0; i < ahead; i++) await make();
    expect(await areReady()).to.equal(true);
    expect(booted).to.have.length(ahead);
    expect(proved).to.deep.equal(booted);
  }

  it("equals its checkpoint, answers, and has the limits that were asked for", async () => {
    await bootAhead();
    const one = await make(64);
    expect(one.taken).to.equal(booted[0]);
    expect(await one.taken?.rewind({ verify: true })).to.include({ verified: true });
    expect(one.sandbox.memoryMB).to.equal(64);
    const groups = readFileSync(`/proc/${one.sandbox.runtimePid}/cgroup`, "latin1");
    const read = (controller: string, ...files: readonly string[]): string => {
      const own = new RegExp(`^\\d+:${controller}:(.*)$`, "m").exec(groups)?.[1];
      const folder = own
        ? `/sys/fs/cgroup/${controller}${own}`
        : `/sys/fs/cgroup${/^0::(.*)$/m.exec(groups)?.[1]}`;
      return readFileSync(
        files.map((name) => `${folder}/${name}`).find((path) => existsSync(path)) ?? "",
        "latin1",
      );
    };
    expect(read("memory", "memory.limit_in_bytes", "memory.max").trim()).to.equal(String(64 * 2 ** 20));
    expect(read("cpu", "cpu.shares", "cpu.weight").trim()).to.be.oneOf(["64", "3"]);
    const said = await answer(one);
    expect(said.pid).to.equal(2);
    expect(await one.taken?.rewind({ verify: true })).to.include({ verified: true });
    const next = await make();
    expect(await next.taken?.rewind({ verify: true })).to.include({ verified: true });
    expect((await answer(next)).uid).to.not.equal(said.uid);
  });

  it("has been rehearsed: it has pages of its own where an action writes, and equals its checkpoint", async () => {
    const own = await make();
    await bootAhead();
    const taken = await make();
    const privateKB = ({ sandbox }: Made): number => {
      const text = readFileSync(`/proc/${sandbox.runtimePid}/smaps_rollup`, "latin1");
      return Number(/^Private_Dirty: +(\d+)/m.exec(text)?.[1]);
    };
    expect(privateKB(taken)).to.be.greaterThan(10 * privateKB(own));
    expect(await taken.taken?.rewind({ verify: true })).to.include({ verified: true });
  });

  it("is nobody's, and another is booted in its place, where its template has been given up", async () => {
    let isOver: boolean = false;
    await bootAhead(booter(() => isOver));
    const old = booted.splice(0);
    isOver = true;
    factory.bootAhead(kind, booter());
    expect(await holdsWithin(patienceMs, () => booted.length === ahead)).to.equal(true);
    expect(await areReady()).to.equal(true);
    const one = await make();
    expect(old).to.not.include(one.taken);
    expect(one.taken).to.equal(booted[0]);
  });

  /** Of all containers of this test. */
  function launchers(): readonly number[] {
    return childrenOf(process.pid).filter((pid) => {
      const text = readFileSync(`/proc/${pid}/cmdline`, "latin1");
      return text.includes("--wait\0") && text.includes(`${life}-`);
    });
  }

  /** Their runtimes. */
  function unused(): readonly number[] {
    const used = new Set(made.map(({ sandbox }) => sandbox.runtimePid));
    return launchers()
      .flatMap(childrenOf)
      .filter((pid) => !used.has(pid));
  }

  it("is booted elsewhere where what was to be booted has been killed a moment ago", async () => {
    const doomed = launchers();
    expect(doomed).to.have.length(ahead);
    for (const pid of doomed) process.kill(pid, "SIGKILL");
    // In one go: nobody can have been told of it.
    while (doomed.some(isAlive));
    const one = await make();
    expect(await answer(one)).to.include({ pid: 2 });
    expect(factory.ahead().containers.replaced).to.equal(1);
  });

  it("is nobody's where its runtime has ended meanwhile, and is no longer counted", async () => {
    await bootAhead();
    expect(unused()).to.have.length(ahead);
    for (const pid of unused()) process.kill(pid, "SIGKILL");
    expect(await areReady(0)).to.equal(true);
    const one = await make();
    expect(booted.slice(0, ahead)).to.not.include(one.taken);
    await answer(one);
    expect(await areReady()).to.equal(true);
  });

  it("is nobody's where its runtime has ended a moment ago: who wants one has another made", async () => {
    await bootAhead();
    const killed = unused();
    expect(killed).to.have.length(ahead);
    for (const pid of killed) process.kill(pid, "SIGKILL");
    // In one go: nobody can have been told of it.
    while (killed.some(isAlive));
    const one = await make();
    expect(booted.slice(0, ahead)).to.not.include(one.taken);
    await answer(one);
  });

  it("is nobody's where its runtime has ended and its launcher cannot tell: who wants one has another made", async () => {
    await bootAhead();
    const killed = unused();
    const silent = launchers().filter((pid) => childrenOf(pid).some((child) => killed.includes(child)));
    expect(silent).to.have.length(ahead);
    const are = (pids: readonly number[], state: "T" | "Z"): boolean =>
      pids.every((pid) => readFileSync(`/proc/${pid}/stat`, "latin1").includes(`) ${state} `));
    for (const pid of silent) process.kill(pid, "SIGSTOP");
    while (!are(silent, "T"));
    for (const pid of killed) process.kill(pid, "SIGKILL");
    // In one go: nobody can have been told of it.
    while (!are(killed, "Z"));
    const one = await make();
    expect(booted.slice(0, ahead)).to.not.include(one.taken);
    await answer(one);
    expect(factory.ahead().containers.replaced).to.equal(1);
  });

  it("is nobody's where its runtime ends before its rehearsal, which is told", async () => {
    const boot = booter();
    const from = async (...where: Parameters<BootAhead["from"]>): Promise<Checkpoint> => {
      const checkpoint = await boot.from(...where);
      for (const pid of unused()) process.kill(pid, "SIGKILL");
      return checkpoint;
    };
    factory.bootAhead(kind, { ...boot, from });
    for (let i = 0; i < ahead; i++) await make();
    expect(await holdsWithin(patienceMs, () => failures.length > 0)).to.equal(true);
    expect(failures[0]).to.include({ code: "process-gone" });
    await answer(await make());
    expect(proved).to.deep.equal([]);
  });

  for (const [signal, code] of [
    ["SIGKILL", "process-gone"],
    ["SIGSEGV", "start"],
  ] as const)
    it(`is nobody's where ${signal} ends its runtime at its rehearsal, which is told as ${code}`, async () => {
      const boot = booter();
      const from = async (...where: Parameters<BootAhead["from"]>): Promise<Checkpoint> => {
        const checkpoint = await boot.from(...where);
        const doomed = unused();
        for (const pid of doomed) process.kill(pid, "SIGSTOP");
        // It has been asked to begin by then. Those of a boot before are among them.
        setTimeout(() => {
          for (const pid of doomed) {
            signalIfAlive(pid, signal);
            signalIfAlive(pid, "SIGCONT");
          }
        }, 200);
        return checkpoint;
      };
      factory.bootAhead(kind, { ...boot, from });
      for (let i = 0; i < ahead; i++) await make();
      expect(await holdsWithin(patienceMs, () => failures.length > 0)).to.equal(true);
      expect(failures[0]).to.include({ code });
      await answer(await make());
      expect(proved).to.deep.equal([]);
    });

  for (const [what, prove] of Object.entries({
    "its proof fails": () => Promise.reject(new RestorerError("verify-difference", "a page", false)),
    "its runtime ends before its proof": (checkpoint: Checkpoint) => {
      for (const pid of unused()) process.kill(pid, "SIGKILL");
      return proveOne(checkpoint);
    },
  }))
    it(`is nobody's where ${what}: who wants one has another booted`, async () => {
      let failed = 0;
      const failing = (checkpoint: Checkpoint): Promise<void> => prove(checkpoint).finally(() => failed++);
      factory.bootAhead(
        kind,
        booter(() => false, failing),
      );
      for (let i = 0; i < ahead; i++) await make();
      expect(await holdsWithin(patienceMs, () => failed > 0)).to.equal(true);
      await answer(await make());
      expect(made.filter(({ taken }) => taken !== undefined)).to.deep.equal([]);
      expect(await holdsWithin(patienceMs, () => unused().length === 0)).to.equal(true);
      expect(factory.ahead().containers.ready).to.equal(0);
    });

  it("is not given to whoever wants one that is started", async () => {
    await bootAhead();
    const sandbox = await factory.create(kind, 128);
    const one: Made = { sandbox, channel: Channel.open(sandbox.channelFd), taken: undefined };
    made.push(one);
    expect(await one.channel.ready(patienceMs)).to.include({ outcome: "answer" });
    await answer(one);
  });

  it("leaves nothing behind at the end, although nobody ever wanted it", async () => {
    const before = [readdirSync("/proc/self/fd").length, childrenOf(process.pid).length];
    await bootAhead();
    for (const one of made.splice(0)) await end(one);
    await factory.close();
    template.release();
    const [fds = 0, children = 0] = before;
    expect(await holdsWithin(patienceMs, () => readdirSync("/proc/self/fd").length <= fds)).to.equal(true);
    expect(await holdsWithin(patienceMs, () => childrenOf(process.pid).length <= children)).to.equal(true);
    for (const controller of ["memory", "pids", "cpu", "."])
      expect(existsSync(`/sys/fs/cgroup/${controller}/rewhisk/${instanceName("boot-ahead")}`)).to.equal(
        false,
      );
  });
});
