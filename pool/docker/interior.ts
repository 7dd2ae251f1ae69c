// One Docker container of stock's kind: init and run over HTTP, paused while nobody uses it, its output in Docker's file.

import { setTimeout as sleep } from "node:timers/promises";
import type { Interior, OnFault, OnStuck } from "../interior.ts";
import type { Exit } from "../lean/sandbox.ts";
import { type Clock, toldMs, toldPeriod } from "../machine.ts";
import type { Exchange, Timed } from "../proxy/exchange.ts";
import { type Endpoint, type HttpReply, postInit, postRun } from "../proxy/http.ts";
import { type CollectedLogs, type ExchangeLimits, type InitFrame, TaintError } from "../types.ts";
import type { Engine } from "./engine.ts";
import type { JsonFile } from "./json-file.ts";
import { collectFromFile } from "./logs.ts";
import type { Removals } from "./removals.ts";
import { Rest } from "./rest.ts";
import { Vigil, type VigilSettings } from "./vigil.ts";

/** How long Docker is asked whether a container that broke its connection was killed for want of memory. */
const usualNewsMs = 2000;
const oomPollMs = 20;

export interface DockerParts {
  /** Docker's id. */
  readonly dockerId: string;
  /** For people. */
  readonly name: string;
  readonly memoryMB: number;
  readonly endpoint: Endpoint;
  /** Undefined: nothing is collected. */
  readonly output: JsonFile | undefined;
  readonly sentinelled: boolean;
  readonly pauseGraceMs: number;
  /** Absent: nobody looks whether it listens until it is used. */
  readonly vigil?: VigilSettings | undefined;
  /** How long Docker may keep back what has happened: a line, an end. Absent: two seconds. */
  readonly newsMs?: number | undefined;
  readonly engine: Engine;
  readonly removals: Removals;
  readonly clock: Clock;
}

export class DockerInterior implements Interior {
  readonly id: string;
  readonly memoryMB: number;
  /** Nobody could know that it is what it was: docs/decisions/0028. */
  readonly isRewindable = false;
  /** It cannot be paused, or does not listen. That it has ended after its first use is seen by who uses it next. */
  readonly lost: Promise<TaintError>;
  readonly #parts: DockerParts;
  readonly #rest: Rest;
  readonly #vigil: Vigil | undefined;
  /** True: it has rested, and has not answered since. */
  #isUnproven: boolean = false;
  #logBytes = 0;
  #collected: Promise<unknown> = Promise.resolve();
  #destroyed: Promise<void> | undefined;

  constructor(parts: DockerParts) {
    this.#parts = parts;
    this.id = parts.name;
    this.memoryMB = parts.memoryMB;
    const { engine, dockerId, pauseGraceMs, endpoint, vigil } = parts;
    this.#rest = new Rest(
      { pause: () => engine.pause(dockerId), unpause: () => engine.unpause(dockerId) },
      pauseGraceMs,
    );
    this.#vigil = vigil && new Vigil(endpoint, vigil);
    const unpausable = this.#rest.failed.then((cause) => engineFault("it cannot be paused", cause));
    const deaf = this.#vigil?.failed.then(() => new TaintError("process-gone", "it has ceased to listen"));
    this.lost = deaf === undefined ? unpausable : Promise.race([unpausable, deaf]);
  }

  /** Has begun to run; whether it listens is found by init. */
  settle(): Promise<undefined> {
    this.#vigil?.begin();
    return Promise.resolve(undefined);
  }

  init(frame: InitFrame, limits: ExchangeLimits, onFault: OnFault): Promise<Timed> {
    this.#vigil?.end();
    return this.#exchange((endpoint) => postInit(endpoint, frame, limits), onFault);
  }

  async run(body: string, limits: ExchangeLimits, _isShared: boolean, onFault: OnFault): Promise<Timed> {
    try {
      await this.#rest.end();
    } catch (cause) {
      onFault(engineFault("it cannot be resumed", cause));
      const { clock } = this.#parts;
      return { ...toldPeriod(clock), exchange: { outcome: "unavailable" } };
    }
    return await this.#exchange((endpoint) => postRun(endpoint, body, limits), onFault);
  }

  keepLogs(limitBytes: number): void {
    this.#logBytes = limitBytes;
  }

  /** Neighbours read one after the other, each up to the next two sentinels. */
  async collectLogs(isOrderly: boolean, onFault: OnFault): Promise<CollectedLogs> {
    const { output, sentinelled, newsMs, clock } = this.#parts;
    const limitBytes = this.#logBytes;
    if (output === undefined || limitBytes === 0) return { lines: [], truncated: false };
    const isAwaited = sentinelled && isOrderly;
    const collection = { limitBytes, isAwaited, silenceMs: newsMs, nowMs: () => toldMs(clock) };
    const logs = this.#collected.then(() => collectFromFile(output, collection));
    this.#collected = logs;
    const { lines, truncated, isComplete } = await logs;
    if (!isComplete) onFault(new TaintError("logs", "its output has not been read to the end"));
    return { lines, truncated };
  }

  /** The pool gives it only jobs of its own size. */
  limitMemory(memoryMB: number): void {
    if (memoryMB !== this.memoryMB) throw new TaintError("system", `made for ${this.memoryMB} MB`);
  }

  rest(): void {
    this.#isUnproven = true;
    this.#rest.begin();
  }

  putBack(): Promise<undefined> {
    return Promise.reject(new TaintError("system", "a Docker container is never rewound"));
  }

  destroy(onStuck: OnStuck): Promise<void> {
    this.#destroyed ??= this.#remove(onStuck);
    return this.#destroyed;
  }

  async #remove(onStuck: OnStuck): Promise<void> {
    const { removals, dockerId, output } = this.#parts;
    this.#vigil?.end();
    await this.#collected;
    await output?.close();
    // A paused one cannot be killed. One that cannot be resumed is removed, or not, all the same.
    await this.#rest.end().catch(() => undefined);
    await removals.untilGone(dockerId, onStuck);
  }

  async #exchange(ask: (endpoint: Endpoint) => Promise<HttpReply>, onFault: OnFault): Promise<Timed> {
    const { clock, endpoint } = this.#parts;
    const sinceMs = clock.nowMs();
    const reply = await ask(endpoint);
    const period = toldPeriod(clock, sinceMs);
    const exchange = await this.#exchangeOf(reply, onFault);
    return { ...period, exchange };
  }

  async #exchangeOf(reply: HttpReply, onFault: OnFault): Promise<Exchange> {
    switch (reply.outcome) {
      case "answer":
        this.#isUnproven = false;
        return reply;
      case "timeout":
        return reply;
      case "garbled":
        onFault(new TaintError("channel", reply.why));
        return reply;
      case "unavailable":
        onFault(new TaintError("process-gone", "it answers that it is shutting down"));
        return reply;
      case "refused":
      case "broken": {
        const isDead = reply.outcome === "refused" && this.#isUnproven;
        onFault(new TaintError("process-gone", `its action proxy's connection was ${reply.outcome}`));
        return isDead ? { outcome: "unavailable" } : await this.#howItEnded();
      }
    }
  }

  async #howItEnded(): Promise<Exchange> {
    const { engine, dockerId, newsMs = usualNewsMs } = this.#parts;
    const untilMs = performance.now() + newsMs;
    let exit: Exit | undefined;
    do {
      // Whatever Docker says later or not at all: nobody waits for that.
      const facts = await engine.inspect(dockerId, newsMs).catch(() => undefined);
      if (facts === undefined) break;
      const { exitCode: status, isOomKilled: oomKilled } = facts;
      if (!facts.isRunning) exit = { cause: "exit", status, oomKilled, message: "" };
      if (oomKilled) return { outcome: "gone", exit, oomKilled };
      await sleep(oomPollMs);
    } while (exit === undefined && performance.now() < untilMs);
    return { outcome: "gone", exit, oomKilled: false };
  }
}

function engineFault(what: string, cause: unknown): TaintError {
  return new TaintError("engine", `${what}: ${cause instanceof Error ? cause.message : cause}`, { cause });
}
