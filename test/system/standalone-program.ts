// The program that `npm start` runs, in a process of its own, spoken to as wsk does: over HTTP.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { projectFolder } from "../../invoker/config/entries.ts";
import { within } from "../within.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // Tests look into bodies by path; a wrong path fails the expectation that follows.
  // biome-ignore lint/suspicious/noExplicitAny: the bodies of a whole API
  readonly body: any;
}

export interface ProgramOptions {
  readonly dataFolder: string;
  /** By `npm start` instead of by the script that it runs. */
  readonly byNpm?: boolean;
  /** Instead of the checkout's: a program that was installed. */
  readonly installed?: string;
  /** A command that executes the one that follows it. */
  readonly under?: readonly string[];
  /** Further options of the command line. */
  readonly more?: readonly string[];
  /** Of its environment, beside those of the tests. */
  readonly variables?: { readonly [name: string]: string };
  /** How long it may take to be ready. */
  readonly patienceMs?: number;
}

const namespaceUrl = "/api/v1/namespaces/_";
const readyLine = /^ready after /m;
const patienceMs = 60_000;

export class StandaloneProgram {
  readonly #child: ChildProcess;
  /** Exit code and last signal. */
  readonly ended: Promise<unknown[]>;
  #hasEnded: boolean = false;
  /** What it has printed so far. */
  output = "";

  /** Starts it, and does not wait for it. It leads a process group, as a command in a terminal does. */
  constructor({
    dataFolder,
    byNpm = false,
    installed,
    under = [],
    more = [],
    variables = {},
  }: ProgramOptions) {
    const options = ["--port", "0", "--data-dir", dataFolder, "--user-memory", "1024m", ...more];
    const ofCheckout = byNpm
      ? ["npm", "start", "--"]
      : [process.execPath, join(projectFolder(), "standalone", "start.mjs")];
    const start = installed === undefined ? ofCheckout : [installed];
    const [command = "", ...args] = [...under, ...start, ...options];
    // npm takes the first Node that it finds.
    const PATH = `${dirname(process.execPath)}:${process.env.PATH}`;
    this.#child = spawn(command, args, {
      cwd: projectFolder(),
      env: { ...process.env, ...variables, PATH },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (piece: Buffer) => {
        this.output += piece.toString();
      });
    }
    this.ended = once(this.#child, "close").finally(() => {
      this.#hasEnded = true;
    });
  }

  static async start(options: ProgramOptions): Promise<StandaloneProgram> {
    const program = new StandaloneProgram(options);
    try {
      await program.printed(readyLine, options.patienceMs);
      return program;
    } catch (error) {
      if (!program.#hasEnded) process.kill(-program.pid, "SIGKILL");
      await program.ended;
      throw new Error(`it does not start: ${program.output}`, { cause: error });
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves once its output matches. Throws, with the output, when it ends or takes too long before. */
  async printed(pattern: RegExp, limitMs: number = patienceMs): Promise<RegExpExecArray> {
    return await within(limitMs, () => {
      const found = pattern.exec(this.output);
      if (found === null && this.#child.exitCode !== null) {
        throw new Error(`ended with ${this.#child.exitCode} before it printed ${pattern}: ${this.output}`);
      }
      return found ?? undefined;
    });
  }

  /** The one line of the banner that begins so, without that word. */
  line(word: "wsk" | "curl" | "rewinding" | "kafka" | "watch"): string {
    return new RegExp(`^  ${word} +(.*)$`, "m").exec(this.output)?.[1] ?? "";
  }

  /** Sends to a path below the guest's namespace, or to a whole one; a body that is no string is sent as JSON; null sends no key. */
  async send(method: string, path: string, body?: unknown, as?: { auth: string | null }): Promise<Answer> {
    const [, url = "", own = ""] = /--apihost (\S+) --auth (\S+)$/.exec(this.line("wsk")) ?? [];
    const auth = as === undefined ? own : as.auth;
    const response = await fetch(`${url}${path.startsWith("/") ? path : `${namespaceUrl}/${path}`}`, {
      method,
      headers: {
        ...(auth === null ? {} : { authorization: `Basic ${Buffer.from(auth).toString("base64")}` }),
        "content-type": "application/json",
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text === "" ? undefined : JSON.parse(text),
    };
  }

  /** The record of an activation: it is stored a moment after the answer. */
  async record(activationId: string): Promise<Answer["body"]> {
    return await within(patienceMs, async () => {
      const { status, body } = await this.send("GET", `activations/${activationId}`);
      return status === 200 ? body : undefined;
    });
  }

  /** Signals all of its process group, as the terminal's Ctrl-C does, and gives exit code and last signal of the leader. */
  async interrupt(): Promise<unknown[]> {
    if (!this.#hasEnded) {
      process.kill(-this.pid, "SIGINT");
    }
    return await this.ended;
  }

  /** Ends the program alone, without warning. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }
}
