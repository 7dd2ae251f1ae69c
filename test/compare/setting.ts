// What tests of whole comparisons need: a real endpoint, a server in front of it for the side named stock, and the program as npm runs it.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { compare } from "../../benchmarks/compare/compare.ts";
import { type Options, readOptions } from "../../benchmarks/compare/options.ts";
import { Progress } from "../../benchmarks/compare/progress.ts";
import { alertsOf, type Comparing } from "../../benchmarks/compare/summary.ts";
import { projectFolder } from "../../invoker/config/entries.ts";
import { StandaloneProgram } from "../system/standalone-program.ts";
import { Front } from "./front.ts";

export const limitMs = 120_000;
export const kind = `nodejs:${process.versions.node.split(".")[0]}`;
const few = [...["--calls", "3", "--actions", "3", "--passes", "1"], ...["--burst", "2", "--in-flight", "2"]];

export interface Run {
  readonly signal?: AbortSignal;
  readonly report?: (comparing: Comparing) => void;
}

/** One program for all tests of a `describe`, and a front of its own for each test, which must leave nothing in the namespace. */
export class Setting {
  folder: string = "";
  url: URL = new URL("none:");
  auth: string = "";
  #program: StandaloneProgram | undefined;
  #front: Front | undefined;
  readonly #opened: Front[] = [];

  /** Its hooks are those of the `describe` that this is called in. */
  static inDescribe(): Setting {
    const setting = new Setting();
    before(() => setting.#start());
    after(() => setting.#stop());
    beforeEach(async () => {
      setting.#front = await setting.newFront();
    });
    afterEach(async () => {
      for (const one of setting.#opened.splice(0)) await one.close();
      expect(await setting.entities(), "what a comparison has left").to.deep.equal([]);
    });
    return setting;
  }

  async #start(): Promise<void> {
    this.folder = mkdtempSync(join(tmpdir(), "rewhisk-compare-test-"));
    const dataFolder = join(this.folder, "data");
    this.#program = await StandaloneProgram.start({ dataFolder, patienceMs: limitMs });
    const [, host = "", key = ""] = /--apihost (\S+) --auth (\S+)/.exec(this.program.line("wsk")) ?? [];
    this.url = new URL(host);
    this.auth = key;
  }

  async #stop(): Promise<void> {
    await this.#program?.interrupt();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get program(): StandaloneProgram {
    if (this.#program === undefined) throw new Error("not started");
    return this.#program;
  }

  get front(): Front {
    if (this.#front === undefined) throw new Error("not started");
    return this.#front;
  }

  set front(front: Front) {
    this.#front = front;
  }

  async newFront(tls?: { readonly cert: string; readonly key: string }): Promise<Front> {
    const started = await Front.start(this.url, tls);
    this.#opened.push(started);
    return started;
  }

  /** All that there is of the guest's. */
  async entities(): Promise<readonly string[]> {
    const lists = await Promise.all(
      ["packages", "actions"].map((all) => this.program.send("GET", `${all}?limit=200`)),
    );
    return lists.flatMap(({ body }) => body.map(({ name }: { name: string }) => name));
  }

  /** What was left where an endpoint did not take requests any more. */
  async removeLeft(): Promise<void> {
    const { body: actions } = await this.program.send("GET", "actions?limit=200");
    for (const { name, namespace } of actions) {
      await this.program.send("DELETE", `actions/${namespace.split("/")[1]}/${name}`);
    }
    const { body: packages } = await this.program.send("GET", "packages");
    for (const { name } of packages) await this.program.send("DELETE", `packages/${name}`);
  }

  get #places(): readonly string[] {
    return ["--stock", this.front.url.href, "--rewhisk", this.url.href, "--auth", this.auth];
  }

  /** stock is reached through the front, rewhisk directly. */
  options(...more: readonly string[]): Options {
    return readOptions([...this.#places, "--kinds", kind, ...few, ...more], this.folder) as Options;
  }

  async run(
    chosen: Options,
    { signal = new AbortController().signal, report = () => undefined }: Run = {},
  ): Promise<Comparing> {
    const progress = new Progress({ write: () => undefined, isTerminal: false });
    const { places } = chosen;
    if (places === undefined) throw new Error("no places");
    return await compare({ ...chosen, passMs: 200 }, places, { progress, signal, report });
  }

  /** The program, as npm runs it. */
  start(...more: readonly string[]): { child: ReturnType<typeof spawn>; output: () => string } {
    const script = join(projectFolder(), "benchmarks", "compare", "run.mjs");
    const argv = [...this.#places, "--kinds", kind, ...few, ...more];
    const child = spawn(process.execPath, [script, ...argv], {
      ...{ cwd: this.folder, env: { ...process.env, INIT_CWD: this.folder } },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (text) => (output += String(text)));
    return { child, output: () => output };
  }
}

/** What leads the report, line by line. */
export function texts(comparing: Comparing): string {
  return alertsOf(comparing)
    .map(({ text }) => text)
    .join("\n");
}
