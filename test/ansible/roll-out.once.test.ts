// The role's play with a program in the invoker's place that serves, works or does neither, as it is told: when the play goes on to
// the next host, and when it stops.

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { requireRoot } from "../system/lean-probe.ts";
import { within } from "../within.ts";
import { Checkout, freePorts, type Ran } from "./playbook.ts";

const limitMs = 600_000;
const invokers = ["invoker0", "invoker1"] as const;
type Name = (typeof invokers)[number];

/** What the first invoker does; the other one works always. */
type Conduct = "works" | "idles" | "cannot serve";

/** Its log has a line for its start, and for each time that it is disabled. */
const program = `
import { createServer } from "node:http";

if (process.argv.includes("--check")) process.exit(0);
const done = process.env.CONDUCT === "works" ? 1 : 0;
const status = process.env.CONDUCT === "cannot serve" ? 503 : 200;
createServer(({ url }, answer) => {
  if (url === "/ready") answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ done }));
  else answer.end("0");
  if (url === "/disable") console.log("disabled");
}).listen(process.env.PORT, () => console.log("started, and " + process.env.CONDUCT));
process.on("SIGTERM", () => process.exit(0));
`;

/** Tries, a second apart and more on a busy machine, in which the program has long started. */
const patience = 15;

describe("the role's roll-out", function () {
  this.timeout(limitMs);
  let checkout: Checkout;
  let database: Server;
  let variables: object;

  const below = (path: string): string => join(checkout.folder, path);
  const logOf = (name: Name): string => readFileSync(below(`logs/${name}/${name}_logs.log`), "utf8");
  const logs = (): string[] => invokers.map(logOf);

  /** `change` makes both invokers others than those that run. */
  function play(conduct: Conduct, change: string, more: object = {}, ...options: string[]): Promise<Ran> {
    const told = `{{ '${conduct}' if inventory_hostname == 'invoker0' else 'works' }}`;
    const invoker_extraEnv = { CONDUCT: told, CHANGE: change };
    return checkout.play({ ...variables, invoker_extraEnv, ...more }, options);
  }

  before(async () => {
    requireRoot();
    database = createServer((_, answer) => answer.end()).listen(0, "127.0.0.1");
    await once(database, "listening");
    checkout = new Checkout({ runtimes: {}, blackboxes: [] });
    mkdirSync(below("rewhisk/invoker"), { recursive: true });
    writeFileSync(below("rewhisk/invoker/start.mjs"), program);
    execFileSync("tar", ["-czf", below("package.tgz"), "-C", checkout.folder, "rewhisk"]);
    variables = {
      ...{ rewhisk_package: below("package.tgz"), rewhisk_node: process.execPath },
      ...{ rewhisk_supervisor: "script", rewhisk_docker_socket: below("no-docker.sock") },
      ...{ rewhisk_folder: below("opt"), rewhisk_spool_folder: below("var") },
      ...{ rewhisk_images_folder: below("var/images"), whisk_logs_dir: below("logs") },
      ...{ rewhisk_start_patience: patience, rewhisk_spare_memory_mb: 0, invoker_user_memory: "16m" },
      ...{ db_host: "127.0.0.1", db_port: (database.address() as AddressInfo).port },
      ...{ invoker_protocol: "http", invoker: { port: await freePorts(invokers.length) } },
    };
  });
  after(async () => {
    await play("works", "last", { mode: "clean" });
    checkout.remove();
    database.close();
    await once(database, "close");
  });

  it("asks of a host that its memory is enough for all invokers that are to start there", async () => {
    const user_memory = "{{ '9000g' if inventory_hostname == 'invoker0' else '1000g' }}";
    const { status, output } = await play("works", "first", { user_memory, rewhisk_spare_memory_mb: 512 });
    expect(status).to.equal(2);
    expect(output.match(/Missing: memory .*? wanted/g)).to.have.length(invokers.length);
    expect(output).to.include(` ${10_000 * 1024 + 2 * 512} MB wanted`);
  });

  it("takes a first deployment that no controller sends anything, and says so", async () => {
    const { status, output } = await play("idles", "first");
    expect(status, output).to.equal(0);
    expect(output).to.include("invoker0 has done no activation yet").and.not.include("invoker1 has done no");
    expect(logs()).to.deep.equal(["started, and idles\n", "started, and works\n"]);
  });

  it("does not count what runs when it looks for memory", async () => {
    execFileSync(below("opt/invokers/invoker1/supervise"), ["stop"]);
    const { output } = await play("idles", "first", { user_memory: "9000g" }, "--check");
    execFileSync(below("opt/invokers/invoker1/supervise"), ["start"]);
    await within(limitMs, () => /(started.*\n){2}/.test(logOf("invoker1")) || undefined);
    expect(output).to.include(` ${9000 * 1024} MB wanted`);
  });

  it("stops at an invoker that does not serve, as often as it is run, and the next one goes on", async () => {
    const before = logOf("invoker1");
    for (let time = 0; time < 2; time++) {
      const { status, output } = await play("cannot serve", "second", { rewhisk_start_patience: 3 });
      expect(status).to.equal(2);
      expect(output).to.include("invoker0 does not serve after 3 s");
      expect(logOf("invoker1")).to.equal(before);
    }
  });

  it("stops at an invoker that does no activation in another's place, and the next one goes on", async () => {
    const before = logOf("invoker1");
    // Its turn comes first, even where the other one's is known sooner.
    const late = "lookup('pipe', 'sleep 2') == 'current'";
    const __rewhisk_is_current = `{{ ${late} if inventory_hostname == 'invoker0' else false }}`;
    const { status, output } = await play("idles", "third", { __rewhisk_is_current });
    expect(status).to.equal(2);
    expect(output).to.include(`invoker0 has done no activation ${patience} s after its start`);
    expect(logOf("invoker1")).to.equal(before);
  });

  it("goes on when it is run again with what works, and changes nothing after that", async () => {
    expect((await play("works", "last")).status).to.equal(0);
    for (const log of logs()) expect(log).to.match(/disabled\nstarted, and works\n$/);
    expect((await play("works", "last")).changed).to.deep.equal({ invoker0: 0, invoker1: 0 });
  });

  it("removes no file that is not its own when it cleans", async () => {
    const image = `${"a".repeat(64)}-1`;
    for (const name of [image, "others"]) mkdirSync(below(`var/images/${name}/root`), { recursive: true });
    expect((await play("works", "last", { mode: "clean" })).status).to.equal(0);
    const left = execFileSync("find", [below("var"), below("logs")], { encoding: "utf8" });
    expect(left.replaceAll(`${checkout.folder}/`, "").split("\n").filter(Boolean).sort()).to.deep.equal([
      "logs",
      "var",
      "var/images",
      "var/images/others",
      "var/images/others/root",
    ]);
  });
});
