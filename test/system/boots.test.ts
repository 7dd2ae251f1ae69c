// Invokers whose setting has containers booted: one interpreter of each kind is started, and again before its template is too old.

import { closeSync, readFileSync } from "node:fs";
import { expect } from "chai";
import type { PoolSettings } from "../../invoker/index.ts";
import { createLeanFactory } from "../../pool/lean/factory.ts";
import { findInterpreters } from "../../pool/lean/interpreters.ts";
import { Channel } from "../../pool/proxy/channel.ts";
import { Templates } from "../../pool/templates.ts";
import { ContainerCheckpoint } from "../../restorer/index.ts";
import { holdsWithin } from "../within.ts";
import { instanceName } from "./instance.ts";
import { launcher, requireRoot } from "./lean-probe.ts";
import { RealInvoker } from "./real-invoker.ts";
import { runtimeOf } from "./runtime-process.ts";

const memoryMB = 256;
const startMs = 60_000;

/** Their init leaves a mark where any other action of the same process would find it. */
const marking = {
  "nodejs:20": (name: string) => `
    const seen = globalThis.mark ?? null;
    globalThis.mark = "${name}";
    function main() { return { seen, mark: globalThis.mark }; }`,
  "python:3": (name: string) => `
import builtins
seen = getattr(builtins, "mark", None)
builtins.mark = "${name}"
def main(args):
    return {"seen": seen, "mark": builtins.mark}
`,
} as const;

interface Ready {
  readonly container: string;
  readonly how: string;
}

for (const kind of ["nodejs:20", "python:3"] as const) {
  describe(`an invoker that boots ${kind} containers`, () => {
    let real: RealInvoker;

    const start = async (count: number, pool: Partial<PoolSettings> = {}): Promise<void> => {
      const stemCells = [{ kind, count, memoryMB }];
      real = await RealInvoker.start({ boots: true, userMemoryMB: 1024, stemCells, ...pool }, "boots");
    };
    const ready = (): Ready[] =>
      real.lines
        .map((line) => JSON.parse(line) as { event: string } & Ready)
        .filter(({ event }) => event === "container-started");
    const made = (how: string): Promise<number> => real.metric(`rewhisk_containers_made_total{how="${how}"}`);
    /** Where chance has put the stack of a container's runtime. */
    const stackOf = (container: string): string | undefined =>
      /^.*(?= +\[stack\]$)/m.exec(readFileSync(`/proc/${runtimeOf(container)}/maps`, "latin1"))?.[0];
    const kill = (container: string): void => void process.kill(runtimeOf(container), "SIGKILL");

    afterEach(() => real.stop());

    it("starts one interpreter, and replaces by a boot what is lost", async () => {
      await start(3);
      expect([await made("started"), await made("booted")]).to.deep.equal([1, 2]);
      const [first, second] = ready();
      kill(first?.container ?? "");
      kill(second?.container ?? "");
      expect(await holdsWithin(startMs, () => ready().length === 5)).to.equal(true);
      expect(ready().map(({ how }) => how)).to.deep.equal(["started", ...Array(4).fill("booted")]);
      const stacks = new Set(
        ready()
          .slice(2)
          .map(({ container }) => stackOf(container)),
      );
      expect(stacks.size).to.equal(1);
      real.put("one", { kind, code: marking[kind]("one") });
      const { record } = await real.run("one");
      expect(record.response.result).to.deep.equal({ seen: null, mark: "one" });
      expect(await made("started")).to.equal(1);
      expect(await real.metric('rewhisk_boots_failed_total{reason="unsupported"}')).to.equal(0);
    });

    it("starts one for the next template before the last is too old, in place of one container", async () => {
      await start(2, { ageBeforeRetirementMs: 40_000 });
      const [first] = ready();
      const stack = stackOf(first?.container ?? "");
      const startedLater = (): Ready | undefined =>
        ready()
          .slice(1)
          .find(({ how }) => how === "started");
      expect(await holdsWithin(startMs, () => startedLater() !== undefined)).to.equal(true);
      const next = startedLater()?.container ?? "";
      expect(stackOf(next)).to.not.equal(stack);
      const other = ready().find(({ container, how }) => how === "booted" && isThere(container));
      kill(other?.container ?? "");
      const before = ready().length;
      expect(await holdsWithin(startMs, () => ready().length > before)).to.equal(true);
      expect(ready().at(-1)?.how).to.equal("booted");
      expect(stackOf(ready().at(-1)?.container ?? "")).to.equal(stackOf(next));
    });

    it("boots what knows nothing of an action at whose checkpoint another container is", async () => {
      await start(2, { levelMemoryMB: 64, levelInitMs: 0, userMemoryMB: 512 });
      real.put("one", { kind, code: marking[kind]("one") });
      real.put("two", { kind, code: marking[kind]("two") });
      await real.run("one");
      expect(await real.metric('rewhisk_action_checkpoints_total{result="taken"}')).to.equal(1);
      // They are ready in the order of their numbers: the second has waited for the first.
      const clean = real.invoker.status().pool.containers.find(({ state }) => state === "clean");
      kill(ready()[(clean?.id ?? 0) - 1]?.container ?? "");
      expect(await holdsWithin(startMs, () => ready().length === 3)).to.equal(true);
      for (const [name, isWarm] of [
        ["two", false],
        ["one", true],
      ] as const) {
        const { record } = await real.run(name);
        expect(record.response.result).to.deep.equal({ seen: null, mark: name });
        expect(!record.annotations.some(({ key }) => key === "initTime")).to.equal(isWarm);
      }
      expect([await made("started"), await made("booted")]).to.deep.equal([1, 2]);
    });

    function isThere(container: string): boolean {
      try {
        return runtimeOf(container) > 0;
      } catch {
        return false;
      }
    }
  });
}

describe("a template of a real process", () => {
  it("is refused while an action's checkpoint is in use, and taken when that has ended", async () => {
    requireRoot();
    const interpreters = await findInterpreters();
    const kind = "python:3";
    const factory = createLeanFactory({
      instance: instanceName("template"),
      interpreters,
      environment: {},
      scratchMB: 8,
      launcher,
    });
    const sandbox = await factory.create(kind, memoryMB);
    const channel = Channel.open(sandbox.channelFd);
    const templates = new Templates(
      { nowMs: () => 0 },
      { ageBeforeRetirementMs: 1000, startTimeoutMs: 60_000 },
    );
    const offer = (checkpoint: ContainerCheckpoint): void => {
      const { renewal } = templates.wayOf(kind);
      renewal?.offer(checkpoint);
      renewal?.end();
    };
    try {
      expect(await channel.ready(startMs)).to.include({ outcome: "answer" });
      const checkpoint = await ContainerCheckpoint.take([sandbox.runtimePid], { rung: "write-protect" });
      await checkpoint.takeLevel();
      offer(checkpoint);
      const { boot, renewal } = templates.wayOf(kind);
      renewal?.end();
      expect(boot).to.equal(undefined);
      await checkpoint.rewind({ verify: true });
      offer(checkpoint);
      const next = templates.wayOf(kind);
      expect(next.boot).to.not.equal(undefined);
      next.boot?.end();
      templates.close();
      checkpoint.release();
    } finally {
      channel.close();
      closeSync(sandbox.stdoutFd);
      closeSync(sandbox.stderrFd);
      await sandbox.destroy();
      await factory.close();
    }
  });
});
