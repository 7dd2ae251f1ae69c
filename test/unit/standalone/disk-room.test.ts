// A disk that gets full while the server runs: what it refuses, what still works, and that nothing stored is lost.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { StoreError } from "../../../standalone/errors.ts";
import { DiskRoom } from "../../../standalone/store/disk-room.ts";
import { startTestServer, type TestServer } from "./server.ts";

const actions = "/api/v1/namespaces/_/actions";
const action = { exec: { kind: "nodejs:20", code: ";" } };

describe("on a disk that gets full, the server", () => {
  let folder: string;
  let server: TestServer;

  beforeEach(async function () {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-full-"));
    // A small memory file system stands for the disk; mounting it takes root.
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", folder]);
    if (mounted.status !== 0) {
      rmSync(folder, { recursive: true });
      console.log(`      skipped: mounting is not permitted here (${mounted.stderr?.toString().trim()})`);
      this.skip();
    }
    server = await startTestServer({ folder });
    expect((await server.send("PUT", `${actions}/old`, action)).status).to.equal(200);
  });
  afterEach(async () => {
    await server.stop({ keep: true });
    spawnSync("umount", ["--lazy", folder]);
    rmSync(folder, { recursive: true });
  });

  const filling = (): string => join(folder, "filling");
  function fillUpTo(freeBytes: number): void {
    const { bavail, bsize } = statfsSync(folder);
    writeFileSync(filling(), Buffer.alloc(bavail * bsize - freeBytes));
  }

  it("refuses what is new and says why, shows and removes what is there, and recovers", async () => {
    fillUpTo(8 << 20);
    for (const [method, path] of [
      ["PUT", `${actions}/new`],
      ["POST", `${actions}/old?blocking=true`],
      ["POST", `${actions}/old`],
    ] as const) {
      const { status, body } = await server.send(method, path, action);
      expect([status, body.error]).to.deep.equal([
        507,
        "The disk of the server is full: nothing new can be stored or run. Removing what is there helps.",
      ]);
    }
    expect(server.messages).to.deep.equal([]);
    expect((await server.send("GET", `${actions}/old`)).status).to.equal(200);
    expect((await server.send("DELETE", `${actions}/old`)).status).to.equal(200);
    rmSync(filling());
    expect((await server.send("PUT", `${actions}/new`, action)).status).to.equal(200);
    expect(server.faults).to.deep.equal([]);
    expect(server.diskLines).to.have.length(2);
    expect(server.diskLines[0]).to.match(
      / is full: nothing new is stored or run until there are 16 MB again\.$/,
    );
    expect(server.diskLines[1]).to.match(/ has room again\.$/);
  });

  it("refuses code for which there is no room", async () => {
    fillUpTo(24 << 20);
    const large = { exec: { kind: "nodejs:20", code: `//${"x".repeat(6 << 20)}` } };
    expect((await server.send("PUT", `${actions}/large`, large)).status).to.equal(507);
    expect((await server.send("PUT", `${actions}/small`, action)).status).to.equal(200);
  });

  it("writes nothing where nothing fits, so that it has all its data at the next start", async () => {
    fillUpTo(0);
    expect((await server.send("PUT", `${actions}/new`, action)).status).to.equal(507);
    expect((await server.send("DELETE", `${actions}/old`)).status).to.equal(507);
    rmSync(filling());
    expect((await server.send("PUT", `${actions}/new`, action)).status).to.equal(200);
    expect((await server.send("DELETE", `${actions}/old`)).status).to.equal(200);
    await server.stop({ keep: true });
    server = await startTestServer({ folder });
    const { body } = await server.send("GET", actions);
    expect(body.map(({ name }: { name: string }) => name)).to.deep.equal(["new"]);
  });
});

describe("a write that met a full disk", () => {
  it("is the last one until the next start: LevelDB would lose what follows", () => {
    const lines: string[] = [];
    const room = new DiskRoom(tmpdir(), (line) => lines.push(line));
    room.requireForNew(0);
    expect(room.failure(new Error("IO error: /data/000005.log: Input/output error"))).to.equal(undefined);
    for (let i = 0; i < 2; i++) {
      const failure = room.failure(new Error("IO error: /data/000005.log: No space left on device"));
      expect(failure).to.be.instanceOf(StoreError).and.include({ code: "full" });
      expect(() => room.requireForRest()).to.throw(StoreError, "started again");
    }
    expect(lines).to.have.length(1);
  });
});
