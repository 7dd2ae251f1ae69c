// Records and a disk that is full, hangs or cannot be used, while the database is away: what is kept, what is lost, and who hears of it.

import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { SpoolError } from "../../invoker/store/couchdb/spool.ts";
import { within } from "../within.ts";
import { filesBelow, openStores, recordOf } from "./couch.ts";
import { patienceMs, ScriptedRecords } from "./scripted-records.ts";

describe("a record whose database", () => {
  let setting: ScriptedRecords;
  beforeEach(async () => {
    setting = await ScriptedRecords.start();
  });
  afterEach(() => setting.close());

  async function expectLostAtTheEnd(storing: Promise<unknown>): Promise<void> {
    const lost = storing.catch((error: Error) => error.name);
    await setting.stores.close(0);
    expect(await lost).to.equal("RecordLostError");
    expect(setting.stores.events.at(-1)).to.deep.equal({
      event: "record-dropped",
      id: "guest/a",
      dropped: 1,
    });
  }

  describe("is away, on a disk that is full,", () => {
    let small: string;

    beforeEach(function () {
      small = join(setting.folder, "small");
      mkdirSync(small);
      // A small memory file system stands for the disk; mounting it takes root.
      const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", small]);
      if (mounted.status !== 0) {
        console.log(`      skipped: mounting is not permitted here (${mounted.stderr?.toString().trim()})`);
        this.skip();
      }
    });
    afterEach(async () => {
      await setting.stores.close(0);
      spawnSync("umount", ["--lazy", small]);
    });

    function fill(): () => void {
      const { bavail, bsize } = statfsSync(small);
      writeFileSync(join(small, "filling"), Buffer.alloc(bavail * bsize));
      return () => rmSync(join(small, "filling"));
    }

    it("waits in memory, and on the disk as soon as that has room", async () => {
      await setting.reopen({}, join(small, "spool"));
      setting.couch.script = () => ({ status: 503 });
      await setting.store("on-disk");
      const empty = fill();
      const kept = { isSo: false };
      // Longer than what is left of the last block of the file.
      const long = recordOf("in-memory", { logs: ["x".repeat(10_000)] });
      const waits = setting.stores.activations.store(long).then(() => {
        kept.isSo = true;
      });
      await within(
        patienceMs,
        () => setting.stores.events.some(({ event }) => event === "spool-failed") || undefined,
      );
      expect(setting.stores.activations.status().waiting).to.equal(2);
      expect(kept.isSo).to.equal(false);
      empty();
      await setting.store("on-disk-again");
      await waits;
      await within(
        patienceMs,
        () => setting.stores.events.some(({ event }) => event === "spool-works-again") || undefined,
      );
      await setting.stores.close(0);
      setting.couch.script = (_what, _count, body) => setting.take(body);
      setting.stores = await openStores(setting.couch.port, join(small, "spool"));
      await setting.settled();
      expect(setting.taken).to.deep.equal(
        new Set(["guest/on-disk", "guest/in-memory", "guest/on-disk-again"]),
      );
    });

    it("is stored from memory when the database is back first", async () => {
      await setting.reopen({}, join(small, "spool"));
      fill();
      setting.couch.script = () => ({ status: 503 });
      const waits = setting.store("a", "b");
      await within(patienceMs, () => setting.couch.asked.length > 1 || undefined);
      setting.couch.script = (_what, _count, body) => setting.take(body);
      await waits;
      expect(setting.taken).to.deep.equal(new Set(["guest/a", "guest/b"]));
      expect(setting.stores.events.map(({ event }) => event)).to.have.members([
        "spool-failed",
        "database-away",
        "database-back",
      ]);
    });

    it("is told of as lost when the invoker ends before there is room anywhere", async () => {
      await setting.reopen({}, join(small, "spool"));
      fill();
      setting.couch.script = () => ({ how: "hanging" });
      const stored = setting.store("a");
      await within(patienceMs, () => setting.couch.asked.length > 0 || undefined);
      await expectLostAtTheEnd(stored);
    });

    it("is lost when memory is full as well: the oldest first, each one told of", async () => {
      const oneBytes = Buffer.byteLength(JSON.stringify(recordOf("0")));
      await setting.reopen({ recordMemoryBytes: 3 * oneBytes }, join(small, "spool"));
      fill();
      let held: boolean = true;
      setting.couch.script = async (_what, count, body) => {
        if (count === 0) return { status: 503 };
        await within(patienceMs, () => !held || undefined);
        return setting.take(body);
      };
      const lost: string[] = [];
      const store = (id: string): void =>
        void setting.stores.activations.store(recordOf(id)).catch((error: Error) => lost.push(error.name));
      store("0");
      // One request at a time asks whether it is back: with the first record, which is in no memory meanwhile.
      await within(patienceMs, () => setting.couch.asked.length === 2 || undefined);
      for (let i = 1; i < 8; i++) store(String(i));
      await within(patienceMs, () => setting.stores.activations.status().dropped === 4 || undefined);
      held = false;
      await within(patienceMs, () => setting.stores.activations.status().waiting === 0 || undefined);
      const dropped = setting.stores.events.filter(({ event }) => event === "record-dropped");
      expect(dropped).to.deep.equal(
        [1, 2, 3, 4].map((i) => ({ event: "record-dropped", id: `guest/${i}`, dropped: i })),
      );
      expect(setting.taken).to.deep.equal(new Set(["guest/0", "guest/5", "guest/6", "guest/7"]));
      expect(lost).to.deep.equal(dropped.map(() => "RecordLostError"));
    });
  });

  describe("answers, and a disk that hangs", () => {
    let goOn: () => void;
    let unpatch: () => void;

    /** No write to any file ends from here on, until `goOn` is called. */
    async function hang(): Promise<void> {
      const file = await open(setting.folder);
      const prototype = Object.getPrototypeOf(file) as { appendFile(data: unknown): Promise<void> };
      await file.close();
      const { appendFile } = prototype;
      const goesOn = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      prototype.appendFile = async function (data) {
        await goesOn;
        await appendFile.call(this, data);
      };
      unpatch = () => {
        prototype.appendFile = appendFile;
      };
    }
    beforeEach(hang);
    afterEach(async () => {
      goOn();
      unpatch();
      await setting.stores.close(0);
    });
    const isTold = (wanted: string): Promise<true> =>
      within(patienceMs, () => setting.stores.events.some(({ event }) => event === wanted) || undefined);

    it("has its records all the same, and none is written later that it has by then", async () => {
      const [first, ...others] = ["a", "b", "c"].map((id) => setting.store(id));
      await isTold("spool-failed");
      await Promise.all([first, ...others, setting.store("d")]);
      expect(setting.taken).to.deep.equal(new Set(["guest/a", "guest/b", "guest/c", "guest/d"]));
      goOn();
      await isTold("spool-works-again");
      await setting.settled();
      expect(setting.stores.activations.status().dropped).to.equal(0);
    });

    it("while it is away, drops the oldest of what memory may hold, and tells of each", async () => {
      const long = { logs: ["x".repeat(100_000)] };
      setting.couch.script = () => ({ status: 503 });
      await setting.reopen({ recordMemoryBytes: 550_000 });
      const lost: string[] = [];
      const storing = Array.from({ length: 40 }, (_, i) =>
        setting.stores.activations
          .store(recordOf(String(i + 10), long))
          .catch((error: Error) => lost.push(error.name)),
      );
      // Those that a request has in hand come beside the five.
      await within(patienceMs, () => setting.stores.activations.status().waiting <= 10 || undefined);
      setting.couch.script = (_what, _count, body) => setting.take(body);
      goOn();
      await Promise.all(storing);
      await setting.settled();
      const { dropped } = setting.stores.activations.status();
      expect(lost).to.deep.equal(Array.from({ length: dropped }, () => "RecordLostError"));
      expect(setting.stores.events.filter(({ event }) => event === "record-dropped")).to.have.length(dropped);
      expect(dropped).to.be.within(30, 35);
      expect(setting.taken).to.contain("guest/49");
    });

    it("keeps nobody from ending: what it did not write is told of as lost", async () => {
      setting.couch.script = () => ({ how: "hanging" });
      await expectLostAtTheEnd(setting.store("a"));
    });
  });

  it("is away is lost where the spool holds as much as it may, and memory too", async () => {
    const oneBytes = Buffer.byteLength(JSON.stringify(recordOf("00"))) + 1;
    const spool = { folder: join(setting.folder, "spool"), maxBytes: 10 * oneBytes };
    await setting.reopen({ spool, recordMemoryBytes: 5 * oneBytes });
    setting.couch.script = () => ({ status: 503 });
    for (let i = 10; i < 30; i++) {
      setting.stores.activations.store(recordOf(String(i))).catch(() => {});
    }
    await within(patienceMs, () => setting.stores.activations.status().dropped > 0 || undefined);
    expect(setting.stores.activations.status().spooledBytes).to.be.at.most(spool.maxBytes);
    setting.couch.script = (_what, _count, body) => setting.take(body);
    await setting.settled();
    expect(setting.taken.size + setting.stores.activations.status().dropped).to.equal(20);
    const [failed] = setting.stores.events.filter(({ event }) => event === "spool-failed");
    expect(failed).to.have.property("reason").that.contains("Bring the database back, or raise the limit.");
  });

  it("is not asked at all where the spool's folder cannot be used: that is said at the start", async () => {
    const file = join(setting.folder, "file");
    writeFileSync(file, "");
    const refused = await openStores(setting.couch.port, join(file, "below")).catch(
      (error: unknown) => error,
    );
    expect(() => {
      throw refused;
    })
      .to.throw(SpoolError, `The folder ${file}/below, where records wait for the database, cannot be used`)
      .with.property("message")
      .that.contains("Change its owner or mode, or choose another.");
  });

  it("takes none while it closes has it on disk for the next life, and no timer left", async () => {
    setting.couch.script = () => ({ status: 503 });
    await setting.store("a", "b");
    await setting.stores.close(50);
    const asked = setting.couch.asked.length;
    expect(filesBelow(join(setting.folder, "spool"))).to.have.length(1);
    setting.stores = await openStores(setting.couch.port, join(setting.folder, "spool"));
    setting.couch.script = (_what, _count, body) => setting.take(body);
    await setting.settled();
    expect(setting.taken).to.deep.equal(new Set(["guest/a", "guest/b"]));
    expect(setting.couch.asked.length).to.equal(asked + 1);
  });
});
