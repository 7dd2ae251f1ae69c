// Continues the traces that controllers begin: which spans an activation has, whose children they are, whether they are kept.

import { randomBytes } from "node:crypto";
import { type Clock, systemClock, toldMs } from "../pool/index.ts";
import type { ActivationMessage } from "./wire/messages.ts";

/** Parts of an activation that are spans of their own. `containerStart` is the way to a container, `release` its rewind. */
export type TracedPart =
  | "getDocument"
  | "containerStart"
  | "activationInit"
  | "activationRun"
  | "collectLogs"
  | "release";

/** An activation as those see it who work on it. */
export interface Trace {
  /** Does the work as a span of its own. A rejection marks the span, and is the caller's as ever. */
  part<Result>(name: TracedPart, work: () => Promise<Result>): Promise<Result>;
}

/** Of an activation that is not followed. */
export const untraced: Trace = { part: (_, work) => work() };

export interface Tracing {
  /** Does the work of an activation, as a span where its trace is kept. */
  follow(message: ActivationMessage, work: (trace: Trace) => Promise<void>): Promise<void>;
}

/** Where nothing is traced. */
export const noTracing: Tracing = { follow: (_, work) => work(untraced) };

/** One span in Zipkin's own format (v2). Ids in hex digits, times in whole microseconds. */
export interface Span {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly name: string;
  readonly timestamp: number;
  readonly duration: number;
  readonly localEndpoint: { readonly serviceName: string };
  readonly tags: { readonly [name: string]: string };
  readonly debug?: true;
}

export interface TracerSettings {
  /** `whisk.tracing.component` */
  readonly component: string;
  /** `whisk.tracing.zipkin.sample-rate`, from 0 to 1: of the traces that nobody has decided about yet. */
  readonly sampleRate: number;
  /** As in `invoker0`. */
  readonly invoker: string;
}

type Tags = Span["tags"];
/** What a span shares with its trace and its parent. */
type Place = Pick<Span, "traceId" | "id" | "parentId" | "debug">;

const microsecondsPerMs = 1000;
const shownCharacters = 1024;

export class Tracer implements Tracing {
  readonly #settings: TracerSettings;
  readonly #record: (span: Span) => void;
  readonly #clock: Clock;
  readonly #chance: () => number;

  /** `record` gets each span when it has ended; it must not throw, and nobody waits for it. */
  constructor(
    settings: TracerSettings,
    record: (span: Span) => void,
    clock: Clock = systemClock,
    chance: () => number = Math.random,
  ) {
    this.#settings = settings;
    this.#record = record;
    this.#clock = clock;
    this.#chance = chance;
  }

  async follow(message: ActivationMessage, work: (trace: Trace) => Promise<void>): Promise<void> {
    const { traceId, spanId, isSampled, isDebug } = readContext(message.traceContext);
    if (!(isSampled ?? this.#chance() < this.#settings.sampleRate)) return await work(untraced);
    const id = newId();
    const place: Place = {
      ...{ traceId: traceId ?? id, id },
      ...(spanId !== undefined && { parentId: spanId }),
      ...(isDebug && { debug: true }),
    };
    const transaction = { transactionId: message.transid[0] };
    const tags = { ...transaction, activationId: message.activationId, invoker: this.#settings.invoker };
    const trace: Trace = {
      part: (name, part) => this.#span({ ...place, id: newId(), parentId: id }, name, transaction, part),
    };
    await this.#span(place, "activation", tags, () => work(trace));
  }

  async #span<Result>(place: Place, name: string, tags: Tags, work: () => Promise<Result>): Promise<Result> {
    const sinceMs = this.#clock.nowMs();
    const timestamp = Math.round(toldMs(this.#clock) * microsecondsPerMs);
    let ended = tags;
    try {
      return await work();
    } catch (error) {
      ended = { ...tags, error: "true", message: String(error).slice(0, shownCharacters) };
      throw error;
    } finally {
      const tookUs = Math.round((this.#clock.nowMs() - sinceMs) * microsecondsPerMs);
      const localEndpoint = { serviceName: this.#settings.component };
      // To Zipkin no duration at all is one that is not known.
      this.#record({ ...place, name, timestamp, duration: Math.max(1, tookUs), localEndpoint, tags: ended });
    }
  }
}

interface Context {
  /** Both or none. */
  readonly traceId?: string;
  readonly spanId?: string;
  /** Undefined: whoever comes next decides. */
  readonly isSampled: boolean | undefined;
  readonly isDebug: boolean;
}

const decisions = new Map([
  ["1", true],
  ["true", true],
  ["0", false],
  ["false", false],
]);

/** B3 headers in whatever case, as stock's tracer writes them. Ids that are none are taken for absent. */
function readContext(fields: unknown): Context {
  const texts = new Map(
    Object.entries(fields ?? {}).map(([name, value]) => [name.toLowerCase(), String(value).toLowerCase()]),
  );
  const isDebug = texts.get("x-b3-flags") === "1";
  const isSampled = isDebug || decisions.get(texts.get("x-b3-sampled") ?? "");
  const [traceId = "", spanId = ""] = [texts.get("x-b3-traceid"), texts.get("x-b3-spanid")];
  const hasIds = isId(traceId, 32) && isId(spanId, 16);
  return { ...(hasIds && { traceId, spanId }), isSampled, isDebug };
}

function isId(text: string, digitsMax: number): boolean {
  return text.length <= digitsMax && /^[0-9a-f]+$/.test(text) && !/^0+$/.test(text);
}

/** 64 bits; a trace has the id of its first span, as in stock. */
function newId(): string {
  return randomBytes(8).toString("hex");
}
