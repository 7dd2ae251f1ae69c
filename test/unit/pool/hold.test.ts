// Locks that end with the process that has them, whoever asks at the same time.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Hold } from "../../../pool/hold.ts";
import { childrenOf } from "../../processes.ts";

/** Takes a hold, forgets it, and starts a process that outlives it, whose id it prints. */
const holding = `import(${JSON.stringify(new URL("../../../pool/hold.js", import.meta.url).href)}).then(async ({ Hold }) => {
  await Hold.take(process.argv[1], "alone");
  for (let i = 0; i < 3; i++) {
    await new Promise(setImmediate);
    gc();
  }
  const heir = require("node:child_process").spawn("cat", { stdio: ["inherit", "ignore", "ignore"] });
  console.log(heir.pid);
})`;

describe("a hold", () => {
  let folder: string;
  let path: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-hold-"));
    path = join(folder, "lock");
    writeFileSync(path, "");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const takeMany = async (how: "shared" | "alone"): Promise<readonly Hold[]> =>
    (await Promise.all(Array.from({ length: 8 }, () => Hold.take(path, how)))).filter(
      (hold) => hold !== undefined,
    );

  it("alone is one's of many that ask at once, and the next one's when it is released", async () => {
    for (let round = 0; round < 3; round++) {
      const holds = await takeMany("alone");
      expect(holds).to.have.length(1);
      await holds[0]?.release();
    }
  });

  it("shared is everybody's, and then nobody's alone", async () => {
    const holds = await takeMany("shared");
    expect(holds).to.have.length(8);
    expect(await Hold.take(path, "alone")).to.equal(undefined);
    await Promise.all(holds.map((hold) => hold.release()));
    const alone = await Hold.take(path, "alone");
    expect(alone).not.to.equal(undefined);
    await alone?.release();
  });

  it("takes no process of its own", async () => {
    const before = childrenOf(process.pid);
    const hold = await Hold.take(path, "alone");
    expect(childrenOf(process.pid)).to.deep.equal(before);
    await hold?.release();
  });

  it("lasts as long as its process, whoever remembers it, and no longer, whoever that has started", async () => {
    const holder = spawn(process.execPath, ["--expose-gc", "-e", holding, path], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const [heir] = (await once(holder.stdout, "data")) as [Buffer];
    try {
      expect(await Hold.take(path, "alone")).to.equal(undefined);
      const ended = once(holder, "exit");
      holder.kill("SIGKILL");
      await ended;
      const next = await Hold.take(path, "alone");
      expect(next).not.to.equal(undefined);
      await next?.release();
      process.kill(Number(heir), 0);
    } finally {
      process.kill(Number(heir), "SIGKILL");
    }
  });

  it("is nobody's where there is nothing of that name", async () => {
    expect(await Hold.take(`${path}-absent`, "alone")).to.equal(undefined);
  });
});
