// Templates that are written to a file, and loaded: what is booted of one is what is booted of the checkpoint itself.

import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ContainerCheckpoint, nativeFolder, RestorerError, Template } from "../../restorer/index.ts";
import { Victim, victimProgram } from "./victim.ts";

const pageBytes = 4096;
const victims = [
  "memory-written",
  "boot-objects",
  "boot-zeroes",
  "boot-advice",
  "boot-threads",
  "boot-stack",
  "boot-divided",
] as const;

describe("a template in a file", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "template-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** The file of a victim that has ended, and how many of its bytes are no pages. */
  async function save(
    name: string,
    start = Victim.startPlain,
  ): Promise<{ readonly file: string; readonly tables: number }> {
    const victim = await start(victimProgram(name));
    const file = join(folder, name);
    const fd = openSync(file, "w", 0o600);
    try {
      const image = await ContainerCheckpoint.take([victim.pid], { rung: "write-protect" });
      const template = image.template();
      await template.save(fd);
      template.release();
      image.release();
      return { file, tables: readFileSync(file).length - image.summary.pages * pageBytes };
    } finally {
      closeSync(fd);
      await victim.end();
    }
  }

  async function useIt(victim: Victim, checkpoint: ContainerCheckpoint): Promise<void> {
    for (let i = 0; i < 3; i++) {
      await victim.change();
      expect(await checkpoint.rewind({ verify: true })).to.include({ verified: true });
    }
    checkpoint.release();
  }

  for (const name of victims)
    it(`is what processes are booted from, by an embryo: ${name.replaceAll("-", " ")}`, async () => {
      const { file } = await save(name);
      const template = await Template.load(readFileSync(file));
      const waiting = await Victim.startWaitingHere(victimProgram(name));
      const vacant = await Victim.startVacant();
      try {
        const embryo = await template.embryo(waiting, () => waiting.end());
        const born = await ContainerCheckpoint.bootFrom(embryo, vacant.vacancy, { verify: true });
        await useIt(vacant.adopt(), born);
        embryo.release();
      } finally {
        template.release();
        await vacant.end();
        await waiting.end();
      }
    });

  it("is what processes are booted from that have memory of their own, also where it was loaded and saved before", async () => {
    const { file } = await save("boot-threads", Victim.startAlone);
    const once = await Template.load(readFileSync(file));
    const again = join(folder, "again");
    const fd = openSync(again, "w");
    await once.save(fd);
    closeSync(fd);
    once.release();
    expect(readFileSync(again).equals(readFileSync(file))).to.equal(true);
    const template = await Template.load(readFileSync(again));
    const waiting = await Victim.startWaiting(victimProgram("boot-threads"));
    try {
      await useIt(waiting, await ContainerCheckpoint.boot(template, waiting, { verify: true }));
    } finally {
      template.release();
      await waiting.end();
    }
  });

  it("is refused wherever it is cut off, with more behind it, and in another format", async () => {
    const { file, tables } = await save("boot-objects");
    const bytes = readFileSync(file);
    const refused = async (hostile: Buffer): Promise<string> => {
      const error = await Template.load(hostile).catch((failure: unknown) => failure);
      expect(error).to.be.instanceOf(RestorerError);
      expect(error).to.include({ code: "unsupported" });
      return (error as RestorerError).message;
    };
    for (let length = 0; length < bytes.length; length += length < tables ? 97 : pageBytes)
      await refused(bytes.subarray(0, length));
    expect(await refused(Buffer.concat([bytes, Buffer.alloc(pageBytes)]))).to.match(/number of pages/);
    const other = Buffer.from(bytes);
    other[8] = (other[8] ?? 0) + 1;
    expect(await refused(other)).to.match(/format/);
  });

  it("may hold any bytes: it is loaded or refused, and nothing is read that is not there", async () => {
    for (const name of ["boot-objects", "boot-threads"]) {
      const { file, tables } = await save(name);
      const options = [file, String(tables), "1", "4000"];
      const said = execFileSync(`${nativeFolder}template-bytes`, options, { encoding: "utf8" });
      const [loaded = 0, refused = 0] = said.split(" ").map(Number);
      expect(loaded).to.be.greaterThan(0);
      expect(refused).to.be.greaterThan(300);
    }
  });
});
