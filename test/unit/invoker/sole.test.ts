// No two processes are the same invoker at the same time.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { becomeSole, isRunning } from "../../../invoker/sole.ts";

describe("the invoker of a name", () => {
  let folder: string;
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), "rewhisk-sole-")), "made when it is needed");
  });
  afterEach(() => rmSync(join(folder, ".."), { recursive: true }));

  it("is one process, until that ends", async () => {
    const first = await becomeSole("wsk0-0", { folder });
    expect(first).not.to.equal(undefined);
    expect(await becomeSole("wsk0-0", { folder, patienceMs: 0 })).to.equal(undefined);
    const next = becomeSole("wsk0-0", { folder, patienceMs: 20_000 });
    await first?.release();
    const second = await next;
    expect(second).not.to.equal(undefined);
    await second?.release();
  });

  it("is seen to run by who only asks, and leaves nothing behind", async () => {
    expect(await isRunning("wsk0-0", folder)).to.equal(false);
    expect(existsSync(folder)).to.equal(false);
    const hold = await becomeSole("wsk0-0", { folder });
    expect(await isRunning("wsk0-0", folder)).to.equal(true);
    await hold?.release();
    expect(await isRunning("wsk0-0", folder)).to.equal(false);
  });

  it("keeps nobody of another name", async () => {
    const holds = [
      await becomeSole("wsk0-0", { folder }),
      await becomeSole("wsk0-1", { folder, patienceMs: 0 }),
    ];
    expect(holds).not.to.include(undefined);
    for (const hold of holds) await hold?.release();
  });
});
