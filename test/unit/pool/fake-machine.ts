// A machine for tests: real sockets and pipes, but the runtime at their other end is a script in this process.

import { closeSync, mkdirSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import koffi from "koffi";
import type { CodeStore } from "../../../pool/code-store.ts";
import { LeanError } from "../../../pool/lean/errors.ts";
import type { Exit, Sandbox } from "../../../pool/lean/sandbox.ts";
import type { Boot, BootAhead, SandboxFactory, TakeOver } from "../../../pool/lean/types.ts";
import type {
  Checkpoint,
  Clock,
  ImageFactory,
  Machine,
  SharedLevel,
  Summary,
} from "../../../pool/machine.ts";
import { Channel } from "../../../pool/proxy/channel.ts";
import { Templates } from "../../../pool/templates.ts";
import {
  type CheckpointLevel,
  RestorerError,
  type RewindTimings,
  type Template,
} from "../../../restorer/index.ts";

const libc = koffi.load("libc.so.6");
const socketpair = libc.func("int socketpair(int domain, int type, int protocol, _Out_ int *fds)");
const pipe2 = libc.func("int pipe2(_Out_ int *fds, int flags)");
const ioctl = libc.func("int ioctl(int fd, unsigned long request, _Out_ int *value)");
const unixStreamNonBlockingCloseOnExec = 0o2000000 | 0o4000 | 1;
const nonBlockingCloseOnExec = 0o2000000 | 0o4000;
const fionread = 0x541b;
const siocoutq = 0x5411;

type Pair = [number, number];

export function socketPair(): Pair {
  const fds: Pair = [-1, -1];
  if (socketpair(1, unixStreamNonBlockingCloseOnExec, 0, fds) !== 0) throw new Error("socketpair failed");
  return fds;
}

/** Nothing of this process goes on meanwhile. */
export function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** The reading end first. */
export function pipePair(): Pair {
  const fds: Pair = [-1, -1];
  if (pipe2(fds, nonBlockingCloseOnExec) !== 0) throw new Error("pipe2 failed");
  return fds;
}

export function pendingBytes(fd: number): { unread: number; unsent: number } {
  const unread: [number] = [0];
  const unsent: [number] = [0];
  ioctl(fd, fionread, unread);
  if (ioctl(fd, siocoutq, unsent) !== 0) unsent[0] = 0;
  return { unread: unread[0], unsent: unsent[0] };
}

/** One request as the runtime sees it. */
export interface Request {
  readonly type: number;
  readonly nonce: Buffer;
  readonly payload: Buffer;
}

export function frame(type: number, nonce: Buffer, payload: Buffer): Buffer {
  const head = Buffer.alloc(21);
  head.writeUInt32LE(17 + payload.length, 0);
  nonce.copy(head, 4);
  head[20] = type;
  return Buffer.concat([head, payload]);
}

export function answerFrame(nonce: Buffer, status: number, body: string | Buffer): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16LE(status, 0);
  return frame(4, nonce, Buffer.concat([head, Buffer.from(body)]));
}

/** The runtime's side of one container. */
export class FakeRuntime {
  readonly socket: Socket;
  readonly stdoutFd: number;
  readonly stderrFd: number;
  readonly requests: Request[] = [];
  #held = Buffer.alloc(0);

  constructor(socketFd: number, stdoutFd: number, stderrFd: number, behave: Behaviour) {
    this.socket = new Socket({ fd: socketFd, readable: true, writable: true });
    this.stdoutFd = stdoutFd;
    this.stderrFd = stderrFd;
    this.socket.on("error", () => undefined);
    this.socket.on("data", (piece: Buffer) => {
      this.#held = Buffer.concat([this.#held, piece]);
      while (this.#held.length >= 4 && this.#held.length >= 4 + this.#held.readUInt32LE(0)) {
        const length = this.#held.readUInt32LE(0);
        const whole = this.#held.subarray(0, 4 + length);
        this.#held = this.#held.subarray(4 + length);
        const request = { nonce: whole.subarray(4, 20), type: whole[20] ?? 0, payload: whole.subarray(21) };
        this.requests.push(request);
        behave(request, this);
      }
    });
  }

  ready(): void {
    this.socket.write(frame(3, Buffer.alloc(16), Buffer.from('{"runtime":"fake","version":"1"}')));
  }

  answer(request: Request, status: number, body: string): void {
    this.socket.write(answerFrame(request.nonce, status, body));
  }

  print(text: string | Buffer): void {
    writeSync(this.stdoutFd, Buffer.from(text));
  }

  printError(text: string): void {
    writeSync(this.stderrFd, text);
  }
}

export type Behaviour = (request: Request, runtime: FakeRuntime) => void;

/** Answers init with 200 and run with `{"ok":true}`. */
export const obedient: Behaviour = (request, runtime) => {
  runtime.answer(request, 200, request.type === 1 ? '{"ok":true}' : '{"ok":true}');
};

export class FakeSandbox implements Sandbox {
  readonly id: string;
  readonly kind: string;
  readonly runtimePid = 1;
  readonly channelFd: number;
  readonly stdoutFd: number;
  readonly stderrFd: number;
  readonly exited: Promise<Exit>;
  readonly runtime: FakeRuntime;
  memoryMB: number;
  isDestroyed: boolean = false;
  isHalted: boolean = false;
  /** It goes on once it is told to. */
  isStopped: boolean = false;
  killedOthers = 0;
  emptied = 0;
  ooms = 0;
  /** What an init is said to have left. */
  left: "processes" | "sockets" | "files" | undefined;
  /** What its threads are said to wait for, before they rest. */
  readonly restless: string[] = [];
  #exit: (exit: Exit) => void = () => undefined;

  constructor(id: string, kind: string, memoryMB: number, behave: Behaviour) {
    this.id = id;
    this.kind = kind;
    this.memoryMB = memoryMB;
    const [channelFd, runtimeFd] = socketPair();
    const [stdoutFd, outFd] = pipePair();
    const [stderrFd, errFd] = pipePair();
    this.channelFd = channelFd;
    this.stdoutFd = stdoutFd;
    this.stderrFd = stderrFd;
    this.runtime = new FakeRuntime(runtimeFd, outFd, errFd, behave);
    this.exited = new Promise((resolve) => {
      this.#exit = resolve;
    });
  }

  setMemoryMB(memoryMB: number): void {
    this.memoryMB = memoryMB;
  }
  usedBytes = 0;
  memoryUsedBytes(): number {
    return this.usedBytes;
  }
  async killOthers(): Promise<void> {
    this.killedOthers++;
  }
  allowOthers(): void {}
  forbidsBirths: boolean = false;
  async withoutBirths<Result>(during: () => Promise<Result>): Promise<Result> {
    this.forbidsBirths = true;
    try {
      return await during();
    } finally {
      this.forbidsBirths = false;
    }
  }
  async awaitReaped(): Promise<void> {}
  oomKills(): number {
    return this.ooms;
  }
  async emptyScratch(): Promise<void> {
    this.emptied++;
  }
  /** Where code is shown, and what came of it so far. */
  readonly shown: string[] = [];
  isShown: boolean = false;
  /** Rejects. */
  refuseToShow: () => Error | undefined = () => undefined;
  refuseToHide: () => Error | undefined = () => undefined;
  keptBytes = 8192;
  async showCode(folder: string): Promise<void> {
    const error = this.refuseToShow();
    if (error !== undefined) throw error;
    this.shown.push(folder);
    this.isShown = true;
  }
  async hideCode(): Promise<void> {
    const error = this.refuseToHide();
    if (error !== undefined) throw error;
    this.isShown = false;
  }
  async keepCode(into: string): Promise<number> {
    mkdirSync(into);
    return this.keptBytes;
  }
  scratchUsedBytes(): number {
    return this.keptBytes;
  }
  awaitNoSockets(): Promise<void> {
    return Promise.resolve();
  }
  isAlone(): boolean {
    return this.left !== "processes";
  }
  hasSockets(): boolean {
    return this.left === "sockets";
  }
  hasFiles(): boolean {
    return this.left === "files";
  }

  halt(): boolean {
    this.isHalted = true;
    return this.isAlone();
  }

  goOn(): boolean {
    const wasStopped = this.isStopped;
    this.isStopped = false;
    return wasStopped;
  }

  rest(): string | undefined {
    return this.restless.shift() ?? "";
  }

  /** The runtime ends by itself. Its end of the channel may be held open by somebody else. */
  die(exit: Partial<Exit> = {}, { closing = true } = {}): void {
    if (closing) this.runtime.socket.destroy();
    this.#exit({ cause: "exit", status: 1, oomKilled: false, message: "", ...exit });
  }

  destroy(): Promise<void> {
    if (!this.isDestroyed) {
      this.isDestroyed = true;
      this.die({ cause: "signal", status: 9 });
      closeSync(this.runtime.stdoutFd);
      closeSync(this.runtime.stderrFd);
    }
    return Promise.resolve();
  }
}

const noTimings: RewindTimings = {
  ...{ totalUs: 1, freezeUs: 0, layoutUs: 0, scanUs: 0, planUs: 0, runUs: 0, stateUs: 0, registersUs: 0 },
  ...{ verifyUs: 0, thawUs: 0, pagesCopied: 0, pagesZeroed: 0, pagesDropped: 0, threadsEnded: 0 },
  ...{ mappingsChanged: 0, verified: true },
};

export class FakeCheckpoint implements Checkpoint {
  summary: Summary = { threads: 1, pages: 100 };
  /** Of rewinds and bringings. */
  readonly verified: boolean[] = [];
  /** Where the rewinds have led. */
  readonly led: CheckpointLevel[] = [];
  level: Summary | undefined;
  /** What a level that is taken holds, or what forbids it. */
  nextLevel: Summary | Error = { threads: 2, pages: 10 };
  isReleased = false;
  /** Levels of it that others can be brought to, and those that it was brought to. */
  readonly shared: { readonly isReleased: boolean }[] = [];
  readonly brought: SharedLevel[] = [];
  /** What the bringing does; the default returns at once. */
  bringing: () => Promise<void> = () => Promise.resolve();
  /** Templates of it that are kept. */
  templates = 0;
  /** At once, whoever was born of them. */
  embryosEnded = 0;
  /** What the next rewinds do; the default returns at once. */
  behave: () => Promise<void> = () => Promise.resolve();

  async takeLevel({ pages }: { readonly pages: number }): Promise<Summary | undefined> {
    await this.behave();
    if (this.nextLevel instanceof Error) throw this.nextLevel;
    if (this.nextLevel.pages > pages) return undefined;
    this.level = this.nextLevel;
    return this.nextLevel;
  }
  async rewind(options: { readonly verify: boolean; readonly to?: CheckpointLevel }): Promise<RewindTimings> {
    const { verify, to = "base" } = options;
    this.verified.push(verify);
    this.led.push(to);
    await this.behave();
    if (to === "base") this.level = undefined;
    return { ...noTimings, verified: verify };
  }
  shareLevel(): SharedLevel {
    if (this.level === undefined) throw new RestorerError("unsupported", "no level", true);
    const shared = {
      summary: this.level,
      isReleased: false,
      release: () => {
        shared.isReleased = true;
      },
    };
    this.shared.push(shared);
    return shared;
  }
  async bringToLevel(level: SharedLevel, { verify }: { readonly verify: boolean }): Promise<RewindTimings> {
    this.brought.push(level);
    this.verified.push(verify);
    await this.bringing();
    this.level = level.summary;
    return noTimings;
  }
  release(): void {
    this.isReleased = true;
  }
  template(): Template {
    this.templates++;
    const template = {
      isReleased: false,
      endEmbryo: () => this.embryosEnded++,
      release: () => {
        this.templates--;
        template.isReleased = true;
      },
    };
    return template as unknown as Template;
  }
}

/** Everything that was made is kept, for the tests to look at. */
export class FakeMachine implements Machine {
  readonly sandboxes: FakeSandbox[] = [];
  readonly checkpoints: FakeCheckpoint[] = [];
  readonly pendingBytes = pendingBytes;
  clock: Clock = { nowMs: () => performance.timeOrigin + performance.now() };
  readonly factory: SandboxFactory;
  docker: ImageFactory | undefined;
  codes: CodeStore | undefined;
  readonly templates: Templates | undefined;
  /** Rejects, or has the checkpoint fail that it gives. */
  boot: (checkpoint: FakeCheckpoint) => Promise<void> = () => Promise.resolve();
  /** What has become of the next that is booted, before there is a sandbox. */
  endedOnceBooted: () => Error | undefined = () => undefined;
  /** Sandboxes whose runtime was not started. */
  readonly booted: string[] = [];
  readonly takeCheckpoint: Machine["takeCheckpoint"];
  behave: Behaviour = obedient;
  /** Rejects where it returns an error. */
  refuseToCreate: () => Error | undefined = () => undefined;
  isSilent: boolean = false;
  /** What is booted is booted ahead. */
  isAhead: boolean = false;
  /** What was booted ahead is as its proof has left it. */
  staysStopped: boolean = true;
  readonly #aheads = new Map<string, BootAhead | undefined>();
  /** What the factory was told last. */
  isSaving: boolean = false;
  memory: Machine["memory"];
  createDelayMs = 0;
  #mayCreate: Promise<void> = Promise.resolve();

  /** `boots`: with templates, under containers that may reach this age. */
  constructor(
    options: {
      readonly rewinds?: boolean;
      readonly kinds?: readonly string[];
      readonly boots?: number;
      readonly bootTimeoutMs?: number;
    } = {},
  ) {
    const { boots } = options;
    if (boots !== undefined)
      this.templates = new Templates(
        { nowMs: () => this.clock.nowMs() },
        { ageBeforeRetirementMs: boots, startTimeoutMs: options.bootTimeoutMs ?? 60_000 },
        (template) => this.#boot(template),
      );
    this.factory = {
      create: (kind, memoryMB, boot, takeOver) => this.#create(kind, memoryMB, boot, takeOver),
      kinds: () => options.kinds ?? ["nodejs:20", "python:3"],
      ahead: () => ({
        networks: { ready: 0, made: 0, reused: 0, discarded: 0 },
        containers: { ready: 0, replaced: 0 },
      }),
      embryos: () => ({ living: 0, bytes: 0 }),
      bootAhead: (kind, boot) => void this.#aheads.set(kind, boot),
      saveMemory: (isSaving) => {
        this.isSaving = isSaving;
      },
      memoryGroup: () => ({ version: 2, folder: "/nowhere", top: "/nowhere" }),
      removeLeftovers: () => Promise.resolve(),
      allowForwarding: () => undefined,
      close: () => Promise.resolve(),
    };
    this.templates?.followTemplates((kind, boot) => this.factory.bootAhead(kind, boot));
    this.takeCheckpoint = options.rewinds === false ? undefined : () => this.#checkpoint();
  }

  get living(): FakeSandbox[] {
    return this.sandboxes.filter((sandbox) => !sandbox.isDestroyed);
  }

  /** What is ordered from now on is not made before the function is called that this gives. */
  hold(): () => void {
    let release = (): void => undefined;
    this.#mayCreate = new Promise((resolve) => {
      release = resolve;
    });
    return () => {
      this.#mayCreate = Promise.resolve();
      release();
    };
  }

  async #create(kind: string, memoryMB: number, boot?: Boot, takeOver?: TakeOver): Promise<Sandbox> {
    const mayCreate = this.#mayCreate;
    await new Promise((resolve) => setTimeout(resolve, this.createDelayMs));
    await mayCreate;
    const error = this.refuseToCreate();
    if (error !== undefined) throw error;
    const id = `sandbox-${this.sandboxes.length}`;
    let taken: Checkpoint | undefined;
    try {
      const waiting = { pid: 1, goFd: -1 };
      const ahead = this.isAhead ? this.#aheads.get(kind) : undefined;
      if (ahead === undefined || takeOver === undefined) await boot?.(waiting);
      else {
        taken = await ahead.from(waiting);
        await ahead.prove(taken);
      }
    } catch (cause) {
      throw new LeanError("start", `container ${id}: not booted`, { cause });
    }
    const ended = boot && this.endedOnceBooted();
    if (ended !== undefined) throw ended;
    const sandbox = new FakeSandbox(id, kind, memoryMB, (request, runtime) => this.behave(request, runtime));
    this.sandboxes.push(sandbox);
    sandbox.isStopped = taken !== undefined && this.staysStopped;
    if (taken !== undefined) takeOver?.(taken, Channel.open(sandbox.channelFd));
    if (boot !== undefined) this.booted.push(id);
    else if (!this.isSilent) sandbox.runtime.ready();
    return sandbox;
  }

  async #boot(template: Template): Promise<Checkpoint> {
    if ((template as unknown as { isReleased: boolean }).isReleased)
      throw new RestorerError("system", "the template has been released", true);
    const checkpoint = new FakeCheckpoint();
    await this.boot(checkpoint);
    this.checkpoints.push(checkpoint);
    return checkpoint;
  }

  #checkpoint(): Promise<Checkpoint> {
    const checkpoint = new FakeCheckpoint();
    this.checkpoints.push(checkpoint);
    return Promise.resolve(checkpoint);
  }
}
