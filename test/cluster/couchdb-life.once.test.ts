// An invoker that is killed while it stores records: what it said was kept is stored by its next life.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { within } from "../within.ts";
import { databases, filesBelow, openStores, recordOf, TestCouch } from "./couch.ts";

const patienceMs = 60_000;

function filledFiles(folder: string): number {
  // One that is done with may go between the two looks.
  const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return filesBelow(folder).filter((path) => sizeOf(path) > 0).length;
}

describe("after kill -9 of an invoker that stores records, the next life", () => {
  let couch: TestCouch;

  before(async () => {
    couch = await TestCouch.start();
  });
  after(async () => {
    await couch.stop();
  });

  /** Runs until it has kept so many and may be killed, kills it, and gives the names of those that were kept. */
  async function killedLife(
    port: number,
    folder: string,
    word: string,
    count: number,
    mayDie = () => true,
  ): Promise<string[]> {
    const program = join(import.meta.dirname, "records-program.js");
    const life = spawn(process.execPath, [program, String(port), folder, word], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(life, "close");
    let output = "";
    life.stdout.on("data", (piece: Buffer) => {
      output += piece.toString();
      if (output.split("\n").length > count && mayDie()) life.kill("SIGKILL");
    });
    expect(await ended).to.deep.equal([null, "SIGKILL"]);
    return output.split("\n").slice(0, -1);
  }

  async function lost(kept: readonly string[]): Promise<string[]> {
    const { body } = await couch.send("GET", `${databases.activations}/_all_docs`);
    const stored = new Set(body.rows.map(({ id }: { id: string }) => id));
    return kept.filter((id) => !stored.has(id));
  }

  /** Opens the stores as the next life does, and waits until all is stored: also what a killed one still held for a moment. */
  async function nextLife(folder: string): Promise<void> {
    const stores = await openStores(couch.gate.port, folder);
    await within(patienceMs, () => {
      const { waiting, spooledBytes } = stores.activations.status();
      return (waiting === 0 && spooledBytes === 0 && filledFiles(folder) === 0) || undefined;
    });
    await stores.close(0);
    expect(stores.activations.status()).to.include({ refused: 0, dropped: 0 });
    expect(filesBelow(folder)).to.deep.equal([]);
  }

  it("stores what was kept while the database was away, in memory and beyond", async () => {
    const folder = couch.newSpool();
    await couch.kill();
    const kept = await killedLife(couch.gate.port, folder, "away", 4_000);
    expect(filledFiles(folder)).to.be.greaterThan(1);
    await couch.serve();
    expect((await lost(kept)).length).to.equal(kept.length);
    await nextLife(folder);
    expect(await lost(kept)).to.deep.equal([]);
  }).timeout(2 * patienceMs);

  it("stores it though it began before the other's end, and nothing of it sooner", async () => {
    const folder = couch.newSpool();
    await couch.kill();
    let own: string[] | undefined;
    const dying = killedLife(couch.gate.port, folder, "dying", 100, () => own !== undefined);
    await within(patienceMs, () => (existsSync(folder) && filledFiles(folder) > 0) || undefined);
    const { activations, close } = await openStores(couch.gate.port, folder);
    expect(activations.status()).to.include({ waiting: 0, spooledBytes: 0 });
    const records = [1, 2, 3].map((i) => recordOf(`living-${i}`));
    for (const record of records) await activations.store(record);
    own = records.map(({ _id }) => _id);
    const kept = await dying;
    await couch.serve();
    await within(patienceMs, async () => (await lost([...kept, ...own])).length === 0 || undefined);
    await within(patienceMs, () => filledFiles(folder) === 0 || undefined);
    await close(0);
    expect(filesBelow(folder)).to.deep.equal([]);
  }).timeout(2 * patienceMs);

  it("stores what was on its way, at whatever moment the end came", async () => {
    const folder = couch.newSpool();
    const kept: string[] = [];
    for (const count of [1, 40, 200, 333, 500]) {
      kept.push(...(await killedLife(couch.gate.port, folder, `under-way-${count}`, count)));
    }
    await nextLife(folder);
    expect(await lost(kept)).to.deep.equal([]);
    expect(new Set(kept).size).to.equal(kept.length).and.be.greaterThan(1_000);
  }).timeout(2 * patienceMs);
});
