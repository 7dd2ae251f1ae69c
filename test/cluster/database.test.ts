// The server that stands for CouchDB in a cluster on one machine: its views, its manners, its end.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { startDatabase } from "../../standalone/cluster/database.ts";
import { StartError } from "../../standalone/errors.ts";
import { within } from "../within.ts";
import { databases, recordOf, TestCouch } from "./couch.ts";

const patienceMs = 60_000;

describe("the database server of a cluster on one machine", () => {
  let couch: TestCouch;

  before(async () => {
    couch = await TestCouch.start();
  });
  after(async () => {
    await couch.stop();
  });

  async function view(path: string, query: { readonly [name: string]: unknown }): Promise<Rows> {
    const text = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) text.set(name, JSON.stringify(value));
    const url = `${databases.activations}/_design/${path}?${text}`;
    const { status, body } = await couch.send("GET", url);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body.rows;
  }

  it("gives activations by namespace and time, and by name, as controllers ask for them", async () => {
    const path = (value: string): { readonly key: string; readonly value: string } => ({
      key: "path",
      value,
    });
    const binding = { key: "binding", value: "guest/bound" };
    await couch.put(
      "activations",
      recordOf("one", { start: 10, end: 103, annotations: [path("guest/hello")] }),
    );
    await couch.put("activations", recordOf("two", { start: 20, annotations: [path("guest/tools/hello")] }));
    await couch.put(
      "activations",
      recordOf("three", { start: 30, annotations: [path("a/b/hello"), binding] }),
    );
    await couch.put(
      "activations",
      recordOf("trigger", { start: 40, end: 0, name: "fired", annotations: [] }),
    );
    await couch.put("activations", recordOf("other", { start: 50, namespace: "other" }));
    await couch.put("activations", { _id: "guest/no-activation" });

    const all = { startkey: ["guest", 10], endkey: ["guest", 40], reduce: false };
    const rows = await view("whisks.v2.1.0/_view/activations", all);
    expect(rows.map(({ key, id }) => [key, id])).to.deep.equal([
      [["guest", 10], "guest/one"],
      [["guest", 20], "guest/two"],
      [["guest", 30], "guest/three"],
      [["guest", 40], "guest/trigger"],
    ]);
    const summary = {
      namespace: "guest",
      name: "hello",
      version: "0.0.1",
      publish: false,
      activationId: "one",
    };
    expect(rows[0]?.value).to.deep.equal({
      ...{ ...summary, start: 10, end: 103, duration: 93, statusCode: 0 },
      annotations: [path("guest/hello")],
    });
    expect(rows[3]?.value).to.not.have.any.keys("end", "duration", "statusCode");

    const counted = await view("whisks.v2.1.0/_view/activations", { ...all, reduce: true });
    expect(counted[0]?.value).to.equal(4);
    for (const [name, id] of [
      ["hello", "one"],
      ["tools/hello", "two"],
      ["bound/hello", "three"],
      ["fired", "trigger"],
    ]) {
      const range = { startkey: [`guest/${name}`, 0], endkey: [`guest/${name}`, 99], reduce: false };
      const found = await view("whisks-filters.v2.1.1/_view/activations", range);
      expect(found.map((row) => row.id)).to.deep.equal([`guest/${id}`]);
    }
  });

  it("lets nobody in without the password", async () => {
    for (const headers of [{}, { authorization: "Basic d2hpc2tfYWRtaW46bm8=" }]) {
      const response = await fetch(`http://127.0.0.1:${couch.gate.port}/${databases.whisks}`, { headers });
      expect(response.status).to.equal(401);
      expect(await response.json()).to.have.property("error", "unauthorized");
    }
  });

  it("takes a plus sign in a path for a space, as CouchDB does", async () => {
    await couch.put("whisks", { _id: "guest/a b+c" });
    for (const path of ["guest%2Fa+b%2Bc", "guest%2Fa%20b%2Bc"]) {
      const { body } = await couch.send("GET", `${databases.whisks}/${path}`);
      expect(body._id).to.equal("guest/a b+c");
    }
  });

  it("has after kill -9 what it had taken", async () => {
    await couch.put("activations", recordOf("before"));
    await couch.kill();
    await couch.serve();
    expect(await couch.get("activations", "guest/before")).to.have.property("activationId", "before");
  });

  it("that cannot start says why", async () => {
    const login = { username: "u", password: "p", prefix: "" };
    const folder = join(couch.folder, "second");
    const port = couch.gate.port;
    const error: unknown = await startDatabase({ folder, port, ...login }).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(StartError).with.property("message").that.contains("EADDRINUSE");
  });

  it("ends with the process that started it, whatever ended that", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rewhisk-database-"));
    const module = JSON.stringify(join(import.meta.dirname, "../../standalone/cluster/database.js"));
    const settings = JSON.stringify({ folder, port: 0, username: "u", password: "p", prefix: "" });
    const code = `const { startDatabase } = await import(${module}); console.log((await startDatabase(${settings})).pid);`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", code], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [printed] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(printed.toString());
    expect(isAlive(pid)).to.equal(true);
    parent.kill("SIGKILL");
    await within(patienceMs, () => !isAlive(pid) || undefined);
    rmSync(folder, { recursive: true });
  });
});

type Rows = readonly { readonly id: string; readonly key: unknown; readonly value: unknown }[];

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
