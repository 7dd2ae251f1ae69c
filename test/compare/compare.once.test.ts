// Comparisons of a real endpoint with itself, through servers in front of it that have their bad days; and the program as people run it.

import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { parts } from "../../benchmarks/compare/call.ts";
import { type Options, OptionsError } from "../../benchmarks/compare/options.ts";
import { alertsOf, isSound } from "../../benchmarks/compare/summary.ts";
import { Authority } from "../cluster/certificates.ts";
import { within } from "../within.ts";
import { kind, limitMs, Setting, texts } from "./setting.ts";

/** An OpenWhisk whose document at the root is another server's. */
const silent = { description: "OpenWhisk", api_paths: ["/api/v1"] };

describe("npm run compare", function () {
  this.timeout(limitMs);
  const setting = Setting.inDescribe();

  async function refusal(chosen: Options): Promise<string> {
    const failure: unknown = await setting.run(chosen).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(OptionsError);
    return (failure as OptionsError).message;
  }

  it("measures all parts on both sides and compares what they gave", async () => {
    const comparing = await setting.run(
      setting.options("--sizes", "1k", "--packages", "nodejs=uuid,nodejs=nowhere"),
    );
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

  it("measures all parts in Ruby as well", async () => {
    const chosen = setting.options("--sizes", "1k", "--packages", "ruby=net/http,ruby=nowhere");
    const comparing = await setting.run({ ...chosen, kinds: ["ruby:default"] });
    expect(texts(comparing)).to.equal(
      "The package nowhere is not in what stock and rewhisk have for ruby:default: it was not compared.",
    );
    expect(isSound(comparing)).to.equal(true);
    const measured = new Set(comparing.ledger.calls.map(({ series }) => series.part));
    expect([...measured]).to.have.members(parts);
  });

  it("compares every language that both sides have, unless it is told which", async () => {
    const { kinds } = await setting.run({ ...setting.options("--parts", "warm"), kinds: undefined });
    expect(kinds.map((one) => one.split(":")[0])).to.deep.equal(["nodejs", "python", "ruby"]);
  });

  it("leaves out Ruby where a side does not tell its kinds", async () => {
    setting.front.rule = (method, path) =>
      method === "GET" && /^\/(api\/v1)?$/.test(path) ? { status: 200, body: silent } : "pass";
    const { kinds } = await setting.run({ ...setting.options("--parts", "warm"), kinds: undefined });
    expect(kinds).to.deep.equal(["nodejs:default", "python:default"]);
  });

  it("leads with results that differ", async () => {
    setting.front.fate = (_number, action) =>
      action.startsWith("first-") && action.endsWith("-1")
        ? { change: (text) => text.replace('"serial":1', '"serial":7') }
        : "pass";
    const comparing = await setting.run(setting.options("--parts", "first"));
    expect(isSound(comparing)).to.equal(false);
    expect(comparing.ledger.compared).to.equal(3);
    const [difference] = comparing.ledger.differences;
    expect(difference?.index).to.equal(1);
    expect(difference?.outcomes.stock).to.contain('"serial":7');
    expect(difference?.outcomes.rewhisk).to.contain('"serial":1');
    expect(alertsOf(comparing)[0]?.text).to.match(/^Results differ: in 1 of 3 pairs/);
  });

  it("gives a partial report where an endpoint fails and does not come back", async () => {
    setting.front.fate = (number) => {
      setting.front.isDown = number >= 3;
      return "pass";
    };
    const comparing = await setting.run(setting.options("--parts", "first,warm", "--patience", "0"));
    expect(comparing.ending).to.include({ kind: "lost", side: "stock", during: `first calls, ${kind}` });
    expect(comparing.ledger.calls.filter(({ side }) => side === "stock").length).to.equal(2);
    expect(texts(comparing)).to.match(
      /^Partial report: stock failed after .* it has not answered for \d+ s \(/,
    );
    expect(texts(comparing)).to.match(
      /4 of 4 entities of the package rewhisk-compare-stock-1 are left in stock/,
    );
    setting.front.isDown = false;
    await setting.removeLeft();
  });

  it("goes on where an endpoint comes back, and tells of it", async () => {
    setting.front.fate = (number) => {
      setting.front.isDown = number === 2 && setting.front.cut === 0;
      return "pass";
    };
    const running = setting.run(setting.options("--parts", "first"));
    // Its call, and the first look whether it is back.
    await within(limitMs, () => setting.front.cut >= 2 || undefined);
    setting.front.isDown = false;
    const comparing = await running;
    expect(comparing.ending).to.deep.equal({ kind: "complete" });
    expect(comparing.ledger.outages.map(({ side }) => side)).to.deep.equal(["stock"]);
    expect(texts(comparing)).to.contain("1 call gave no successful activation");
    expect(texts(comparing)).to.match(/stock did not answer for \d+ s/);
    expect(comparing.ledger.calls.filter(({ side }) => side === "stock").length).to.equal(2);
  });

  it("tells of an answer that broke off as of a failed call, not as of an outage", async () => {
    setting.front.fate = (number) => (number === 1 ? "pass" : "cut");
    const comparing = await setting.run(setting.options("--parts", "first", "--calls", "10"));
    expect(comparing.ledger.outages).to.deep.equal([]);
    expect(texts(comparing)).to.equal(
      "9 calls gave no successful activation; they are listed below, and no figure has them.",
    );
  });

  it("gives up a side whose answers are no activations any more", async () => {
    setting.front.fate = (number) =>
      number > 1 ? { status: 404, body: { error: "gone", code: "x" } } : "pass";
    const comparing = await setting.run(setting.options("--parts", "first", "--calls", "30"));
    expect(comparing.ending).to.include({ kind: "lost", side: "stock" });
    expect(texts(comparing)).to.contain("20 calls in a row failed, the last: 404");
  });

  it("waits where it is throttled, and measures the answer that counts", async () => {
    const limit = { error: "Too many requests in the last minute (count: 61, allowed: 60).", code: "x" };
    setting.front.fate = (number) =>
      number === 2 ? { status: 429, body: limit, headers: { "retry-after": "0.01" } } : "pass";
    const comparing = await setting.run(setting.options("--parts", "first"));
    expect(isSound(comparing)).to.equal(true);
    expect(comparing.ledger.throttled.stock).to.deep.equal({ answers: 1, waitedMs: 10 });
    const counts = comparing.ledger.calls
      .filter(({ side }) => side === "stock")
      .map(({ throttled }) => throttled);
    expect(counts).to.deep.equal([0, 1, 0]);
    expect(texts(comparing)).to.contain("stock throttled 1 call (429)");
  });

  it("asks for the record of an activation that had none in time", async () => {
    setting.front.fate = (number) =>
      number === 1 ? { change: (text) => `{"activationId":"${JSON.parse(text).activationId}"}` } : "pass";
    const comparing = await setting.run(setting.options("--parts", "first"));
    expect(isSound(comparing)).to.equal(true);
    expect(comparing.ledger.compared).to.equal(3);
    expect(comparing.ledger.calls.filter(({ durationMs }) => durationMs === undefined)).to.deep.equal([]);
  });

  it("takes another name where its own is there already, and leaves that alone", async () => {
    const name = "rewhisk-compare-stock-1";
    expect((await setting.program.send("PUT", `packages/${name}`, {})).status).to.equal(200);
    const comparing = await setting.run(setting.options("--parts", "warm"));
    expect(isSound(comparing)).to.equal(true);
    expect(await setting.entities()).to.deep.equal([name]);
    await setting.program.send("DELETE", `packages/${name}`);
  });

  it("leaves everything there where that is wished", async () => {
    await setting.run(setting.options("--parts", "first", "--keep", "--calls", "1", "--prefix", "kept"));
    const names = await setting.entities();
    const action = `first-${kind.replace(":", "-")}-0`;
    expect(names).to.have.members([action, action, "kept-rewhisk-1", "kept-stock-1"]);
    for (const side of ["stock", "rewhisk"]) {
      await setting.program.send("DELETE", `actions/kept-${side}-1/${action}`);
      await setting.program.send("DELETE", `packages/kept-${side}-1`);
    }
  });

  it("refuses to start with a wrong key, and says how to give the right one", async () => {
    const text = await refusal(setting.options("--stock-auth", "uuid:wrong"));
    expect(text).to.match(/^stock: .* does not take the key \(401/);
    expect(text).to.contain("--stock-auth");
  });

  it("refuses what is no OpenWhisk, what does not answer, and kinds that a side does not have, all at once", async () => {
    const other = await setting.newFront();
    await other.close();
    const chosen = setting.options();
    const key = { auth: setting.auth };
    const nobody = {
      ...chosen,
      places: { stock: { url: other.url, ...key }, rewhisk: { url: new URL("/ping", setting.url), ...key } },
    };
    const text = await refusal(nobody);
    expect(text).to.match(/stock: .* does not answer \(ECONNREFUSED\)/);
    expect(text).to.match(/rewhisk: .* is no OpenWhisk/);
    expect(await refusal({ ...chosen, kinds: ["nodejs:1"] })).to.contain("--kinds nodejs:1");
  });

  it("refuses the default kind of a language that a side does not have", async () => {
    const document = (await (await fetch(setting.url)).json()) as { runtimes: { nodejs?: unknown } };
    delete document.runtimes.nodejs;
    setting.front.rule = (method, path) =>
      method === "GET" && /^\/(api\/v1)?$/.test(path) ? { status: 200, body: document } : "pass";
    const text = await refusal({ ...setting.options(), kinds: ["nodejs:default"] });
    expect(text).to.match(/^--kinds nodejs:default: http:\S+ has python:3/);
    expect(text).not.to.contain("\n");
  });

  it("refuses a certificate that nobody vouches for, unless it is told to take any", async () => {
    const pem = readFileSync(new Authority(setting.folder, "nobody").issue("front"), "utf8");
    setting.front = await setting.newFront({ cert: pem, key: pem });
    const text = await refusal(setting.options("--parts", "warm"));
    expect(text).to.match(/stock: .* certificate that is not trusted .*--insecure/);
    const comparing = await setting.run(setting.options("--parts", "check,warm", "--insecure"));
    expect(texts(comparing)).to.equal("");
    expect(isSound(comparing)).to.equal(true);
  });

  it("writes the report with CSV and JSON beside it, and exits with 0", async () => {
    const { child, output } = setting.start("--parts", "first,warm", "--report", "out/r.html");
    const [code] = await once(child, "close");
    expect(code, output()).to.equal(0);
    expect(output()).to.contain(`1 of 2, first calls, ${kind}: 0`);
    expect(output()).to.match(/first: nodejs:\d+, never called before +[\d.]+ +[\d.]+ +ms/);
    const page = readFileSync(join(setting.folder, "out/r.html"), "utf8");
    expect(page).to.contain("<h2>In short</h2>").and.to.contain("</html>");
    expect(page).not.to.contain(setting.auth.split(":")[1]);
    expect(readFileSync(join(setting.folder, "out/r.csv"), "utf8").split("\r\n").length).to.equal(1 + 12 + 1);
    expect(JSON.parse(readFileSync(join(setting.folder, "out/r.json"), "utf8")).isSound).to.equal(true);
  });

  it("writes a partial report at Ctrl-C, removes what it made, and exits with 1", async () => {
    // Its fourth call is under way, and stays so.
    let isHeld = false;
    setting.front.fate = (number) => {
      if (number < 4) return "pass";
      isHeld = true;
      return new Promise(() => undefined);
    };
    const { child, output } = setting.start("--parts", "first", "--calls", "50", "--report", "stopped.html");
    await within(limitMs, () => isHeld || child.exitCode !== null || undefined);
    child.kill("SIGINT");
    const [code] = await once(child, "close");
    expect(code, output()).to.equal(1);
    expect(readFileSync(join(setting.folder, "stopped.html"), "utf8")).to.contain(
      "Partial report: it was interrupted",
    );
    expect(readFileSync(join(setting.folder, "stopped.csv"), "utf8")).to.match(
      /first,nodejs:\d+,never called before,stock,0,2/,
    );
  });

  it("says what is wrong with the command line, and exits with 2", async () => {
    const { child, output } = setting.start("--calls", "none", "--report", "never.html");
    const [code] = await once(child, "close");
    expect(code).to.equal(2);
    expect(output()).to.contain("--calls none: it is a whole number");
    expect(existsSync(join(setting.folder, "never.html"))).to.equal(false);
  });
});
