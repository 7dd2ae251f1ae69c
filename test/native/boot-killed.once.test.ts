// A process that is killed while it is being booted: whoever boots it must neither wait for ever nor hold on to it.

import { expect } from "chai";
import { within } from "../../pool/index.ts";
import { ContainerCheckpoint, RestorerError, type Template } from "../../restorer/index.ts";
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

/** Runs `meanwhile` while a victim is booted, ends it, and tells what became of it. */
async function bootWhile(template: Template, meanwhile: (victim: Victim) => unknown): Promise<string> {
  const victim = await Victim.startWaiting(program);
  const settled = ContainerCheckpoint.boot(template, victim, { verify: false }).then(
    (booted) => {
      booted.release();
      return "booted before";
    },
    (error: unknown) => (error instanceof RestorerError ? error.code : String(error)),
  );
  meanwhile(victim);
  const outcome = (await within(patienceMs, settled)) ?? "the boot does not return";
  await victim.end();
  return outcome;
}

describe("a process that is killed at any moment of its boot", () => {
  it(`is reported as gone, and can be reaped by its parent (${kills} times)`, async () => {
    const template = await takeTemplate();
    const tookMs: number[] = [];
    for (let i = 0; i < 5; i++) {
      const startMs = performance.now();
      await bootWhile(template, () => undefined);
      tookMs.push(performance.now() - startMs);
    }
    const longestMs = 1.5 * (tookMs.sort((one, other) => one - other)[2] ?? Number.NaN);
    const outcomes = new Set<string>();
    for (let i = 0; i < kills; i++)
      outcomes.add(
        await bootWhile(template, ({ pid }) => {
          sleepFor((longestMs * i) / kills);
          process.kill(pid, "SIGKILL");
        }),
      );
    template.release();
    expect([...outcomes]).to.have.members(["process-gone", "booted before"]);
  }).timeout(180_000);
});
