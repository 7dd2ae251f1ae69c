// A process that is killed while it is being booted: whoever boots it must neither wait for ever nor hold on to it.

import { expect } from "chai";
import { within } from "../../pool/index.ts";
import { ContainerCheckpoint, type Embryo, RestorerError, type Template } from "../../restorer/index.ts";
import { signalIfAlive } from "../processes.ts";
import { Victim, victimProgram } from "./victim.ts";

const kills = 200;
const patienceMs = 60_000;
const program = victimProgram("boot-threads");

/** So long nobody but the boot has a processor of ours, however few there are. */
const nothing = new Int32Array(new SharedArrayBuffer(4));
const sleepFor = (ms: number): unknown => Atomics.wait(nothing, 0, 0, ms);

async function takeTemplate(): Promise<Template> {
  const victim = await Victim.startAlone(program);
  const checkpoint = await ContainerCheckpoint.take([victim.pid], { rung: "copy-all" });
  const template = checkpoint.template();
  checkpoint.release();
  await victim.end();
  return template;
}

async function outcomeOf(boot: Promise<ContainerCheckpoint>, meanwhile: () => unknown): Promise<string> {
  const settled = boot.then(
    (booted) => {
      booted.release();
      return "booted before";
    },
    (error: unknown) => (error instanceof RestorerError ? error.code : String(error)),
  );
  meanwhile();
  return (await within(patienceMs, settled)) ?? "the boot does not return";
}

/** Runs `meanwhile` while a victim is booted, ends it, and tells what became of it. */
async function bootWhile(template: Template, meanwhile: (victim: Victim) => unknown): Promise<string> {
  const victim = await Victim.startWaiting(program);
  const boot = ContainerCheckpoint.boot(template, victim, { verify: false });
  const outcome = await outcomeOf(boot, () => meanwhile(victim));
  await victim.end();
  return outcome;
}

/** As `bootWhile`, of one that is born of an embryo: the victim is the launcher. */
async function bearWhile(embryo: Embryo, meanwhile: (victim: Victim) => unknown): Promise<string> {
  const victim = await Victim.startVacant();
  const boot = ContainerCheckpoint.bootFrom(embryo, victim.vacancy, { verify: false });
  const outcome = await outcomeOf(boot, () => meanwhile(victim));
  await victim.end();
  return outcome;
}

/** Of `boot`, which tells when it began what is to be measured. */
async function medianMs(boot: (begin: () => void) => Promise<unknown>): Promise<number> {
  const tookMs: number[] = [];
  for (let i = 0; i < 5; i++) {
    let startMs = performance.now();
    await boot(() => {
      startMs = performance.now();
    });
    tookMs.push(performance.now() - startMs);
  }
  return tookMs.sort((one, other) => one - other)[2] ?? Number.NaN;
}

async function withEmbryo(use: (embryo: Embryo, process: Victim) => Promise<void>): Promise<void> {
  const victim = await Victim.startPlain(program);
  const checkpoint = await ContainerCheckpoint.take([victim.pid], { rung: "copy-all" });
  await victim.end();
  const template = checkpoint.template();
  const waiting = await Victim.startWaitingHere(program);
  const embryo = await template.embryo(waiting, () => waiting.end());
  template.release();
  checkpoint.release();
  try {
    await use(embryo, waiting);
  } finally {
    embryo.release();
    await waiting.end();
  }
}

describe("a process that is killed at any moment of its boot", () => {
  it(`is reported as gone, and can be reaped by its parent (${kills} times)`, async () => {
    const template = await takeTemplate();
    const longestMs = 1.5 * (await medianMs((begin) => bootWhile(template, begin)));
    const outcomes = new Set<string>();
    for (let i = 0; i < kills; i++)
      outcomes.add(
        await bootWhile(template, ({ pid }) => {
          sleepFor((longestMs * i) / kills);
          signalIfAlive(pid, "SIGKILL");
        }),
      );
    template.release();
    expect([...outcomes]).to.have.members(["process-gone", "booted before"]);
  }).timeout(180_000);

  it(`and so where it shares the memory of an embryo, and its container is killed (${kills} times)`, () =>
    withEmbryo(async (embryo) => {
      const longestMs = 1.5 * (await medianMs((begin) => bearWhile(embryo, begin)));
      const outcomes = new Set<string>();
      for (let i = 0; i < kills; i++)
        outcomes.add(
          await bearWhile(embryo, ({ pid }) => {
            sleepFor((longestMs * i) / kills);
            signalIfAlive(pid, "SIGKILL");
          }),
        );
      expect([...outcomes]).to.have.members(["process-gone", "booted before"]);
      expect(await bearWhile(embryo, () => undefined)).to.equal("booted before");
    })).timeout(180_000);

  it("and so where the embryo is killed, of which nobody is born any more (40 times)", async () => {
    const outcomes = new Set<string>();
    for (let i = 0; i < 40; i++)
      await withEmbryo(async (embryo, { pid }) => {
        const longestMs = await medianMs((begin) => bearWhile(embryo, begin));
        outcomes.add(
          await bearWhile(embryo, () => {
            sleepFor((longestMs * i) / 80);
            signalIfAlive(pid, "SIGKILL");
          }),
        );
        expect(await bearWhile(embryo, () => undefined)).to.equal("lost-thread");
      });
    expect(
      [...outcomes].filter((one) => !["lost-thread", "process-gone", "booted before"].includes(one)),
    ).to.deep.equal([]);
  }).timeout(180_000);
});
