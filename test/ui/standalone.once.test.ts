// The live page of `npm start`, with real containers, opened by the line that it prints.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { TestBrowser } from "../browser.ts";
import { StandaloneProgram } from "../system/standalone-program.ts";
import { within } from "../within.ts";
import { EventReader } from "./events.ts";
import { markedAction, showsNothingOf } from "./secrets.ts";

const limitMs = 90_000;

describe("the live page of npm start", function () {
  this.timeout(3 * limitMs);
  const browser = new TestBrowser();
  let folder: string;
  let program: StandaloneProgram;
  before(async function () {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-page-"));
    program = await StandaloneProgram.start({ dataFolder: folder, patienceMs: limitMs });
    await browser.open(this);
  });
  after(async () => {
    await browser.close();
    await program.interrupt();
    rmSync(folder, { recursive: true, force: true });
  });

  async function invoke(): Promise<string> {
    const { name, code, annotations, parameters, args } = markedAction;
    const exec = { kind: "nodejs:default", code };
    const { status, text } = await program.send("PUT", `actions/${name}?overwrite=true`, {
      exec,
      annotations,
      parameters,
    });
    expect(status, text).to.equal(200);
    const { body } = await program.send("POST", `actions/${name}?blocking=true`, args);
    // What the stream is not to show was there.
    expect(body.response.result.error).to.equal(args.secret);
    return body.activationId;
  }

  it("opens by the printed line, and shows what the pool has and what is run", async () => {
    const { page, errors } = await browser.page();
    await page.goto(program.line("watch"));
    await page.getByRole("status").getByText("Live").waitFor();
    await page.locator("#phase").getByText("ready").waitFor();
    const { origin, username, password } = new URL(program.line("watch"));
    const headers = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` };
    await within(limitMs, async () => {
      const pool = (await (await fetch(`${origin}/pool`, { headers })).json()) as { totalContainers: number };
      const shown = await page.locator("#grid button").count();
      return (shown > 0 && shown === pool.totalContainers) || undefined;
    });
    const activationId = await invoke();
    const row = page.getByRole("row").filter({ hasText: activationId });
    await row.getByText("application error").waitFor();
    expect(await page.content()).to.not.contain(markedAction.name);
    expect(errors).to.deep.equal([]);
    expect(await (await fetch(`${origin}/metrics`)).text()).to.contain(
      'rewhisk_activations_total{status="1"} 1',
    );
  });

  it("shows nothing of what activations are given, print and give", async () => {
    await showsNothingOf(`${program.line("watch")}/events`, invoke);
  });

  it("does not keep the program from ending", async () => {
    const reader = await EventReader.open(`${program.line("watch")}/events`);
    await reader.until(() => true);
    const ended = new Promise((resolve) => reader.response.once("close", resolve));
    expect(await program.interrupt()).to.deep.equal([0, null]);
    await ended;
  });
});
