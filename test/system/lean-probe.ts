// Real lean containers in which a test runs code of its choice instead of a runtime.

import { closeSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLeanFactory } from "../../pool/lean/factory.ts";
import { findInterpreters, type Interpreter } from "../../pool/lean/interpreters.ts";
import type { LeanFactoryOptions } from "../../pool/lean/options.ts";
import { repositoryFolder } from "../../pool/lean/repository.ts";
import type { Sandbox } from "../../pool/lean/sandbox.ts";
import type { SandboxFactory } from "../../pool/lean/types.ts";
import { nativeFolder } from "../../restorer/index.ts";
import { instanceName } from "./instance.ts";

export const launcher = `${nativeFolder}lean`;

/** Fails where the suite is not run as it must be: nothing passes because it could not be tried. */
export function requireRoot(): void {
  if (process.getuid?.() !== 0) throw new Error("tests of real containers need root");
}

/** A folder that looks like the repository to the factory, with the probes as its runtimes. */
export function probeRepository(): { readonly folder: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "rewhisk-probe-"));
  symlinkSync(join(repositoryFolder, "pool"), join(folder, "pool"));
  for (const [family, file, flags] of [
    ["python", "lean-probe.py", ["-I", "-B"]],
    ["nodejs", "lean-probe.cjs", []],
  ] as const) {
    const runtime = join(folder, "runtimes", family);
    mkdirSync(runtime, { recursive: true });
    copyFileSync(join(repositoryFolder, "test/system", file), join(runtime, file));
    writeFileSync(
      join(runtime, "runtime.json"),
      JSON.stringify({ family, arguments: [...flags, `/runtime/${family}/${file}`], mounts: [] }),
    );
  }
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

/** One container that runs what it is told. */
export class Probe {
  readonly sandbox: Sandbox;
  readonly channel: Socket;
  readonly #pipes: readonly Socket[];
  #received = Buffer.alloc(0);
  /** What it printed. */
  readonly printed = { stdout: "", stderr: "" };
  #settle: ((answer: { result?: unknown; error?: string }) => void) | undefined;

  constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
    this.channel = new Socket({ fd: sandbox.channelFd, readable: true, writable: true });
    this.channel.on("data", (piece: Buffer) => this.#take(piece));
    this.channel.on("error", () => this.channel.destroy());
    this.channel.on("close", () => this.#settle?.({ error: "the channel is closed" }));
    this.#pipes = (["stdout", "stderr"] as const).map((name) => {
      const pipe = new Socket({ fd: sandbox[`${name}Fd`], readable: true, writable: false });
      pipe.on("data", (piece: Buffer) => {
        this.printed[name] += piece.toString();
      });
      return pipe;
    });
  }

  /** The `result` of Python code, or what JavaScript returns. Throws with the error's text. */
  async run(code: string): Promise<unknown> {
    const answer = await new Promise<{ result?: unknown; error?: string }>((resolve) => {
      this.#settle = resolve;
      const body = Buffer.from(code);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(body.length);
      this.channel.write(Buffer.concat([length, body]));
    });
    this.#settle = undefined;
    if (answer.error !== undefined) throw new Error(`${answer.error}\n${this.printed.stderr}`);
    return answer.result;
  }

  async destroy(): Promise<void> {
    this.channel.destroy();
    for (const pipe of this.#pipes) pipe.destroy();
    await this.sandbox.destroy();
  }

  #take(piece: Buffer): void {
    this.#received = Buffer.concat([this.#received, piece]);
    if (this.#received.length < 4) return;
    const end = 4 + this.#received.readUInt32LE();
    if (this.#received.length < end) return;
    const body = this.#received.subarray(4, end).toString();
    this.#received = this.#received.subarray(end);
    this.#settle?.(JSON.parse(body) as { result?: unknown; error?: string });
  }
}

/** A factory of probes; `close` leaves nothing behind. */
export class ProbeFactory {
  readonly factory: SandboxFactory;
  readonly interpreters: readonly Interpreter[];
  readonly #remove: () => void;
  readonly #probes: Probe[] = [];

  private constructor(factory: SandboxFactory, interpreters: readonly Interpreter[], remove: () => void) {
    this.factory = factory;
    this.interpreters = interpreters;
    this.#remove = remove;
  }

  static async open(what: string, options: Partial<LeanFactoryOptions> = {}): Promise<ProbeFactory> {
    requireRoot();
    const { folder, remove } = probeRepository();
    const interpreters = await findInterpreters();
    const factory = createLeanFactory({
      instance: instanceName(what),
      interpreters,
      environment: { __OW_API_HOST: "http://host" },
      scratchMB: 8,
      launcher,
      repository: folder,
      ...options,
    });
    return new ProbeFactory(factory, interpreters, remove);
  }

  async make(kind = "python:3", memoryMB = 128): Promise<Probe> {
    const probe = new Probe(await this.factory.create(kind, memoryMB));
    this.#probes.push(probe);
    return probe;
  }

  async close(): Promise<void> {
    try {
      for (const probe of this.#probes) await probe.destroy();
      await this.factory.close();
    } finally {
      this.#remove();
    }
  }
}

/** For containers that a test makes without a probe. */
export function closeEnds({ channelFd, stdoutFd, stderrFd }: Sandbox): void {
  for (const fd of [channelFd, stdoutFd, stderrFd]) closeSync(fd);
}
