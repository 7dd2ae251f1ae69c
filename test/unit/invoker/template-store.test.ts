// The store of templates that an invoker's settings ask for.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { ClusterSettings } from "../../../invoker/config/cluster-settings.ts";
import { defaultInvokerSettings } from "../../../invoker/config/invoker-settings.ts";
import { templateStoreOf } from "../../../invoker/containers.ts";
import type { Rung, SandboxFactory } from "../../../pool/index.ts";

describe("the stored templates of an invoker", () => {
  let folder: string;
  const said: unknown[] = [];
  const factory = { kinds: () => ["python:3"], facts: () => ({}) } as unknown as SandboxFactory;
  const opened = (
    { boots = true, storesTemplates = true } = {},
    rung: Rung | undefined = "write-protect",
  ) => {
    const settings = { couchdb: { spool: { folder } }, storesTemplates } as ClusterSettings;
    const pool = { ...defaultInvokerSettings().pool, boots };
    return templateStoreOf(
      settings,
      { instance: 7, pool },
      { factory, rung },
      {
        noted: (level, { event, reason }) => said.push([level, event, reason]),
      },
    );
  };
  const isThere = (): boolean => existsSync(join(folder, "invoker7"));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-spool-"));
    said.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("are none unless they are asked for, and containers are booted", async () => {
    expect(await opened({ storesTemplates: false })).to.equal(undefined);
    expect(await opened({ boots: false })).to.equal(undefined);
    expect([isThere(), said]).to.deep.equal([false, []]);
  });

  it("lie in the invoker's own folder, which no other process has meanwhile", async () => {
    const store = await opened();
    expect(existsSync(join(folder, "invoker7", "templates"))).to.equal(true);
    expect(await opened()).to.equal(undefined);
    expect(String(said)).to.match(/template-not-stored,.*is another process's/);
    await store?.close();
    const next = await opened();
    expect(next).not.to.equal(undefined);
    await next?.close();
  });

  it("are none where others can write to the folder, which is said", async () => {
    mkdirSync(join(folder, "invoker7"));
    chmodSync(join(folder, "invoker7"), 0o777);
    expect(await opened()).to.equal(undefined);
    expect(String(said)).to.match(/template-not-stored,.*is not to be trusted: others can write/);
  });
});
