// Embryos that cannot be made, or never come to an end: nobody waits for ever, and nothing of them is left.

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { createLeanFactory } from "../../pool/lean/factory.ts";
import { findInterpreters } from "../../pool/lean/interpreters.ts";
import type { LeanFactoryOptions } from "../../pool/lean/options.ts";
import type { Sandbox } from "../../pool/lean/sandbox.ts";
import type { Boot, SandboxFactory } from "../../pool/lean/types.ts";
import { Channel } from "../../pool/proxy/channel.ts";
import {
  ContainerCheckpoint,
  type Place,
  type Template,
  type Waiting,
  type WaitingProcess,
} from "../../restorer/index.ts";
import { holdsWithin } from "../within.ts";
import { instanceName } from "./instance.ts";
import { launcher, requireRoot } from "./lean-probe.ts";

const kind = "python:3";
const memoryMB = 128;
const patienceMs = 60_000;
const pipeBytes = 1 << 16;
const pageBytes = 4096;
const instance = instanceName("embryo");

const asPlace = (waiting: Waiting): Place => {
  if ("pid" in waiting) throw new Error("not a place");
  return waiting;
};

/** Of all containers and embryos of this file, whoever their parents are now. */
function processes(): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      const isOurs = readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(`/${instance}/`);
      return /^\d+$/.test(pid) && isOurs && !readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("guard");
    } catch {
      return false;
    }
  });
}

/** Has the process write to each page that it has without a file, and that stay as they are. Their bytes. */
function writeToAll(pid: number): number {
  const [mem, pagemap] = [openSync(`/proc/${pid}/mem`, "r+"), openSync(`/proc/${pid}/pagemap`, "r")];
  const byte = Buffer.alloc(1);
  let bytes = 0;
  for (const line of readFileSync(`/proc/${pid}/maps`, "latin1").split("\n")) {
    const [, from = "", to = ""] = /^([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0 /.exec(line) ?? [];
    const [start, end] = [Number.parseInt(from, 16), Number.parseInt(to, 16)];
    if (Number.isNaN(start)) continue;
    const entries = Buffer.alloc(((end - start) / pageBytes) * 8);
    readSync(pagemap, entries, 0, entries.length, (start / pageBytes) * 8);
    for (let at = start; at < end; at += pageBytes) {
      const isPresent = entries.readBigUInt64LE(((at - start) / pageBytes) * 8) >> 63n === 1n;
      if (!isPresent) continue;
      readSync(mem, byte, 0, 1, at);
      writeSync(mem, byte, 0, 1, at);
      bytes += pageBytes;
    }
  }
  closeSync(mem);
  closeSync(pagemap);
  return bytes;
}

describe("an embryo", () => {
  let factory: SandboxFactory;
  let folder: string;

  const open = async (options: Partial<LeanFactoryOptions> = {}): Promise<void> => {
    const interpreters = await findInterpreters();
    factory = createLeanFactory({
      instance,
      interpreters,
      environment: {},
      scratchMB: 8,
      launcher,
      ...options,
    });
  };
  const refusal = (boot: Boot): Promise<unknown> =>
    factory.create(kind, memoryMB, boot).then(
      () => undefined,
      (error: unknown) => error,
    );
  const isNothingLeft = (): Promise<boolean> => holdsWithin(patienceMs, () => processes().length === 0);

  async function templateOf(): Promise<Template> {
    const sandbox = await factory.create(kind, memoryMB);
    const channel = Channel.open(sandbox.channelFd);
    expect(await channel.ready(patienceMs)).to.include({ outcome: "answer" });
    const checkpoint = await ContainerCheckpoint.take([sandbox.runtimePid], { rung: "write-protect" });
    const template = checkpoint.template();
    checkpoint.release();
    channel.close();
    closeSync(sandbox.stdoutFd);
    closeSync(sandbox.stderrFd);
    await sandbox.destroy();
    return template;
  }

  before(requireRoot);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "embryo-"));
  });

  afterEach(async () => {
    await factory.close();
    rmSync(folder, { recursive: true });
  });

  it("that is killed before it has joined its cgroups ends with its launcher", async () => {
    const fifo = join(folder, "full");
    execFileSync("mkfifo", [fifo]);
    const full = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    writeSync(full, Buffer.alloc(pipeBytes));
    const script = join(folder, "launcher");
    const words = [
      "#!/bin/sh",
      `if [ "$1" = --embryo ]; then shift; exec ${launcher} --embryo --join ${fifo} "$@"; fi`,
      `exec ${launcher} "$@"`,
    ];
    writeFileSync(script, `${words.join("\n")}\n`);
    chmodSync(script, 0o755);
    try {
      await open({ launcher: script, startTimeoutMs: 3000 });
      const error = await refusal(
        async (waiting) => void (await asPlace(waiting).conceive(async () => undefined)),
      );
      expect(String(error)).to.match(/was not set up within 3000 ms/);
      await factory.close();
      expect(await isNothingLeft()).to.equal(true);
    } finally {
      closeSync(full);
    }
  });

  /** As a call of the library does that gets no further. */
  const hang = async ({ pid }: WaitingProcess): Promise<void> => {
    expect(await holdsWithin(patienceMs, () => !existsSync(`/proc/${pid}`))).to.equal(true);
    throw new Error("the process is gone");
  };

  it("whose making hangs is ended in time", async () => {
    await open({ startTimeoutMs: 3000 });
    const error = await refusal(async (waiting) => void (await asPlace(waiting).conceive(hang)));
    expect(String(error)).to.match(/was not set up within 3000 ms/);
    await factory.close();
    expect(await isNothingLeft()).to.equal(true);
  });

  it("whose making hangs is ended with everything else", async () => {
    await open({ startTimeoutMs: 10 * patienceMs });
    let hasBegun: boolean = false;
    const refused = refusal(async (waiting) => {
      await asPlace(waiting).conceive(async (process) => {
        hasBegun = true;
        await hang(process);
      });
    });
    expect(await holdsWithin(patienceMs, () => hasBegun)).to.equal(true);
    await factory.close();
    expect(String(await refused)).to.match(/could not be set up|is gone/);
    expect(await isNothingLeft()).to.equal(true);
  });

  it("is not made, nor a runtime, in a container that has been given up meanwhile", async () => {
    await open();
    let place: Place | undefined;
    await refusal(async (waiting) => {
      place = asPlace(waiting);
      throw new Error("given up");
    });
    const error = await place?.wait().catch((failure: unknown) => failure);
    expect(error).to.include({ name: "LeanError", code: "process-gone" });
    await factory.close();
    expect(await place?.conceive(async () => undefined).catch((failure: unknown) => failure)).to.include({
      name: "LeanError",
      code: "closed",
    });
  });

  async function born(template: Template): Promise<{ sandbox: Sandbox; end: () => Promise<void> }> {
    let checkpoint: ContainerCheckpoint | undefined;
    const sandbox = await factory.create(kind, memoryMB, async (waiting) => {
      checkpoint = await ContainerCheckpoint.boot(template, waiting, { verify: true });
    });
    const end = async (): Promise<void> => {
      for (const fd of [sandbox.channelFd, sandbox.stdoutFd, sandbox.stderrFd]) closeSync(fd);
      await sandbox.destroy();
      checkpoint?.release();
    };
    return { sandbox, end };
  }

  it("lives as long as any that was born of it, so that none is told by the time of a write that it is the last", async () => {
    await open();
    const template = await templateOf();
    const first = await born(template);
    const second = await born(template);
    const embryos = (): number =>
      processes().filter((pid) => readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("--embryo")).length;
    expect(embryos()).to.equal(1);
    template.release();
    await first.end();
    expect(embryos()).to.equal(1);
    expect(factory.embryos()).to.deep.include({ living: 1 });
    expect(factory.embryos().bytes, "an interpreter").to.be.above(4 << 20);
    await second.end();
    expect(await holdsWithin(patienceMs, () => embryos() === 0)).to.equal(true);
    expect(factory.embryos()).to.deep.equal({ living: 0, bytes: 0 });
    expect(await isNothingLeft()).to.equal(true);
  });

  it("that has been given up still leaves no page to one alone: what the last writes is charged to it", async () => {
    await open();
    const template = await templateOf();
    const { sandbox, end } = await born(template);
    template.release();
    const before = sandbox.memoryUsedBytes();
    const writtenBytes = writeToAll(sandbox.runtimePid);
    expect(writtenBytes).to.be.above(4 << 20);
    expect(sandbox.memoryUsedBytes() - before).to.be.above(writtenBytes / 2);
    await end();
  });

  it("ends with everything else, also where some that were born of it are left", async () => {
    await open();
    const template = await templateOf();
    const { end } = await born(template);
    template.release();
    await factory.close();
    expect(await isNothingLeft()).to.equal(true);
    await end();
  });

  it("bears containers however few descriptors they may have", async () => {
    await open({ openFiles: 64 });
    const template = await templateOf();
    const { sandbox, end } = await born(template);
    expect(template.whyCopied).to.equal(undefined);
    expect(readFileSync(`/proc/${sandbox.runtimePid}/limits`, "latin1")).to.match(/Max open files +64 /);
    await end();
    template.release();
  });
});
