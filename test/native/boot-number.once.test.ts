// A boot in a container whose launcher has ended meanwhile, and whose number another process has: that one is left alone.

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ContainerCheckpoint, type Embryo } from "../../restorer/index.ts";
import { startWithNumber } from "./numbers.ts";
import { Victim, victimProgram } from "./victim.ts";

const program = victimProgram("memory-written");
/** As many as libuv has, by which every call of the library is made. */
const threads = Number(process.env.UV_THREADPOOL_SIZE ?? 4);

async function withEmbryo(use: (embryo: Embryo) => Promise<void>): Promise<void> {
  const victim = await Victim.startPlain(program);
  const checkpoint = await ContainerCheckpoint.take([victim.pid], { rung: "copy-all" });
  await victim.end();
  const template = checkpoint.template();
  const waiting = await Victim.startWaitingHere(program);
  const embryo = await template.embryo(waiting, () => waiting.end());
  template.release();
  checkpoint.release();
  try {
    await use(embryo);
  } finally {
    embryo.release();
    await waiting.end();
  }
}

/** No call of the library begins until what is given is called. */
function holdThreads(): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "rewhisk-boot-number-"));
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  // Whoever opens it to read waits for somebody who writes.
  const readers: Promise<FileHandle>[] = Array.from({ length: threads }, () => open(pipe, "r"));
  return async () => {
    const writer = openSync(pipe, "w");
    for (const reader of await Promise.all(readers)) await reader.close();
    closeSync(writer);
    rmSync(folder, { recursive: true });
  };
}

describe("a boot whose container has ended before it began", () => {
  it("is refused, and does nothing to a process that has the launcher's number by then", () =>
    withEmbryo(async (embryo) => {
      const vacant = await Victim.startVacant();
      const letGo = holdThreads();
      const outcome = ContainerCheckpoint.bootFrom(embryo, vacant.vacancy, { verify: false }).then(
        (booted) => {
          booted.release();
          return "booted";
        },
        ({ code }) => code,
      );
      await vacant.end();
      const stranger = startWithNumber(vacant.pid);
      const ended = once(stranger, "exit");
      try {
        await letGo();
        expect(await outcome).to.equal("process-gone");
        expect([stranger.exitCode, stranger.signalCode]).to.deep.equal([null, null]);
        stranger.kill("SIGTERM");
        expect(await ended).to.deep.equal([null, "SIGTERM"]);
      } finally {
        stranger.kill("SIGKILL");
      }
    })).timeout(60_000);
});
