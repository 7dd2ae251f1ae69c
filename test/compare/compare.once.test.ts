// Comparisons of a real endpoint with itself, through servers in front of it that have their bad days; and the program as people run it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { compare } from "../../benchmarks/compare/compare.ts";
import { type Options, OptionsError, readOptions } from "../../benchmarks/compare/options.ts";
import { Progress } from "../../benchmarks/compare/progress.ts";
import { alertsOf, type Comparing, isSound } from "../../benchmarks/compare/summary.ts";
import { projectFolder } from "../../invoker/config/entries.ts";
import { Authority } from "../cluster/certificates.ts";
import { StandaloneProgram } from "../system/standalone-program.ts";
import { within } from "../within.ts";
import { Front } from "./front.ts";

const limitMs = 120_000;
const kind = `nodejs:${process.versions.node.split(".")[0]}`;
const few = [
  "--kinds",
  kind,
  "--calls",
  "3",
  "--actions",
  "3",
  "--passes",
  "1",
  "--burst",
  "2",
  "--in-flight",
  "2",
];

describe("npm run compare", function () {
  this.timeout(limitMs);
  let folder: string;
  let program: StandaloneProgram;
  let url: URL;
  let auth: string;
  let front: Front;
  const closed: Front[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-compare-test-"));
    program = await StandaloneProgram.start({ dataFolder: join(folder, "data"), patienceMs: limitMs });
    const [, host = "", key = ""] = /--apihost (\S+) --auth (\S+)/.exec(program.line("wsk")) ?? [];
    url = new URL(host);
    auth = key;
  });
  after(async () => {
    await program.interrupt();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    front = await newFront();
  });
  afterEach(async () => {
    for (const one of closed.splice(0)) await one.close();
    expect(await entities(), "what a comparison has left").to.deep.equal([]);
  });

  async function newFront(tls?: { readonly cert: string; readonly key: string }): Promise<Front> {
    const started = await Front.start(url, tls);
    closed.push(started);
    return started;
  }

  /** All that there is of the guest's. */
  async function entities(): Promise<readonly string[]> {
    const lists = await Promise.all(
      ["packages", "actions"].map((all) => program.send("GET", `${all}?limit=200`)),
    );
    return lists.flatMap(({ body }) => body.map(({ name }: { name: string }) => name));
  }

  /** stock is reached through the front, rewhisk directly. */
  function options(...more: readonly string[]): Options {
    const places = ["--stock", front.url.href, "--rewhisk", url.href, "--auth", auth];
    return readOptions([...places, ...few, ...more], folder) as Options;
  }

  async function run(chosen: Options, signal = new AbortController().signal): Promise<Comparing> {
    const progress = new Progress({ write: () => undefined, isTerminal: false });
    const { places } = chosen;
    if (places === undefined) throw new Error("no places");
    return await compare({ ...chosen, passMs: 200 }, places, { progress, signal });
  }

  async function refusal(chosen: Options): Promise<string> {
    const failure: unknown = await run(chosen).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(OptionsError);
    return (failure as OptionsError).message;
  }

  const texts = (comparing: Comparing): string =>
    alertsOf(comparing)
      .map(({ text }) => text)
      .join("\n");

  it("measures all parts on both sides and compares what they gave", async () => {
    const comparing = await run(options("--sizes", "1k", "--packages", "nodejs=uuid,nodejs=nowhere"));
    expect(texts(comparing)).to.equal(
      `The package nowhere is not in what stock and rewhisk have for ${kind}: it was not compared.`,
    );
    expect(isSound(comparing)).to.equal(true);
    const { ledger, rows } = comparing;
    const found = ledger.series.map(({ part, subject }) => `${part}: ${subject}`);
    expect(found).to.have.members([
      ...["check: by this tool", "check: by a bare client"],
      ...["check: by this tool, 2 at a time", "check: by a bare client, 2 at a time"],
      ...[
        "first: never called before",
        "warm: called before",
        "sizes: 1kB of code",
        "packages: imports uuid",
      ],
      ...["mixed: 3 actions, unevenly often", "burst: 2 calls of one action at once"],
      ...["burst: 2 calls of as many new actions at once"],
      ...["throughput: one action in turn", "throughput: 3 actions in turn"],
    ]);
    const first = rows.filter(({ series }) => series.part === "first");
    expect(
      first.map(({ measure, spreads }) => [measure, spreads.stock?.n, spreads.rewhisk?.n]),
    ).to.deep.equal([
      ...[
        ["call", 3, 3],
        ["wait", 3, 3],
        ["init", 3, 3],
        ["duration", 3, 3],
      ],
    ]);
    // The caller's time holds what the record tells.
    for (const { tookMs, durationMs = 0 } of ledger.calls.filter(({ durationMs }) => durationMs)) {
      expect(tookMs).to.be.above(durationMs - 2);
    }
    expect(
      ledger.calls
        .filter(({ series }) => series.part === "first")
        .every(({ initMs }) => initMs !== undefined),
    ).to.equal(true);
  });

  it("leads with results that differ", async () => {
    front.fate = (_number, action) =>
      action.startsWith("first-") && action.endsWith("-1")
        ? { change: (text) => text.replace('"serial":1', '"serial":7') }
        : "pass";
    const comparing = await run(options("--parts", "first"));
    expect(isSound(comparing)).to.equal(false);
    expect(comparing.ledger.compared).to.equal(3);
    const [difference] = comparing.ledger.differences;
    expect(difference?.index).to.equal(1);
    expect(difference?.outcomes.stock).to.contain('"serial":7');
    expect(difference?.outcomes.rewhisk).to.contain('"serial":1');
    expect(alertsOf(comparing)[0]?.text).to.match(/^Results differ: in 1 of 3 pairs/);
  });

  it("gives a partial report where an endpoint fails and does not come back", async () => {
    front.fate = (number) => {
      front.isDown = number >= 3;
      return "pass";
    };
    const comparing = await run(options("--parts", "first,warm", "--patience", "0"));
    expect(comparing.ending).to.include({ kind: "lost", side: "stock", during: `first calls, ${kind}` });
    expect(comparing.ledger.calls.filter(({ side }) => side === "stock").length).to.equal(2);
    expect(texts(comparing)).to.match(
      /^Partial report: stock failed after .* it has not answered for \d+ s \(/,
    );
    expect(texts(comparing)).to.match(
      /4 of 4 entities of the package rewhisk-compare-stock-1 are left in stock/,
    );
    front.isDown = false;
    for (const name of (await entities()).toReversed()) await remove(name);
  });

  /** Actions of packages are listed with their names alone. */
  async function remove(name: string): Promise<void> {
    const left = "rewhisk-compare-stock-1";
    const path = name === left ? `packages/${left}` : `actions/${left}/${name}`;
    expect((await program.send("DELETE", path)).status).to.equal(200);
  }

  it("goes on where an endpoint comes back, and tells of it", async () => {
    front.fate = (number) => (number === 2 ? "cut" : "pass");
    const comparing = await run(options("--parts", "first"));
    expect(comparing.ending).to.deep.equal({ kind: "complete" });
    expect(comparing.ledger.outages.map(({ side }) => side)).to.deep.equal(["stock"]);
    expect(texts(comparing)).to.contain("1 call gave no successful activation");
    expect(comparing.ledger.calls.filter(({ side }) => side === "stock").length).to.equal(2);
  });

  it("gives up a side whose answers are no activations any more", async () => {
    front.fate = (number) => (number > 1 ? { status: 404, body: { error: "gone", code: "x" } } : "pass");
    const comparing = await run(options("--parts", "first", "--calls", "30"));
    expect(comparing.ending).to.include({ kind: "lost", side: "stock" });
    expect(texts(comparing)).to.contain("20 calls in a row failed, the last: 404");
  });

  it("waits where it is throttled, and measures the answer that counts", async () => {
    const limit = { error: "Too many requests in the last minute (count: 61, allowed: 60).", code: "x" };
    front.fate = (number) =>
      number === 2 ? { status: 429, body: limit, headers: { "retry-after": "0.01" } } : "pass";
    const comparing = await run(options("--parts", "first"));
    expect(isSound(comparing)).to.equal(true);
    expect(comparing.ledger.throttled.stock).to.deep.equal({ answers: 1, waitedMs: 10 });
    const counts = comparing.ledger.calls
      .filter(({ side }) => side === "stock")
      .map(({ throttled }) => throttled);
    expect(counts).to.deep.equal([0, 1, 0]);
    expect(texts(comparing)).to.contain("stock throttled 1 call (429)");
  });

  it("asks for the record of an activation that had none in time", async () => {
    front.fate = (number) =>
      number === 1 ? { change: (text) => `{"activationId":"${JSON.parse(text).activationId}"}` } : "pass";
    const comparing = await run(options("--parts", "first"));
    expect(isSound(comparing)).to.equal(true);
    expect(comparing.ledger.compared).to.equal(3);
    expect(comparing.ledger.calls.filter(({ durationMs }) => durationMs === undefined)).to.deep.equal([]);
  });

  it("takes another name where its own is there already, and leaves that alone", async () => {
    const name = "rewhisk-compare-stock-1";
    expect((await program.send("PUT", `packages/${name}`, {})).status).to.equal(200);
    const comparing = await run(options("--parts", "warm"));
    expect(isSound(comparing)).to.equal(true);
    expect(await entities()).to.deep.equal([name]);
    await program.send("DELETE", `packages/${name}`);
  });

  it("leaves everything there where that is wished", async () => {
    await run(options("--parts", "first", "--keep", "--calls", "1", "--prefix", "kept"));
    const names = await entities();
    const action = `first-${kind.replace(":", "-")}-0`;
    expect(names).to.have.members([action, action, "kept-rewhisk-1", "kept-stock-1"]);
    for (const side of ["stock", "rewhisk"]) {
      await program.send("DELETE", `actions/kept-${side}-1/${action}`);
      await program.send("DELETE", `packages/kept-${side}-1`);
    }
  });

  it("refuses to start with a wrong key, and says how to give the right one", async () => {
    const text = await refusal(options("--stock-auth", "uuid:wrong"));
    expect(text).to.match(/^stock: .* does not take the key \(401/);
    expect(text).to.contain("--stock-auth");
  });

  it("refuses what is no OpenWhisk, what does not answer, and kinds that a side does not have, all at once", async () => {
    const other = await newFront();
    await other.close();
    const chosen = options();
    const key = { auth };
    const nobody = {
      ...chosen,
      places: { stock: { url: other.url, ...key }, rewhisk: { url: new URL("/ping", url), ...key } },
    };
    const text = await refusal(nobody);
    expect(text).to.match(/stock: .* does not answer \(ECONNREFUSED\)/);
    expect(text).to.match(/rewhisk: .* is no OpenWhisk/);
    expect(await refusal({ ...chosen, kinds: ["nodejs:1"] })).to.contain("--kinds nodejs:1");
  });

  it("refuses a certificate that nobody vouches for, unless it is told to take any", async () => {
    const pem = readFileSync(new Authority(folder, "nobody").issue("front"), "utf8");
    front = await newFront({ cert: pem, key: pem });
    const text = await refusal(options("--parts", "warm"));
    expect(text).to.match(/stock: .* certificate that is not trusted .*--insecure/);
    const comparing = await run(options("--parts", "check,warm", "--insecure"));
    expect(texts(comparing)).to.equal("");
    expect(isSound(comparing)).to.equal(true);
  });

  /** The program, as npm runs it. */
  function start(...more: readonly string[]): { child: ReturnType<typeof spawn>; output: () => string } {
    const script = join(projectFolder(), "benchmarks", "compare", "run.mjs");
    const places = ["--stock", front.url.href, "--rewhisk", url.href, "--auth", auth];
    const child = spawn(process.execPath, [script, ...places, ...few, ...more], {
      ...{ cwd: folder, env: { ...process.env, INIT_CWD: folder }, stdio: ["ignore", "pipe", "pipe"] },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (text) => (output += String(text)));
    return { child, output: () => output };
  }

  it("writes the report with CSV and JSON beside it, and exits with 0", async () => {
    const { child, output } = start("--parts", "first,warm", "--report", "out/r.html");
    const [code] = await once(child, "close");
    expect(code, output()).to.equal(0);
    expect(output()).to.contain(`1 of 2, first calls, ${kind}: 0`);
    expect(output()).to.match(/first: nodejs:\d+, never called before +[\d.]+ +[\d.]+ +ms/);
    const page = readFileSync(join(folder, "out/r.html"), "utf8");
    expect(page).to.contain("<h2>In short</h2>").and.to.contain("</html>");
    expect(page).not.to.contain(auth.split(":")[1]);
    expect(readFileSync(join(folder, "out/r.csv"), "utf8").split("\r\n").length).to.equal(1 + 12 + 1);
    expect(JSON.parse(readFileSync(join(folder, "out/r.json"), "utf8")).isSound).to.equal(true);
  });

  it("writes a partial report at Ctrl-C, removes what it made, and exits with 1", async () => {
    // Its fourth call is under way, and stays so.
    let isHeld = false;
    front.fate = (number) => {
      if (number < 4) return "pass";
      isHeld = true;
      return new Promise(() => undefined);
    };
    const { child, output } = start("--parts", "first", "--calls", "50", "--report", "stopped.html");
    await within(limitMs, () => isHeld || child.exitCode !== null || undefined);
    child.kill("SIGINT");
    const [code] = await once(child, "close");
    expect(code, output()).to.equal(1);
    expect(readFileSync(join(folder, "stopped.html"), "utf8")).to.contain(
      "Partial report: it was interrupted",
    );
    expect(readFileSync(join(folder, "stopped.csv"), "utf8")).to.match(
      /first,nodejs:\d+,never called before,stock,0,2/,
    );
  });

  it("says what is wrong with the command line, and exits with 2", async () => {
    const { child, output } = start("--calls", "none", "--report", "never.html");
    const [code] = await once(child, "close");
    expect(code).to.equal(2);
    expect(output()).to.contain("--calls none: it is a whole number");
    expect(existsSync(join(folder, "never.html"))).to.equal(false);
  });
});
