// When containers are rewound: after every activation, only when they change hands, or never; by the invoker's setting and the
// action's.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Json, PoolSettings } from "../../invoker/index.ts";
import { holdsWithin } from "../within.ts";
import { type Done, RealInvoker } from "./real-invoker.ts";
import { StandaloneProgram } from "./standalone-program.ts";

type Policy = "always" | "on-change" | "fresh";

const memoryMB = 256;

/** Counts in every place in which state can live on: a variable, the environment, a file. */
const counters = {
  "nodejs:20": `
    const fs = require("fs");
    let n = 0;
    function main({ fails, waits }) {
      n += 1;
      process.env.COUNT = String(1 + Number(process.env.COUNT ?? 0));
      fs.appendFileSync("/tmp/count", "x");
      if (fails) throw new Error("on purpose");
      if (waits) for (;;);
      return { n, env: process.env.COUNT, file: fs.readFileSync("/tmp/count", "utf8").length };
    }`,
  "python:3": `
import os
n = 0
def main(args):
    global n
    n += 1
    os.environ["COUNT"] = str(1 + int(os.environ.get("COUNT", "0")))
    open("/tmp/count", "a").write("x")
    if args.get("fails"): return 42
    while args.get("waits"): pass
    return {"n": n, "env": os.environ["COUNT"], "file": len(open("/tmp/count").read())}
`,
} as const;

const chosen = (policy: string) => ({ annotations: [{ key: "rewind", value: policy }] });
const countOf = (n: number): Json => ({ n, env: String(n), file: n });
const result = (done: Done): Json | undefined => done.record.response.result;
/** As clients tell a cold activation from a warm one. */
const hasInit = (done: Done): boolean => done.record.annotations.some(({ key }) => key === "initTime");

for (const kind of ["nodejs:20", "python:3"] as const) {
  describe(`the policy in one real ${kind} container`, () => {
    let real: RealInvoker;
    const start = async (rewind: Policy, pool: Partial<PoolSettings> = {}): Promise<void> => {
      const stemCells = [{ kind, count: 1, memoryMB }];
      real = await RealInvoker.start({ rewind, userMemoryMB: memoryMB, stemCells, ...pool }, "policy");
    };
    /** The names of containers, in the order of what became of them. */
    const named = (event: "container-started" | "container-removed"): string[] =>
      real.lines
        .map((line) => JSON.parse(line) as { event: string; container: string })
        .filter((line) => line.event === event)
        .map(({ container }) => container);
    const put = (name: string, policy?: string, timeoutMs = 10_000): void =>
      real.put(name, { kind, code: counters[kind], timeoutMs, ...(policy !== undefined && chosen(policy)) });
    const rewinds = async (): Promise<number> =>
      (await real.metric('rewhisk_rewinds_total{verified="true"}')) +
      (await real.metric('rewhisk_rewinds_total{verified="false"}'));
    afterEach(async () => {
      const taints = real.taints();
      await real.stop();
      expect(taints).to.deep.equal([]);
    });

    it("always: every activation is the first one and has an init", async () => {
      await start("always");
      put("one");
      for (let i = 0; i < 3; i++) {
        const done = await real.run("one");
        expect(result(done)).to.deep.equal(countOf(1));
        expect(hasInit(done)).to.equal(true);
      }
      expect(await rewinds()).to.equal(3);
      expect(await real.metric('rewhisk_starts_total{start="warm"}')).to.equal(0);
    });

    it("on-change: the same action goes on without an init, and nobody else finds anything of it", async () => {
      await start("on-change");
      put("one");
      put("two");
      const told: [Json | undefined, boolean][] = [];
      const steps: [string, string][] = [
        ["one", "guest"],
        ["one", "guest"],
        ["one", "guest"],
        ["two", "guest"],
        ["one", "guest"],
        ["one", "other"],
        ["one", "guest"],
      ];
      for (const [name, namespace] of steps) {
        const done = await real.run(name, {}, [], namespace);
        told.push([result(done), hasInit(done)]);
      }
      expect(told).to.deep.equal([
        [countOf(1), true],
        [countOf(2), false],
        [countOf(3), false],
        [countOf(1), true],
        [countOf(1), true],
        [countOf(1), true],
        [countOf(1), true],
      ]);
      expect(await rewinds(), "each time it changed hands").to.equal(4);
      expect(await real.metric('rewhisk_rewinds_total{verified="true"}')).to.equal(4);
      expect(await real.metric('rewhisk_starts_total{start="warm"}')).to.equal(2);
      expect(await real.metric('rewhisk_container_starts_total{result="ready"}')).to.equal(1);
    });

    it("on-change: an activation that failed or ran out of time leaves nothing to the next", async () => {
      await start("on-change");
      for (const [fault, timeoutMs] of [
        ["fails", 10_000],
        ["waits", 3000],
      ] as const) {
        put("one", undefined, timeoutMs);
        await real.run("one");
        expect(result(await real.run("one"))).to.deep.equal(countOf(2));
        const failed = await real.run("one", { [fault]: true });
        expect(failed.record.response.statusCode, fault).to.equal(2);
        expect(hasInit(failed)).to.equal(false);
        const next = await real.run("one");
        expect([result(next), hasInit(next)], fault).to.deep.equal([countOf(1), true]);
      }
    });

    for (const boots of [false, true])
      it(`fresh: every activation has a container that nobody has used, ${boots ? "booted" : "started"} ahead`, async () => {
        await start("fresh", { boots, userMemoryMB: 2 * memoryMB });
        put("one");
        for (let i = 0; i < 4; i++) {
          const done = await real.run("one");
          expect([result(done), hasInit(done)]).to.deep.equal([countOf(1), true]);
          expect(await holdsWithin(60_000, () => named("container-removed").length === i + 1)).to.equal(true);
          expect(await holdsWithin(60_000, () => named("container-started").length > i + 1)).to.equal(true);
        }
        expect(new Set(named("container-removed")).size).to.equal(4);
        expect(await real.metric('rewhisk_starts_total{start="clean"}')).to.equal(4);
        expect(await real.metric('rewhisk_containers_removed_total{cause="spent"}')).to.equal(4);
        expect(await rewinds()).to.equal(0);
        const started = await real.metric('rewhisk_containers_made_total{how="started"}');
        expect(started).to.equal(boots ? 1 : named("container-started").length);
      });

    it("fresh, by the action's annotation: it gets nothing that another action has had, nor leaves anything", async () => {
      await start("always", { userMemoryMB: 2 * memoryMB });
      put("usual");
      put("kept", "on-change");
      put("fresh", "fresh");
      for (const name of ["usual", "fresh", "kept", "fresh", "usual", "fresh"]) {
        const done = await real.run(name);
        expect(result(done), name).to.deep.equal(countOf(1));
        expect(hasInit(done), name).to.equal(true);
      }
      const spent = (): number => real.lines.filter((line) => line.includes('"cause":"spent"')).length;
      expect(await holdsWithin(60_000, () => spent() === 3)).to.equal(true);
      put("kept", "on-change");
      await real.run("kept");
      await real.run("fresh");
      expect(result(await real.run("kept")), "lives on beside").to.deep.equal(countOf(2));
    });

    it("the action's annotation decides, and a new revision decides anew", async () => {
      await start("always");
      const told: [string, Json | undefined][] = [];
      for (const policy of ["on-change", "always", "on-change", "onchange"]) {
        put("one", policy);
        await real.run("one");
        told.push([policy, result(await real.run("one"))]);
      }
      expect(told).to.deep.equal([
        ["on-change", countOf(2)],
        ["always", countOf(1)],
        ["on-change", countOf(2)],
        ["onchange", countOf(1)],
      ]);
      const said = real.lines.filter((line) => line.includes('"event":"rewind-policy-unknown"'));
      expect(said.length).to.equal(1);
    });

    it("the action's annotation is stricter than the invoker's setting, if it wants to be", async () => {
      await start("on-change");
      put("one", "always");
      await real.run("one");
      expect(result(await real.run("one"))).to.deep.equal(countOf(1));
    });
  });
}

describe("the policy of npm start", () => {
  it("is that of its options, and each action's annotation and limits", async function () {
    this.timeout(120_000);
    const dataFolder = mkdtempSync(join(tmpdir(), "rewhisk-policy-"));
    const more = ["--rewind", "on-change", "--concurrency-limit", "3"];
    const program = await StandaloneProgram.start({ dataFolder, more });
    try {
      const meeting = `let most = 0, n = 0;
        async function main() {
          n++; most++;
          for (const until = Date.now() + 20_000; most < 3 && Date.now() < until; ) await new Promise(setImmediate);
          return { n, allow: process.env.__OW_ALLOW_CONCURRENT };
        }`;
      const create = async (name: string, code: string, more: object = {}): Promise<number> => {
        const exec = { kind: "nodejs:20", code };
        return (await program.send("PUT", `actions/${name}`, { exec, ...more })).status;
      };
      const invoke = async (name: string): Promise<{ result: unknown; isWarm: boolean }> => {
        const { body } = await program.send("POST", `actions/${name}?blocking=true`, {});
        const isWarm = !body.annotations.some(({ key }: { key: string }) => key === "initTime");
        return { result: body.response.result, isWarm };
      };
      expect(await create("usual", counters["nodejs:20"])).to.equal(200);
      expect(await invoke("usual")).to.deep.equal({ result: countOf(1), isWarm: false });
      expect(await invoke("usual")).to.deep.equal({ result: countOf(2), isWarm: true });
      expect(await create("strict", counters["nodejs:20"], chosen("always"))).to.equal(200);
      for (let i = 0; i < 2; i++) {
        expect(await invoke("strict")).to.deep.equal({ result: countOf(1), isWarm: false });
      }
      expect(await create("many", meeting, { limits: { concurrency: 4 } }), "above the limit").to.equal(400);
      expect(await create("many", meeting, { limits: { concurrency: 3 } })).to.equal(200);
      const all = await Promise.all([invoke("many"), invoke("many"), invoke("many")]);
      for (const { result } of all) expect(result).to.deep.equal({ n: 3, allow: "True" });
    } finally {
      await program.interrupt();
      rmSync(dataFolder, { recursive: true, force: true });
    }
  });

  it("is a container of its own for each activation, and booted, where its options say so", async function () {
    this.timeout(120_000);
    const dataFolder = mkdtempSync(join(tmpdir(), "rewhisk-policy-"));
    const program = await StandaloneProgram.start({ dataFolder, more: ["--rewind", "fresh", "--boots"] });
    try {
      const code = "function main() { return { container: require('os').hostname() }; }";
      const exec = { kind: "nodejs:20", code };
      expect((await program.send("PUT", "actions/usual", { exec })).status).to.equal(200);
      const used = new Set<unknown>();
      for (let i = 0; i < 3; i++) {
        const { body } = await program.send("POST", "actions/usual?blocking=true", {});
        used.add(body.response.result.container);
      }
      expect([used.size, used.has(undefined)]).to.deep.equal([3, false]);
    } finally {
      await program.interrupt();
      rmSync(dataFolder, { recursive: true, force: true });
    }
  });
});
