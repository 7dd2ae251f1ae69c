// The code store: what is kept, for whom, how long, and what is not believed.

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { CodeStore, type CodeStoreOptions } from "../../../pool/code-store.ts";
import type { KeptCode, Unpack } from "../../../pool/code-use.ts";

const size = 10_000;

describe("the code store", () => {
  let folder: string;
  const stores: CodeStore[] = [];
  const troubles: string[] = [];
  let unpacked: string[] = [];

  function opened(options: Partial<CodeStoreOptions> = {}): CodeStore {
    const store = new CodeStore({
      ...{ folder, maxBytes: 3 * size },
      onTrouble: (use, error) => troubles.push(`${use}: ${(error as Error | undefined)?.message}`),
      ...options,
    });
    stores.push(store);
    return store;
  }
  const unpackOf =
    (what: string, bytes = size): Unpack =>
    async (into, makeRoom) => {
      const not = makeRoom(bytes);
      if (not !== undefined) return { not };
      mkdirSync(into);
      writeFileSync(join(into, what), what);
      unpacked.push(what);
      return { bytes };
    };
  const use = (store: CodeStore, what: string, bytes?: number): Promise<KeptCode | undefined> =>
    store.use("nodejs", Buffer.from(what), unpackOf(what, bytes));
  async function used(store: CodeStore, what: string, bytes?: number): Promise<string> {
    const kept = await use(store, what, bytes);
    if (kept === undefined) return "not kept";
    const [file = ""] = readdirSync(kept.folder);
    kept.release();
    return file;
  }
  async function again(options: Partial<CodeStoreOptions> = {}): Promise<CodeStore> {
    await Promise.all(stores.map((store) => store.close()));
    return opened(options);
  }
  const keys = (): string[] => readdirSync(folder).filter((name) => !name.startsWith("."));

  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), "rewhisk-codes-")), "code");
    unpacked = [];
    troubles.length = 0;
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    rmSync(join(folder, ".."), { recursive: true, force: true });
  });

  it("has an archive unpacked once, also when the invoker is started again", async () => {
    const store = opened();
    for (let round = 0; round < 3; round++) expect(await used(store, "a")).to.equal("a");
    expect(await used(await again(), "a")).to.equal("a");
    expect(unpacked).to.deep.equal(["a"]);
    expect(store.counts).to.deep.equal({
      ...{ archives: 1, bytes: size },
      uses: { hit: 2, miss: 1, refused: 0, full: 0, busy: 0, failed: 0 },
    });
  });

  it("has one unpacked for all who want it at the same time", async () => {
    const store = opened();
    const kept = await Promise.all([use(store, "a"), use(store, "a"), use(store, "a")]);
    expect(new Set(kept.map((one) => one?.folder))).to.have.lengthOf(1);
    expect(unpacked).to.deep.equal(["a"]);
  });

  it("sends the archive to whoever would wait long for another to have it unpacked", async () => {
    const store = opened();
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const archive = Buffer.from("a");
    const first = store.use("nodejs", archive, async (into, makeRoom) => {
      await ended;
      return await unpackOf("a")(into, makeRoom);
    });
    expect(await store.use("nodejs", archive, unpackOf("a"), 1)).to.equal(undefined);
    end();
    expect(await first).not.to.equal(undefined);
    expect([await used(store, "a"), unpacked, store.counts.uses.busy]).to.deep.equal(["a", ["a"], 1]);
  });

  it("copies one at a time: who comes meanwhile goes without, and is not unpacked for in vain", async () => {
    const store = opened();
    const gate = (): { readonly opened: Promise<void>; open: () => void } => {
      let open = (): void => undefined;
      const opened = new Promise<void>((resolve) => {
        open = resolve;
      });
      return { opened, open };
    };
    const [begun, unpacking, copying, copied] = [gate(), gate(), gate(), gate()];
    const late = store.use("nodejs", Buffer.from("b"), async (into, makeRoom) => {
      begun.open();
      await unpacking.opened;
      return await unpackOf("b")(into, makeRoom);
    });
    await begun.opened;
    const first = store.use("nodejs", Buffer.from("a"), async (into, makeRoom) => {
      const done = await unpackOf("a")(into, makeRoom);
      copying.open();
      await copied.opened;
      return done;
    });
    await copying.opened;
    unpacking.open();
    expect([await late, await use(store, "c")]).to.deep.equal([undefined, undefined]);
    copied.open();
    expect((await first)?.folder).to.be.a("string");
    expect([unpacked, store.counts.uses.busy, troubles]).to.deep.equal([["a"], 2, []]);
    for (const what of ["b", "c"]) expect(await used(store, what)).to.equal(what);
  });

  it("keeps nothing of an attempt that failed, nor is it tried again for a while, whoever waits", async () => {
    let nowMs = 0;
    const store = opened({ nowMs: () => nowMs });
    const archive = Buffer.from("a");
    const failing = store.use("nodejs", archive, async (into, makeRoom) => {
      makeRoom(size);
      mkdirSync(into);
      writeFileSync(join(into, "half"), "");
      throw new Error("the container is gone");
    });
    const next = store.use("nodejs", archive, unpackOf("a"));
    expect(await failing.catch((error: unknown) => (error as Error).message)).to.equal(
      "the container is gone",
    );
    expect(await next).to.equal(undefined);
    nowMs += 299_999;
    expect(await used(store, "a")).to.equal("not kept");
    nowMs++;
    expect([await used(store, "a"), unpacked]).to.deep.equal(["a", ["a"]]);
    expect(store.counts).to.deep.include({ bytes: size });
    expect(store.counts.uses).to.include({ failed: 2, miss: 1 });
  });

  it("has no archive tried again for a while that could not be kept, and says each reason once", async () => {
    const store = opened({ nowMs: () => 0 });
    let tries = 0;
    const failing = (errnum: number): Unpack => {
      const error = Object.assign(new Error(`no ${errnum}`), { code: "system", errnum });
      return (_, makeRoom) => {
        tries++;
        makeRoom(size);
        return Promise.resolve({ not: "failed", error });
      };
    };
    for (const [what, errnum] of [
      ["a", 1],
      ["a", 1],
      ["b", 1],
      ["c", 2],
    ] as const)
      expect(await store.use("nodejs", Buffer.from(what), failing(errnum))).to.equal(undefined);
    expect([tries, store.counts.uses.failed, troubles]).to.deep.equal([
      ...[3, 4],
      ["failed: no 1", "failed: no 2"],
    ]);
  });

  it("keeps nothing for which the disk has no room, but gives up for it what was used longest ago", async () => {
    const spare = 64 * 2 ** 20;
    let free = spare + 2 * size;
    const store = opened({ freeBytes: () => free });
    await used(store, "a");
    free -= size;
    const kept = await use(store, "b");
    free -= size;
    // a goes, but what it took is not free yet.
    expect(await used(store, "c")).to.equal("not kept");
    await store.close();
    expect(keys()).to.have.lengthOf(1);
    free += size;
    expect(await used(store, "c")).to.equal("c");
    free = 0;
    expect([await used(store, "d"), await used(store, "b")]).to.deep.equal(["not kept", "b"]);
    kept?.release();
    expect(unpacked).to.deep.equal(["a", "b", "c"]);
  });

  it("keeps apart what different runtimes unpack", async () => {
    const store = opened();
    const archive = Buffer.from("a");
    await store.use("python", archive, unpackOf("of python"));
    await store.use("nodejs", archive, unpackOf("of nodejs"));
    expect(unpacked).to.deep.equal(["of python", "of nodejs"]);
  });

  it("gives up what was used longest ago, in this life or the one before, and never what is in use", async () => {
    let store = opened();
    for (const what of ["a", "b", "c", "a", "d"]) await used(store, what);
    // b had to go.
    for (const what of ["a", "c", "d"]) await used(store, what);
    expect(unpacked).to.deep.equal(["a", "b", "c", "d"]);
    await store.close();
    for (const [index, name] of keys().entries()) utimesSync(join(folder, name), index, index);
    const [oldest = ""] = keys();
    store = await again();
    const kept = await use(store, "e");
    await store.close();
    expect(keys()).to.have.lengthOf(3).and.not.include(oldest);
    for (const what of ["f", "g", "h", "i"]) await used(store, what);
    expect(existsSync(kept?.folder ?? "")).to.equal(true);
    expect(store.counts.bytes).to.be.at.most(3 * size);
  });

  it("keeps nothing for which there is no room beside what is in use, and says so once", async () => {
    const store = opened();
    const kept: (KeptCode | undefined)[] = [];
    for (const what of ["a", "b", "c"]) kept.push(await use(store, what));
    expect([await used(store, "d"), await used(store, "d")]).to.deep.equal(["not kept", "not kept"]);
    expect([unpacked.length, store.counts.uses.full, troubles.length]).to.deep.equal([3, 2, 1]);
    kept[0]?.release();
    expect(await used(store, "d")).to.equal("d");
    expect(await used(store, "too large", 4 * size)).to.equal("not kept");
    expect(store.counts.bytes).to.equal(3 * size);
  });

  it("has no archive tried again that its runtime refuses", async () => {
    const store = opened();
    let tries = 0;
    const refuse = (): Promise<{ not: "refused" }> => {
      tries++;
      return Promise.resolve({ not: "refused" });
    };
    for (let round = 0; round < 3; round++)
      expect(await store.use("nodejs", Buffer.from("bad"), refuse)).to.equal(undefined);
    expect([tries, store.counts.uses.refused, troubles]).to.deep.equal([1, 3, []]);
  });

  it("believes nothing of which a sudden end has left it unknown whether it is whole", async () => {
    await used(opened(), "a");
    await used(await again(), "b");
    await again();
    const [first = "", second = ""] = keys();
    rmSync(join(folder, first, "kept"));
    mkdirSync(join(folder, ".old-0123456789abcdef", "x"), { recursive: true });
    writeFileSync(join(folder, second, ".kept"), '{"byt');
    writeFileSync(join(folder, "somebody's"), "");
    const store = await again();
    expect(store.counts.archives).to.equal(1);
    await store.close();
    expect(readdirSync(folder)).to.have.members([second, "somebody's"]);
    for (const what of ["a", "b"]) expect(await used(store, what)).to.equal(what);
    expect(unpacked).to.have.lengthOf(3);
  });

  it("removes also what no path leads to", async () => {
    const above = join(folder, "..");
    // As long as a path may be; below the store's folder it is longer.
    const left = 4090 - above.length;
    const names = `${"d".repeat(200)}/`.repeat(left).slice(0, left).replace(/\/$/, "");
    mkdirSync(join(above, names), { recursive: true });
    const old = join(folder, ".old-0123456789abcdef");
    mkdirSync(old, { recursive: true, mode: 0o700 });
    renameSync(join(above, "d".repeat(200)), join(old, "d".repeat(200)));
    await opened().close();
    expect([readdirSync(folder), troubles]).to.deep.equal([[], []]);
  });

  it("has after a sudden end what was on disk, and nothing of what was not", async () => {
    const program = join(import.meta.dirname, "code-store-program.js");
    const killed = (when: string): string | null =>
      spawnSync(process.execPath, [program, when, folder], { encoding: "utf8" }).signal;
    expect([killed("half"), keys().length]).to.deep.equal(["SIGKILL", 1]);
    const store = opened();
    expect(store.counts).to.include({ archives: 0, bytes: 0 });
    await store.close();
    expect(readdirSync(folder)).to.deep.equal([]);
    expect(killed("whole")).to.equal("SIGKILL");
    const next = opened();
    expect(await used(next, "an archive")).to.equal("file");
    expect([next.counts.uses.hit, unpacked]).to.deep.equal([1, []]);
  });

  const tamperings: { readonly [what: string]: (path: string) => void } = {
    "can be entered by others": (path) => chmodSync(path, 0o755),
    "others can write to": (path) => chmodSync(join(path, "code"), 0o777),
    "is a link": (path) => {
      renameSync(join(path, "code"), join(path, "elsewhere"));
      symlinkSync(join(path, "elsewhere"), join(path, "code"));
    },
    "is gone": (path) => rmSync(join(path, "code"), { recursive: true }),
    "is gone as a whole": (path) => rmSync(path, { recursive: true }),
  };
  for (const [what, tamper] of Object.entries(tamperings))
    it(`does not believe code that ${what}: it is unpacked again, in this life and the next`, async () => {
      const store = opened();
      await used(store, "a");
      await store.close();
      tamper(join(folder, keys()[0] ?? ""));
      expect(await used(store, "a")).to.equal("a");
      await store.close();
      tamper(join(folder, keys()[0] ?? ""));
      expect(await used(await again(), "a")).to.equal("a");
      expect([unpacked, troubles]).to.deep.equal([["a", "a", "a"], []]);
    });

  it("does not open a folder that others can write to, or could have made", () => {
    const above = join(folder, "..");
    chmodSync(above, 0o777);
    expect(() => opened()).to.throw("is not to be trusted");
    chmodSync(above, 0o700);
    chmodSync(folder, 0o777);
    expect(() => opened()).to.throw("is not to be trusted");
    chmodSync(folder, 0o755);
    opened();
    expect(lstatSync(folder).mode & 0o777).to.equal(0o700);
  });
});
