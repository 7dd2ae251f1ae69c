// The making and the end of lean containers: nothing may be left of one, whoever dies first.

import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { removeLeftover } from "../../pool/lean/cgroups.ts";
import { LeanError } from "../../pool/lean/errors.ts";
import { createLeanFactory } from "../../pool/lean/factory.ts";
import { preflight } from "../../pool/lean/preflight.ts";
import { repositoryFolder } from "../../pool/lean/repository.ts";
import { nativeFolder, pendingBytes, RestorerError, startLean } from "../../restorer/index.ts";
import { childrenOf } from "../processes.ts";
import { holdsWithin } from "../within.ts";
import { instanceName } from "./instance.ts";
import { closeEnds, launcher, ProbeFactory } from "./lean-probe.ts";

const patienceMs = 60_000;
const cgroupFolders = ["memory", "pids", "cpu"].map((name) => `/sys/fs/cgroup/${name}/rewhisk`);
const cgroupsOf = (what: string): readonly string[] =>
  [...cgroupFolders, "/sys/fs/cgroup/rewhisk"]
    .map((folder) => `${folder}/${instanceName(what)}`)
    .filter(existsSync);
const foldersBelow = (what: string): readonly string[] =>
  cgroupsOf(what).flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ parentPath, name }) => `${parentPath}/${name}`),
  );
const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);
const openFds = (): number => readdirSync("/proc/self/fd").length;
/** Of what other tests make meanwhile: files of their own, and network namespaces with names. */
const placesOfOthers = [`${tmpdir()}/`, "/run/netns"];
/** But for those. */
const mounts = (): readonly string[] =>
  readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => !placesOfOthers.some((place) => line.split(" ")[4]?.startsWith(place)));
const namespacesOf = (pid: number | "self"): readonly string[] =>
  ["pid", "mnt", "ipc", "uts", "net", "cgroup"].map((name) => readlinkSync(`/proc/${pid}/ns/${name}`));
const childrenOfOurs = (): string => childrenOf(process.pid).join(" ");

/** A process with three containers that is killed; `first` is done to its guard before. */
async function killedHost(
  what: string,
  first: (guard: number) => void = () => undefined,
): Promise<{ pids: readonly number[]; guards: readonly number[] }> {
  const script = fileURLToPath(new URL("./lean-host.js", import.meta.url));
  const host = spawn(process.execPath, [script, instanceName(what), "3"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const pids = await once(host.stdout, "data").then(([line]) => `${line}`.trim().split(" ").map(Number));
    expect(pids).to.have.length(3);
    const guards = childrenOf(host.pid ?? 0).filter(
      (pid) => readFileSync(`/proc/${pid}/comm`, "latin1") === "guard\n",
    );
    guards.forEach(first);
    return { pids, guards };
  } finally {
    host.kill("SIGKILL");
    await once(host, "exit");
  }
}

describe("a lean container's life", () => {
  it("leaves nothing behind: no process, descriptor, cgroup or mount", async () => {
    const factory = await ProbeFactory.open("life", { networksAhead: 0 });
    await (await factory.make()).destroy();
    const before = [mounts(), childrenOfOurs(), foldersBelow("life")];
    const fds = openFds();
    const probe = await factory.make();
    await probe.run("import subprocess\nsubprocess.Popen(['/bin/sleep', '1000'], start_new_session=True)");
    const { runtimePid } = probe.sandbox;
    const own = namespacesOf("self");
    for (const [i, name] of namespacesOf(runtimePid).entries()) expect(name).to.not.equal(own[i]);
    expect(foldersBelow("life").length).to.be.greaterThan(before[2]?.length ?? 0);
    await probe.destroy();
    expect(isAlive(runtimePid)).to.equal(false);
    expect(await holdsWithin(patienceMs, () => openFds() === fds)).to.equal(true);
    expect([mounts(), childrenOfOurs(), foldersBelow("life")]).to.deep.equal(before);
    await factory.close();
    expect(cgroupsOf("life")).to.deep.equal([]);
  });

  it("can be destroyed twice at once, and tells its end only once", async () => {
    const factory = await ProbeFactory.open("twice");
    const probe = await factory.make();
    await Promise.all([probe.destroy(), probe.destroy(), probe.sandbox.destroy()]);
    expect(await probe.sandbox.exited).to.deep.include({ cause: "signal", status: 9, oomKilled: false });
    await factory.close();
  });

  it("tells how the runtime ended, and takes its children with it", async () => {
    const factory = await ProbeFactory.open("ends");
    const exits = await factory.make();
    const child = "import subprocess\nsubprocess.Popen(['/bin/sleep', '1000'])\n";
    exits.run(`${child}os._exit(7)`).catch(() => undefined);
    expect(await exits.sandbox.exited).to.include({ cause: "exit", status: 7, message: "" });
    const dies = await factory.make();
    dies.run("os.kill(2, 11)").catch(() => undefined);
    expect(await dies.sandbox.exited).to.include({ cause: "signal", status: 11 });
    await factory.close();
    expect(cgroupsOf("ends")).to.deep.equal([]);
  });

  it("tells its end also where somebody else has removed its cgroups", async () => {
    const factory = await ProbeFactory.open("stranger");
    const { sandbox } = await factory.make();
    for (const folder of cgroupsOf("stranger")) await removeLeftover(folder);
    expect(await sandbox.exited).to.deep.include({ cause: "signal", status: 9, oomKilled: false });
    expect(sandbox.oomKills()).to.equal(0);
    await sandbox.destroy();
    await factory.close();
  });

  it("leaves nothing else behind where a container's cgroup cannot be removed, and tells so", async () => {
    const before = [openFds(), childrenOfOurs()];
    const factory = await ProbeFactory.open("stuck");
    const sandbox = await factory.factory.create("python:3", 64);
    const [inner = ""] = foldersBelow("stuck").filter((folder) => folder.endsWith(sandbox.id));
    // Removed with what is in it by nobody but who made that.
    mkdirSync(`${inner}/of-somebody-else`);
    const failure: unknown = await factory.close().catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(LeanError).with.property("code", "removal");
    closeEnds(sandbox);
    expect(await holdsWithin(patienceMs, () => openFds() === before[0])).to.equal(true);
    expect(childrenOfOurs()).to.equal(before[1]);
    const next = await ProbeFactory.open("stuck");
    await (await next.make()).destroy();
    rmdirSync(`${inner}/of-somebody-else`);
    await next.factory.removeLeftovers();
    await next.close();
    expect(cgroupsOf("stuck")).to.deep.equal([]);
  });

  it("has no survivors where the runtime itself is gone: the rewind finds that out", async () => {
    const factory = await ProbeFactory.open("nobody");
    const { sandbox } = await factory.make();
    process.kill(sandbox.runtimePid, "SIGKILL");
    await sandbox.exited;
    await sandbox.killOthers(11);
    await factory.close();
  });

  it("lets many be made at once, each with a user of its own", async () => {
    const factory = await ProbeFactory.open("many");
    const probes = await Promise.all(Array.from({ length: 20 }, () => factory.make("python:3", 64)));
    const uids = await Promise.all(probes.map((probe) => probe.run("result = os.getuid()")));
    expect(new Set(uids).size).to.equal(20);
    await factory.close();
    expect(cgroupsOf("many")).to.deep.equal([]);
  });

  it("dies with the host's process, and its cgroups go as well", async () => {
    const { pids } = await killedHost("killed");
    const isGone = (): boolean => !pids.some(isAlive) && cgroupsOf("killed").length === 0;
    expect(await holdsWithin(patienceMs, isGone)).to.equal(true);
  });

  it("has a guard that clears up after its own life, and touches no other", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rewhisk-guard-"));
    try {
      // Folders of any file system do: what is removed is found by name.
      for (const path of ["rewhisk/i/one/a", "rewhisk/i/one/b", "rewhisk/i/two/a"])
        mkdirSync(join(folder, path), { recursive: true });
      const guard = spawn(join(nativeFolder, "guard"), [join(folder, "rewhisk/i/one")], {
        stdio: ["pipe", "inherit", "inherit"],
      });
      expect(readdirSync(join(folder, "rewhisk/i"))).to.deep.equal(["one", "two"]);
      guard.stdin.end();
      expect(await once(guard, "exit")).to.deep.equal([0, null]);
      expect(readdirSync(join(folder, "rewhisk/i"))).to.deep.equal(["two"]);
      expect(readdirSync(join(folder, "rewhisk/i/two"))).to.deep.equal(["a"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("leaves to the next life what nobody was there to remove", async () => {
    const { pids, guards } = await killedHost("unguarded", (guard) => process.kill(guard, "SIGKILL"));
    expect(guards).to.have.length(1);
    expect(await holdsWithin(patienceMs, () => !pids.some(isAlive))).to.equal(true);
    expect(cgroupsOf("unguarded").length).to.be.greaterThan(0);
    const factory = await ProbeFactory.open("unguarded");
    const probe = await factory.make();
    await factory.factory.removeLeftovers();
    expect(await probe.run("result = 'untouched'")).to.equal("untouched");
    await factory.close();
    expect(cgroupsOf("unguarded")).to.deep.equal([]);
  });

  it("names the step at which it could not be set up, and leaves nothing behind", async () => {
    const factory = await ProbeFactory.open("fails");
    const repository = await ProbeFactory.open("fails-other");
    const before = openFds();
    const broken = (changes: object): ReturnType<typeof createLeanFactory> =>
      createLeanFactory({
        instance: instanceName("broken"),
        interpreters: [{ kind: "python:3", family: "python", version: "3", path: "/usr/bin/python3" }],
        environment: {},
        scratchMB: 8,
        launcher,
        repository: repositoryFolder,
        ...changes,
      });
    for (const [changes, code, text] of [
      [{ launcher: "/nowhere/lean" }, "start", "/nowhere/lean"],
      [{ launcher: "/bin/false" }, "start", "exit 1"],
      [{ scratchMB: 0.5 }, "start", "option scratch-mb"],
      [{ openFiles: 0 }, "start", "options"],
      [
        { interpreters: [{ kind: "python:3", family: "python", version: "3", path: "/etc/passwd" }] },
        "start",
        "execute /runtime/bin/passwd: Permission denied",
      ],
    ] as const) {
      const one = broken(changes);
      const failure = await one.create("python:3", 64).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure).to.be.instanceOf(LeanError);
      expect(failure).to.have.property("code", code);
      expect((failure as LeanError).message).to.contain(text);
      await one.close();
    }
    expect(await holdsWithin(patienceMs, () => openFds() === before)).to.equal(true);
    expect(cgroupsOf("broken")).to.deep.equal([]);
    await factory.close();
    await repository.close();
  });

  it("refuses a kind it has no interpreter for, more containers than users, and all after the end", async () => {
    const factory = await ProbeFactory.open("refuses", { uidCount: 1 });
    const code = (made: Promise<unknown>): Promise<string> =>
      made.then(
        () => "made",
        (error: LeanError) => error.code,
      );
    expect(await code(factory.factory.create("cobol:1", 64))).to.equal("unknown-kind");
    const probe = await factory.make();
    expect(await code(factory.factory.create("python:3", 64))).to.equal("no-uid");
    await probe.destroy();
    const again = await factory.factory.create("python:3", 64);
    closeEnds(again);
    await factory.close();
    expect(await code(factory.factory.create("python:3", 64))).to.equal("closed");
  });

  it("shares no range of user ids with another invoker of the machine", async () => {
    const uidOf = async (factory: ProbeFactory): Promise<number> => {
      const { sandbox } = await factory.make();
      return Number(/^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${sandbox.runtimePid}/status`, "latin1"))?.[1]);
    };
    const two = await Promise.all(["uids-one", "uids-two"].map((what) => ProbeFactory.open(what)));
    const [one = 0, other = 0] = await Promise.all(two.map(uidOf));
    expect(Math.floor((one - 600_000) / 4096)).not.to.equal(Math.floor((other - 600_000) / 4096));
    expect((one - 600_000) % 4096, "the first of a range").to.equal(0);
    expect(await uidOf(two[0] as ProbeFactory)).to.equal(one + 1);
    await Promise.all(two.map((factory) => factory.close()));
  });

  it("tells the bytes that wait on the channel and in a pipe", async () => {
    const factory = await ProbeFactory.open("pending");
    const sandbox = await factory.factory.create("python:3", 64);
    expect(pendingBytes(sandbox.channelFd)).to.deep.equal({ unread: 0, unsent: 0 });
    expect(pendingBytes(sandbox.stdoutFd)).to.deep.equal({ unread: 0, unsent: 0 });
    process.kill(sandbox.runtimePid, "SIGSTOP");
    writeSync(sandbox.channelFd, "abc");
    expect(pendingBytes(sandbox.channelFd).unsent).to.be.greaterThan(0);
    await sandbox.destroy();
    expect(() => pendingBytes(99_999)).to.throw("descriptor 99999");
    closeEnds(sandbox);
    await factory.close();
  });

  it("is not started by hand", async () => {
    const byHand = spawn(launcher, [], { stdio: "ignore" });
    expect(await once(byHand, "exit")).to.deep.equal([2, null]);
    const refused = await startLean(launcher, ["a\0b"]).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(RestorerError);
    expect((refused as Error).message).to.contain("NUL");
  });

  it("finds nothing missing on a machine that runs these tests", async () => {
    expect(await preflight()).to.deep.equal([]);
  });
});
