// The code of a container's action out of the code store: what the runtime is asked, and what becomes of a container where that fails.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { CodeStore } from "../../../pool/code-store.ts";
import { LeanError } from "../../../pool/lean/errors.ts";
import type { Clock } from "../../../pool/machine.ts";
import { Pool } from "../../../pool/pool.ts";
import type { Timed } from "../../../pool/proxy/exchange.ts";
import { defaultPoolSettings, type InitFrame } from "../../../pool/types.ts";
import { RestorerError } from "../../../restorer/index.ts";
import { holdsWithin } from "../../within.ts";
import { type Behaviour, FakeMachine, obedient } from "./fake-machine.ts";

const limits = { timeoutMs: 10_000, maxBodyBytes: 1_000_000, keptBodyBytes: 1_000_000 };
const archive = Buffer.from("an archive");
const names = ["", "init", "run", "", "", "", "libraries", "unpack"];

describe("a container whose action's archive is in the code store", () => {
  let folder: string;
  let codes: CodeStore;
  let machine: FakeMachine;
  let pool: Pool;
  const taints: string[] = [];

  async function start(behave: Behaviour = obedient, rewinds = true, clock?: Clock): Promise<void> {
    codes = new CodeStore({ folder, maxBytes: 100_000 });
    machine = new FakeMachine({ rewinds });
    machine.codes = codes;
    machine.behave = behave;
    if (clock !== undefined) machine.clock = clock;
    const stemCells = [{ kind: "nodejs:20", count: 1, memoryMB: 256 }];
    pool = new Pool(machine, { ...defaultPoolSettings, userMemoryMB: 256, stemCells });
    pool.events.on("tainted", ({ reason }) => taints.push(reason));
    await pool.settled();
  }
  async function use({ binary = true, timeoutMs = limits.timeoutMs } = {}): Promise<Timed> {
    const lease = await pool.lease({ kind: "nodejs:20", memoryMB: 256, owner: "a" });
    const frame: InitFrame = { name: "a", main: "main", binary, env: {}, code: archive };
    const init = await lease.init(frame, { ...limits, timeoutMs });
    if (init.exchange.outcome === "answer") await lease.run("{}", limits);
    await lease.release(true);
    return init;
  }
  const asked = (container = 0): string[] =>
    (machine.sandboxes[container]?.runtime.requests ?? []).map(({ type, payload }) => {
      const what = names[type] ?? "";
      if (what !== "init") return what;
      const end = 4 + payload.readUInt32LE(0);
      const { folder: shown } = JSON.parse(payload.toString("utf8", 4, end)) as { readonly folder?: string };
      return `init ${payload.length - end} bytes${shown === undefined ? "" : ` in ${shown}`}`;
    });
  const shown = "init 0 bytes in /home/action/code";
  const sent = `init ${archive.length} bytes`;

  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), "rewhisk-codes-")), "code");
    taints.length = 0;
  });
  afterEach(async () => {
    await pool.close();
    await codes.close();
    rmSync(join(folder, ".."), { recursive: true, force: true });
  });

  it("has its runtime unpack it, is rewound, is shown it; then and in any other life it is only shown", async () => {
    await start();
    await use();
    expect(asked()).to.deep.equal(["unpack", shown, "run"]);
    expect(machine.checkpoints[0]?.led).to.deep.equal(["base", "base", "base"]);
    await use();
    expect(asked().slice(3)).to.deep.equal([shown, "run"]);
    expect(machine.sandboxes[0]?.shown).to.have.lengthOf(2);
    expect(machine.sandboxes[0]?.isShown).to.equal(false);
    expect(codes.counts.uses).to.include({ miss: 1, hit: 1 });
  });

  it("is sent a text as ever", async () => {
    await start();
    await use({ binary: false });
    expect(asked()).to.deep.equal([sent, "run"]);
  });

  it("is sent it where nothing can be rewound", async () => {
    await start(obedient, false);
    await use();
    expect(asked()).to.deep.equal([sent, "run"]);
  });

  it("is sent it, after a rewind, where its runtime refuses it; and at once from then on", async () => {
    await start((request, runtime) => runtime.answer(request, request.type === 7 ? 502 : 200, '{"ok":true}'));
    await use();
    await use();
    expect(asked()).to.deep.equal(["unpack", sent, "run", sent, "run"]);
    expect(machine.checkpoints[0]?.led).to.deep.equal(["base", "base", "base", "base"]);
  });

  it("is sent it where it cannot be shown, or not be kept", async () => {
    await start();
    const [sandbox] = machine.sandboxes;
    if (sandbox === undefined) throw new Error("there is no container");
    sandbox.refuseToShow = () => new RestorerError("system", "no mounts", true);
    await use();
    sandbox.keptBytes = 1_000_000;
    codes.notShown(new Error("no mounts"));
    expect(asked()).to.deep.equal(["unpack", sent, "run"]);
    expect(codes.counts.uses).to.include({ miss: 1, failed: 2 });
    expect(taints).to.deep.equal([]);
  });

  it("has its init time out where the unpacking does", async () => {
    await start((request, runtime) => {
      if (request.type !== 7) runtime.answer(request, 200, '{"ok":true}');
    });
    expect((await use({ timeoutMs: 20 })).exchange.outcome).to.equal("timeout");
    expect(codes.counts.archives).to.equal(0);
  });

  it("has all of its limit for the unpacking and the init, however long the copy takes", async () => {
    let nowMs = 0;
    const slow: Behaviour = (request, runtime) => {
      const answer = (): void => runtime.answer(request, 200, '{"ok":true}');
      if (names[request.type] === "init") setTimeout(answer, 50);
      else answer();
    };
    await start(slow, true, { nowMs: () => nowMs });
    const [sandbox] = machine.sandboxes;
    if (sandbox === undefined) throw new Error("there is no container");
    const keep = sandbox.keepCode.bind(sandbox);
    sandbox.keepCode = (into) => {
      nowMs += 2 * limits.timeoutMs;
      return keep(into);
    };
    expect((await use()).exchange.outcome).to.equal("answer");
    expect(asked()).to.deep.equal(["unpack", shown, "run"]);
  });

  it("is replaced where it cannot be rewound in between, and another one is sent it", async () => {
    await start();
    const [checkpoint] = machine.checkpoints;
    if (checkpoint === undefined) throw new Error("there is no checkpoint");
    checkpoint.behave = () => Promise.reject(new RestorerError("mapping", "not the same", false));
    expect((await use()).exchange.outcome).to.equal("unavailable");
    expect(taints).to.deep.equal(["mapping"]);
    await holdsWithin(5000, () => machine.sandboxes.length === 2);
    expect((await use()).exchange.outcome).to.equal("answer");
    expect(asked(1)).to.deep.equal([sent, "run"]);
  });

  it("is replaced where something still uses what it was shown", async () => {
    await start();
    const [sandbox] = machine.sandboxes;
    if (sandbox === undefined) throw new Error("there is no container");
    const lease = await pool.lease({ kind: "nodejs:20", memoryMB: 256, owner: "a" });
    await lease.init({ name: "a", main: "main", binary: true, env: {}, code: archive }, limits);
    sandbox.refuseToHide = () => new LeanError("survivor", "something still uses it");
    await lease.release(true);
    expect(taints).to.deep.equal(["survivor"]);
    await holdsWithin(5000, () => sandbox.isDestroyed);
    // Nobody uses it any more: it may be given up for others.
    await use();
    expect(asked(1)).to.deep.equal([shown, "run"]);
  });
});
