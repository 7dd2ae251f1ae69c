// The program of a cluster's invoker while it starts: what must be there before what, with a real broker and a slow database.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "chai";
import { freePort } from "../../standalone/cluster/java.ts";
import { invokerEnvironment } from "../../standalone/cluster/machine.ts";
import { instanceName } from "../system/instance.ts";
import { holdsWithin, within } from "../within.ts";
import { KafkaSetting } from "./kafka-setting.ts";
import { ScriptedCouch } from "./scripted-couch.ts";

const patienceMs = 60_000;
/** In which all that waits for no database is done. */
const longEnoughMs = 6_000;
const version = process.versions.node.split(".")[0];
const manifest = {
  runtimes: {
    nodejs: [{ kind: `nodejs:${version}`, default: true, image: { prefix: "o", name: "n", tag: "t" } }],
  },
} as unknown as Parameters<typeof invokerEnvironment>[1]["manifest"];

describe("the start of a cluster's invoker", function () {
  this.timeout(3 * patienceMs);
  let setting: KafkaSetting;
  let couch: ScriptedCouch;
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-start-"));
    couch = await ScriptedCouch.start();
    setting = await KafkaSetting.start();
  });
  after(async () => {
    await setting.close();
    await couch.stop();
    rmSync(folder, { recursive: true });
  });

  const topics = (): Promise<readonly string[]> => setting.admin((admin) => admin.listTopics());

  it("asks the databases before it reads messages or tells controllers, and serves HTTP last of all", async () => {
    await setting.create({ topic: "health" });
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    couch.script = async () => {
      await answered;
      return { body: '{"rows":[]}' };
    };
    const environment = await invokerEnvironment(
      { userMemoryMB: 256, concurrencyMax: 1, rewind: "always" },
      {
        ...{
          folder,
          kafkaHosts: setting.broker.bootstrap,
          databasePort: couch.port,
          password: "p",
          manifest,
        },
        apiUrl: `http://127.0.0.1:${await freePort()}`,
      },
    );
    const pings: string[] = [];
    const { bus } = setting.open();
    const listening = bus.subscribe("health", (ping) => void pings.push(ping));
    const program = spawn(
      process.execPath,
      ["invoker/start.mjs", "--id", "7", "--uniqueName", instanceName("start-order")],
      {
        env: { PATH: process.env.PATH, ...environment },
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    const events: string[] = [];
    const said: string[] = [];
    createInterface({ input: program.stderr }).on("line", (line) => {
      said.push(line);
      events.push((JSON.parse(line) as { readonly event: string }).event);
    });
    const ping = (): Promise<boolean> =>
      fetch(`http://127.0.0.1:${environment.PORT}/ping`).then(
        ({ ok }) => ok,
        () => false,
      );
    try {
      await within(patienceMs, async () => (await topics()).includes("invoker7") || undefined);
      await within(patienceMs, () => couch.asked.length > 0 || undefined);
      const hasStarted = (): boolean => events.includes("invoker-started");
      expect(await holdsWithin(longEnoughMs, hasStarted), "it waits").to.equal(false);
      expect(await ping(), "no HTTP yet").to.equal(false);
      expect(pings, "no ping yet").to.deep.equal([]);

      answer();
      await within(patienceMs, async () => (await ping()) || undefined);
      await within(patienceMs, () => pings.length > 0 || undefined);
      expect(JSON.parse(pings[0] ?? "")).to.have.nested.property("name.instance", 7);
      await within(patienceMs, () => events.includes("invoker-serves") || undefined);
      expect(
        events.filter((event) => /^invoker-(started|serves)$/.test(event)),
        said.join("\n"),
      ).to.deep.equal([...["invoker-started", "invoker-serves"]]);
    } finally {
      program.kill("SIGTERM");
      await once(program, "exit");
      await listening.stop();
    }
  });
});
