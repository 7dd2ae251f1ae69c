// Both sides on this machine, each a process of its own: rewhisk as `npm start` has it, and the same with Docker's containers as stock uses them.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectFolder } from "../../invoker/config/entries.ts";
import type { Side } from "./call.ts";
import type { Places } from "./compare.ts";
import { OptionsError } from "./options.ts";
import type { Progress } from "./progress.ts";

export interface Here {
  readonly places: Places;
  /** Ends both in order. */
  stop(): Promise<void>;
}

const userMemory = "2048m";
const wskLine = /--apihost (\S+) --auth (\S+)/;
const readyLine = /^ready after /m;
const shownCharacters = 3000;

/** Throws OptionsError with the end of what a side has said that does not start. */
export async function startHere(progress: Progress): Promise<Here> {
  const folder = mkdtempSync(join(tmpdir(), "rewhisk-compare-"));
  const programs = {
    stock: join(projectFolder(), "build", "js", "benchmarks", "compare", "stock-like.js"),
    rewhisk: join(projectFolder(), "standalone", "start.mjs"),
  };
  const started: LocalProgram[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((one) => one.stop()));
    rmSync(folder, { recursive: true, force: true });
  };
  const start = async (side: Side): Promise<Places[Side]> => {
    const program = new LocalProgram(side, programs[side], join(folder, side));
    started.push(program);
    return await program.ready();
  };
  try {
    progress.say("Starting both sides on this machine, which takes half a minute ...");
    const [stock, rewhisk] = await Promise.all([start("stock"), start("rewhisk")]);
    return { places: { stock, rewhisk }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

class LocalProgram {
  readonly #side: Side;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #output = "";

  constructor(side: Side, program: string, dataFolder: string) {
    this.#side = side;
    const options = ["--port", "0", "--data-dir", dataFolder, "--user-memory", userMemory];
    // In a group of its own: a Ctrl-C is for this process, which ends the others when it has removed what it made there.
    this.#child = spawn("setpriv", ["--pdeathsig", "TERM", process.execPath, program, ...options], {
      ...{ stdio: ["ignore", "pipe", "pipe"], detached: true },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output = readyLine.test(this.#output) ? this.#output : this.#output + text;
      });
    }
    this.#ended = once(this.#child, "close");
  }

  async ready(): Promise<Places[Side]> {
    const isReady = new Promise<true>((resolve) => {
      this.#child.stdout?.on("data", () => readyLine.test(this.#output) && resolve(true));
    });
    const ready = await Promise.race([isReady, this.#ended]);
    const [, url, auth] = wskLine.exec(this.#output) ?? [];
    if (ready === true && url !== undefined && auth !== undefined) return { url: new URL(url), auth };
    throw new OptionsError([`${this.#side} does not start here: ${this.#output.slice(-shownCharacters)}`]);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill("SIGTERM");
    await this.#ended;
  }
}
