// The code store that an invoker's settings ask for.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { ClusterSettings } from "../../../invoker/config/cluster-settings.ts";
import { codeStoreOf } from "../../../invoker/containers.ts";

describe("the code store of an invoker", () => {
  let folder: string;
  const said: unknown[] = [];
  const opened = (codeStoreMB: number) => {
    const settings = { couchdb: { spool: { folder } }, codeStoreMB } as ClusterSettings;
    return codeStoreOf(settings, 7, {
      noted: (level, { event, reason }) => said.push([level, event, reason]),
    });
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-spool-"));
    said.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("is none where it has no disk", async () => {
    expect(await opened(0)).to.equal(undefined);
    expect(existsSync(join(folder, "invoker7"))).to.equal(false);
  });

  it("lies in the invoker's own folder, and says once what keeps archives from being kept", async () => {
    const store = await opened(1);
    expect(existsSync(join(folder, "invoker7", "code"))).to.equal(true);
    const large = Buffer.alloc(2 ** 21);
    for (let round = 0; round < 2; round++)
      expect(await store?.use("nodejs", large, () => Promise.reject(new Error("it was unpacked")))).to.equal(
        undefined,
      );
    store?.notShown(new Error("no mounts"));
    const event = "code-not-kept";
    expect(said).to.deep.equal([
      ["warn", event, "there is no room beside those in use, or on the disk"],
      ["warn", event, "no mounts"],
    ]);
    await store?.close();
  });

  it("is none where another process has its folder, which is said; and of whoever has it next", async () => {
    const store = await opened(1);
    expect(await opened(1)).to.equal(undefined);
    expect(String(said)).to.match(/code-not-kept,.*is another process's/);
    await store?.close();
    const next = await opened(1);
    expect(next).not.to.equal(undefined);
    await next?.close();
  });

  it("is none where others can write to its folder, which is said", async () => {
    mkdirSync(join(folder, "invoker7"));
    chmodSync(join(folder, "invoker7"), 0o777);
    expect(await opened(1)).to.equal(undefined);
    expect(String(said)).to.match(/code-not-kept,.*is not to be trusted: others can write/);
  });
});
