// The code store where an archive is given up and copied anew before the disk has all of it: what seals it late seals no other copy.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { CodeStore } from "../../../pool/code-store.ts";
import type { Unpack } from "../../../pool/code-use.ts";

const size = 10_000;
/** After the disk's answer the seal is a matter of milliseconds, if it comes. */
const longMs = 500;

describe("the code store, on a disk that has much else to write", () => {
  const path = process.env.PATH;
  let place: string;
  const gate = (): string => join(place, "gate");

  /** "sync" returns when the gate is open. */
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), "rewhisk-codes-"));
    const programs = join(place, "bin");
    mkdirSync(programs);
    const sync = `#!/bin/sh\nwhile [ ! -e '${gate()}' ]; do sleep 0.02; done\n`;
    writeFileSync(join(programs, "sync"), sync);
    chmodSync(join(programs, "sync"), 0o755);
    process.env.PATH = `${programs}${delimiter}${path}`;
  });
  afterEach(() => {
    process.env.PATH = path;
    rmSync(place, { recursive: true, force: true });
  });

  it("seals nothing that is still being copied, though an earlier copy of the same is written by now", async () => {
    const store = new CodeStore({ folder: join(place, "code"), maxBytes: size });
    const unpackOf =
      (write: (into: string) => Promise<void> | void): Unpack =>
      async (into, makeRoom) => {
        const not = makeRoom(size);
        if (not !== undefined) return { not };
        mkdirSync(into);
        await write(into);
        return { bytes: size };
      };
    const use = async (what: string, write: (into: string) => Promise<void> | void): Promise<void> =>
      (await store.use("nodejs", Buffer.from(what), unpackOf(write)))?.release();
    await use("a", () => undefined);
    // For which the other is given up.
    await use("b", () => undefined);
    let sealed = "";
    let isSealed: boolean | undefined;
    await use("a", async (into) => {
      sealed = join(into, "..", "kept");
      writeFileSync(gate(), "");
      await sleep(longMs);
      isSealed = existsSync(sealed);
    });
    await store.close();
    expect([isSealed, existsSync(sealed)], "during the copy, and after it").to.deep.equal([false, true]);
  });
});
