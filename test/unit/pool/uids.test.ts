// User ids for containers: each has one holder at a time, also where several invokers ask on one machine.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { LeanError } from "../../../pool/lean/errors.ts";
import { Uids } from "../../../pool/lean/uids.ts";

describe("user ids of containers", () => {
  let folder: string;
  const opened: Uids[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-uids-"));
  });
  afterEach(async () => {
    for (const uids of opened.splice(0)) await uids.close();
    rmSync(folder, { recursive: true });
  });
  const open = (options = {}): Uids => {
    const uids = new Uids(options, join(folder, "uids"));
    opened.push(uids);
    return uids;
  };

  it("are of ranges that have nothing in common, and free again at the end", async () => {
    const [one, other] = [open(), open()];
    const taken = [await one.take(), await other.take(), await one.take(), await other.take()];
    expect(taken).to.deep.equal([600_000, 604_096, 600_001, 604_097]);
    await one.close();
    expect(await open().take()).to.equal(600_000);
    expect(await open().take()).to.equal(608_192);
  });

  it("come from one range however many are asked for at once", async () => {
    const uids = open();
    const taken = await Promise.all([1, 2, 3].map(() => uids.take()));
    expect(taken).to.deep.equal([600_000, 600_001, 600_002]);
  });

  it("that cannot be held are told from those that others have", async () => {
    writeFileSync(join(folder, "uids"), "");
    const refusal: unknown = await open()
      .take()
      .catch((error: unknown) => error);
    expect(refusal).to.be.instanceOf(LeanError).with.property("code", "uid-range");
  });

  it("rest for as long as possible, and have an end", async () => {
    const uids = open({ firstUid: 7, uidCount: 2 });
    expect([await uids.take(), await uids.take()]).to.deep.equal([7, 8]);
    const refusal: unknown = await uids.take().catch((error: unknown) => error);
    expect(refusal).to.be.instanceOf(LeanError).with.property("code", "no-uid");
    uids.giveBack(7);
    expect(await uids.take()).to.equal(7);
  });
});
