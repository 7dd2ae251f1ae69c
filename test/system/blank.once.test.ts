// Containers that are made before anybody wants them: as good as others, and as surely gone.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { childrenOf, isAlive } from "../processes.ts";
import { holdsWithin, within } from "../within.ts";
import { instanceName } from "./instance.ts";
import { ProbeFactory } from "./lean-probe.ts";

const patienceMs = 60_000;
const ahead = 3;
const children = (): readonly number[] => childrenOf(process.pid);
const openFds = (): number => readdirSync("/proc/self/fd").length;
const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, "latin1");

describe("a container that was made ahead", () => {
  let probes: ProbeFactory;
  const open = async (what: string, options = {}): Promise<void> => {
    probes = await ProbeFactory.open(what, { containersAhead: ahead, networksAhead: 0, ...options });
  };
  const ready = (count: number): Promise<unknown> =>
    within(patienceMs, () => probes.factory.ahead().containers.ready === count || undefined);
  afterEach(() => probes.close());

  it("has the memory and the share of the processors that were asked for", async () => {
    await open("blank-limits", { userMemoryMB: 1024 });
    await probes.make("python:3", 256);
    await ready(ahead);
    const made = [await probes.make("python:3", 64), await probes.make("python:3", 512)];
    for (const [i, memoryMB] of [64, 512].entries()) {
      const { sandbox, ...probe } = made[i] as (typeof made)[number];
      expect(probe).to.not.equal(undefined);
      expect(sandbox.memoryMB).to.equal(memoryMB);
      const groups = readFileSync(`/proc/${sandbox.runtimePid}/cgroup`, "latin1");
      const read = (controller: string, ...files: readonly string[]): string => {
        const own = new RegExp(`^\\d+:${controller}:(.*)$`, "m").exec(groups)?.[1];
        const folder = own
          ? `/sys/fs/cgroup/${controller}${own}`
          : `/sys/fs/cgroup${/^0::(.*)$/m.exec(groups)?.[1]}`;
        const file = files.map((name) => `${folder}/${name}`).find((path) => existsSync(path)) ?? "";
        return readFileSync(file, "latin1").trim();
      };
      expect(read("memory", "memory.limit_in_bytes", "memory.max")).to.equal(String(memoryMB * 2 ** 20));
      expect(read("cpu", "cpu.shares", "cpu.weight")).to.be.oneOf(
        memoryMB === 64 ? ["64", "3"] : ["512", "20"],
      );
    }
  });

  it("is ended where it exhausts the memory that it was given, and none was counted before", async () => {
    await open("blank-memory");
    await probes.make();
    await ready(ahead);
    const probe = await probes.make("python:3", 64);
    expect(probe.sandbox.oomKills()).to.equal(0);
    probe.run("x = bytearray(1 << 30)").catch(() => undefined);
    expect(await probe.sandbox.exited).to.deep.include({ cause: "signal", status: 9, oomKilled: true });
  });

  it("is another one, with a user and a network of its own", async () => {
    await open("blank-own");
    await probes.make();
    await ready(ahead);
    const many = await Promise.all(Array.from({ length: ahead + 2 }, () => probes.make()));
    const seen = await Promise.all(
      many.map((probe) =>
        probe.run(
          "result = [os.getuid(), os.uname().nodename, os.readlink('/proc/self/ns/net'), os.getpid()]",
        ),
      ),
    );
    for (const column of [0, 1, 2])
      expect(new Set((seen as unknown[][]).map((row) => row[column]))).to.have.length(many.length);
    expect(new Set((seen as unknown[][]).map((row) => row[3]))).to.deep.equal(new Set([2]));
  });

  /** Once they are there; of the factory that has made this one. */
  async function killAll(id: string): Promise<readonly number[]> {
    await ready(ahead);
    const ours = children().filter((pid) => {
      const command = commandOf(pid);
      return (
        command.includes("--wait\0") && !command.includes(id) && command.includes(`${id.split("-")[0]}-`)
      );
    });
    expect(ours).to.have.length(ahead);
    for (const pid of ours) process.kill(pid, "SIGKILL");
    // In one go: nobody can have been told of it.
    while (ours.some(isAlive));
    return ours;
  }

  it("lets nobody go without who takes one that has been killed a moment ago", async () => {
    await open("blank-just-killed");
    const { sandbox } = await probes.make();
    await killAll(sandbox.id);
    const next = await probes.make();
    expect(await next.run("result = 'awake'")).to.equal("awake");
    expect(probes.factory.ahead().containers.replaced).to.equal(1);
  });

  it("is never had where it has been killed meanwhile", async () => {
    await open("blank-killed");
    const { sandbox } = await probes.make();
    const ours = await killAll(sandbox.id);
    await within(patienceMs, () => ours.every((pid) => !existsSync(`/proc/${pid}`)) || undefined);
    const next = await probes.make();
    expect(await next.run("result = 'awake'")).to.equal("awake");
  });

  it("gives way where another kind wants its user id", async () => {
    await open("blank-scarce", { uidCount: ahead + 1 });
    await probes.make();
    await ready(ahead);
    const node = `nodejs:${process.versions.node.split(".")[0]}`;
    const other = await probes.make(node);
    expect(await other.run("return 'awake'")).to.equal("awake");
  });

  it("leaves nothing behind at the end, although nobody ever wanted it", async () => {
    const before = [openFds(), children().length];
    await open("blank-end");
    await probes.make();
    await ready(ahead);
    await probes.close();
    expect(await holdsWithin(patienceMs, () => openFds() <= (before[0] ?? 0))).to.equal(true);
    expect(children().length).to.equal(before[1]);
    for (const controller of ["memory", "pids", "cpu", "."])
      expect(existsSync(`/sys/fs/cgroup/${controller}/rewhisk/${instanceName("blank-end")}`)).to.equal(false);
    await open("blank-end-again");
  });
});
