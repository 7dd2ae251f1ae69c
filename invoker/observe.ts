// What operators see: one JSON line for each event worth one, and the table of metrics.

import { LRUCache } from "lru-cache";
import { type DestinationStream, type Logger, pino } from "pino";
import {
  type Lease,
  type Pool,
  type PoolEventMap,
  type Probe,
  type RewindPolicy,
  rewindPolicies,
  type StartKind,
  type StartPlace,
} from "../pool/index.ts";
import type { BackgroundWork } from "./background.ts";
import type { WireSettings } from "./config/wire-settings.ts";
import { rewindAnnotation } from "./job.ts";
import { Metrics, millisecondsPerSecond } from "./metrics.ts";
import type { Outcome } from "./outcome.ts";
import type { Work } from "./record.ts";
import type { Phase } from "./stock-metrics.ts";
import type { ActionDocument } from "./wire/documents.ts";
import type { ActivationMessage, ActivationRecord, StatusCode } from "./wire/messages.ts";
import { rootId, wantsExtraLogging } from "./wire/orders.ts";

/** Of so many actions it is remembered what has been said of them. */
const rememberedMax = 1000;

type AckShape = "result" | "completion" | "combined";

/** Of a result in a log line. */
const shownCharacters = 1024;

/** What is said of the invoker's own work, in place of a controller's transaction. */
const ownTransid = { invoker: "sid_invoker", pool: "sid_invokerNanny", feed: "sid_dispatcher" } as const;

/** An activation that has ended: which and when, and nothing of what it was given or gave. Epoch milliseconds. */
export interface Ended {
  readonly activationId: string;
  readonly status: StatusCode;
  readonly endedMs: number;
  /** How it came by its container; absent: it was not run, nor are there times. */
  readonly start?: StartKind;
  /** The same in full. */
  readonly place?: StartPlace;
  /** Some were there already. */
  readonly hasLibraries?: true;
  /** Absent where the action was loaded already. */
  readonly initMs?: number;
  readonly runMs?: number;
}

/** Where it began. */
export type Began = Pick<Lease, "start" | "place" | "libraries">;

/** By status code; a success is no error. */
const errorSettings = [undefined, "application", "developer", "whisk"] as const;

/** Never writes user code or arguments, and results only where the operator has asked for those of failures. */
export class Observer {
  readonly metrics: Metrics;
  /** Each is told of every activation that ends. While nobody wants to know, that costs nothing. */
  readonly endings = new Set<(ended: Ended) => void>();
  readonly #log: Logger;
  /** Of boots that failed: kind and reason. */
  readonly #saidOfBoots = new LRUCache<string, true>({ max: rememberedMax });
  /** Of libraries that were refused: base and reason. */
  readonly #saidOfLibraries = new LRUCache<string, true>({ max: rememberedMax });
  readonly #saidOfPolicy = new LRUCache<string, true>({ max: rememberedMax });
  /** By code, of what containers have lacked. */
  readonly #saidOfScarcity = new Set<string>();
  /** By kind, of those whose last start failed. */
  readonly #startFaults = new LRUCache<string, string>({ max: rememberedMax });
  #rung = "none";

  /** Lines go to `stream`, by default the standard error. */
  constructor(level: string, stream: DestinationStream = standardError(), metrics: Metrics = new Metrics()) {
    this.metrics = metrics;
    this.#log = pino({ level, base: null, messageKey: "message" }, stream);
  }

  /** Follows a pool for as long as it lives. */
  watch(pool: Pool): void {
    const { events } = pool;
    this.metrics.watch(() => pool.status());
    events.on("started", (event) => this.#started(event));
    events.on("startFailed", ({ container, kind, error, failuresInARow }) => {
      this.metrics.containersStarted.inc({ result: "failed" });
      const fields = {
        event: "container-start-failed",
        transid: ownTransid.pool,
        ...{ container, kind, failuresInARow, reason: error.message },
      };
      // While it goes on in the same way one line is enough; the next is that of a container that is ready.
      const isSaid = this.#startFaults.get(kind) === codeOf(error);
      this.#startFaults.set(kind, codeOf(error));
      this.#log[isSaid ? "debug" : "error"](fields, "a container could not be started");
    });
    events.on("startPutOff", (putOff) => this.#startPutOff(putOff));
    events.on("bootFailed", (failure) => this.#bootFailed(failure));
    events.on("librariesRefused", (refusal) => this.#librariesRefused(refusal));
    events.on("bootsCopied", (copied) => this.#bootsCopied(copied));
    events.on("templateStored", (stored) => this.#templateStored(stored));
    events.on("leased", ({ start, place, libraries, waitedMs }) => {
      this.metrics.starts.inc({ start, place, libraries: libraries === undefined ? "no" : "yes" });
      this.metrics.stock.started(start);
      this.metrics.poolWait.observe(waitedMs / millisecondsPerSecond);
    });
    events.on("rewound", ({ timings, tookMs }) => this.metrics.rewound(timings, tookMs, this.#rung));
    events.on("level", ({ outcome }) => this.metrics.level(outcome));
    events.on("relieved", ({ what }) => this.metrics.relieved.inc({ what }));
    events.on("memoryShort", (shortage) => this.#memoryShort(shortage));
    events.on("tainted", ({ container, kind, reason, error }) => {
      this.metrics.tainted.inc({ reason });
      const named = { event: "container-tainted", transid: ownTransid.pool, container, kind };
      const fields = { ...named, reason, detail: error.message };
      this.#log.warn(fields, "a container is not known to be clean and is replaced");
    });
    events.on("stuck", ({ container, kind, failure }) => {
      const named = { event: "container-not-removed", transid: ownTransid.pool, container, kind };
      const fields = { ...named, reason: messageOf(failure) };
      this.#log.error(
        fields,
        "a container is not removed yet: that is tried again, and its memory counts until then",
      );
    });
    events.on("removed", (event) => this.#removed(event));
  }

  invokerStarted(probe: Probe, kinds: readonly string[], instance: number): void {
    this.metrics.stock.startedUp(instance);
    this.#rung = probe.rung ?? "none";
    for (const { rung, proven } of probe.rungs) this.metrics.rungs.set({ rung }, proven ? 1 : 0);
    const fields = { event: "invoker-started", transid: ownTransid.invoker, rung: this.#rung, kinds };
    if (probe.rung !== undefined) this.#log.info(fields, "the invoker reads its topic");
    else {
      const why = probe.rungs.map(({ rung, why }) => `${rung}: ${why}`);
      const all = { ...fields, why, obstacles: probe.obstacles };
      this.#log.warn(all, "no rung proved itself here: every container is used once");
    }
  }

  /** Of what the invoker is given (bus, stores, admin pages): their own event and fields, which hold no secret. */
  noted(
    level: "debug" | "info" | "warn" | "error",
    fields: { readonly event: string; readonly [field: string]: unknown },
    text: string,
  ): void {
    this.#log[level]({ transid: ownTransid.invoker, ...fields }, text);
  }

  invokerDrained(underWay: number): void {
    const text = underWay === 0 ? "all activations have ended" : "activations were ended by force";
    this.#log.info({ event: "invoker-drained", transid: ownTransid.invoker, underWay }, text);
  }

  /** By an operator, or because it ends. */
  switched(isEnabled: boolean): void {
    const event = isEnabled ? "invoker-enabled" : "invoker-disabled";
    const text = isEnabled ? "controllers may send work again" : "controllers are told to send no work";
    this.#log.info({ event, transid: ownTransid.invoker }, text);
  }

  /** Once when the bus stops taking pings, with the reason, and once when it takes them again. */
  heardChanged(failure: unknown): void {
    if (failure === undefined) {
      this.#log.info({ event: "pings-resumed", transid: ownTransid.invoker }, "controllers are told again");
      return;
    }
    const fields = { event: "ping-failed", transid: ownTransid.invoker, reason: messageOf(failure) };
    this.#log.error(fields, "the bus takes no pings: controllers give this invoker up after 10 s");
  }

  unreadable(error: unknown): void {
    this.metrics.unreadable.inc();
    const fields = { event: "message-unreadable", transid: ownTransid.feed, reason: messageOf(error) };
    this.#log.warn(fields, "a message was skipped");
  }

  activationStarted(): void {
    this.metrics.stock.activations.inc();
  }

  begun(phase: Phase): void {
    this.metrics.stock.phaseBegun(phase);
  }

  ended(phase: Phase, tookMs: number): void {
    this.metrics.stock.phaseEnded(phase, tookMs);
  }

  /** Its container was dead: it goes to another one. */
  rescheduled(message: ActivationMessage, container: string): void {
    this.metrics.stock.rescheduled.inc();
    const fields = { event: "activation-rescheduled", ...named(message), container };
    this.#log.warn(fields, "a container took no more work: another one is asked");
  }

  activationDone(message: ActivationMessage, work: Work, lease: Began): void {
    const { start, place, libraries } = lease;
    const had = libraries === undefined ? {} : { hasLibraries: true as const };
    const { outcome, startMs, endMs, initMs } = work;
    const runMs = endMs - startMs - (initMs ?? 0);
    const init = initMs === undefined ? {} : { initMs };
    this.#ended(message, outcome.statusCode, { endedMs: endMs, start, place, ...had, runMs, ...init });
    const level = wantsExtraLogging(message) ? "info" : "debug";
    if (!this.#log.isLevelEnabled(level)) return;
    const fields = { event: "activation-done", ...named(message), start, place, ...had };
    const all = { ...fields, status: outcome.statusCode, durationMs: endMs - startMs };
    this.#log[level](all, "an activation has ended");
  }

  /** `whisk.container-proxy.log-activation-errors` */
  activationError(message: ActivationMessage, outcome: Outcome, logged: WireSettings["loggedErrors"]): void {
    const { statusCode, resultText } = outcome;
    const setting = errorSettings[statusCode];
    if (setting === undefined || !logged[setting]) return;
    const { path, name } = message.action;
    const fields = {
      event: "activation-error",
      ...named(message),
      action: `${path}/${name}`,
      status: statusCode,
    };
    this.#log.warn({ ...fields, result: resultText.slice(0, shownCharacters) }, "an activation has failed");
  }

  recordNotStored(message: ActivationMessage, { name, response }: ActivationRecord): void {
    const fields = {
      event: "record-not-stored",
      ...named(message),
      action: name,
      status: response.statusCode,
    };
    this.#log.info(fields, "the record is not stored, as its namespace or the settings want it");
  }

  activationRefused(message: ActivationMessage, status: StatusCode, cause: unknown): void {
    this.#ended(message, status);
    const fields = { event: "activation-refused", ...named(message), status, reason: messageOf(cause) };
    this.#log[status === 3 ? "error" : "info"](fields, "an activation was not run");
  }

  activationFailed(message: ActivationMessage, error: unknown): void {
    this.#ended(message, 3);
    const fields = { event: "activation-failed", ...named(message), reason: messageOf(error) };
    this.#log.error(fields, "an activation ended in a whisk error");
  }

  /** The pool could not take a container back: a fault of the pool's, which does that by itself. */
  releaseFailed(message: ActivationMessage, container: string, error: unknown): void {
    const fields = { event: "release-failed", ...named(message), container, reason: messageOf(error) };
    this.#log.error(fields, "a container was not given back in order");
  }

  /** Once for each revision of an action. */
  unknownPolicy({ _id, _rev = "" }: ActionDocument, used: RewindPolicy): void {
    const revision = `${_id} ${_rev}`;
    if (this.#saidOfPolicy.has(revision)) return;
    this.#saidOfPolicy.set(revision, true);
    const fields = {
      event: "rewind-policy-unknown",
      transid: ownTransid.invoker,
      action: _id,
      used,
    };
    this.#log.warn(fields, `the annotation ${rewindAnnotation} is neither ${rewindPolicies.join(" nor ")}`);
  }

  acked(shape: AckShape): void {
    this.metrics.acks.inc({ shape, result: "sent" });
  }

  ackFailed(shape: AckShape, message: ActivationMessage, error: unknown): void {
    this.metrics.acks.inc({ shape, result: "failed" });
    const fields = { event: "ack-failed", ...named(message), shape, reason: messageOf(error) };
    this.#log.error(fields, "the bus did not take an acknowledgement");
  }

  backgroundFailed(what: BackgroundWork, message: ActivationMessage, error: unknown): void {
    this.metrics.backgroundFailures.inc({ what });
    const fields = { event: "background-failed", ...named(message), what, reason: messageOf(error) };
    this.#log.error(fields, "work that nobody waits for has failed");
  }

  /** What the pool has told of each container already. */
  containersLeft(error: unknown): void {
    const fields = { event: "containers-left", transid: ownTransid.invoker, reason: messageOf(error) };
    this.#log.error(fields, "something of lean containers is left: the next start removes it");
  }

  engineFailed(error: unknown): void {
    const fields = { event: "docker-failed", reason: messageOf(error) };
    this.#log.error(fields, "containers of this invoker may be left in Docker");
  }

  #ended(
    { activationId }: ActivationMessage,
    status: StatusCode,
    use: Partial<Omit<Ended, "activationId" | "status">> = {},
  ): void {
    this.metrics.activations.inc({ status });
    if (this.endings.size === 0) return;
    const ended = { activationId, status, endedMs: Date.now(), ...use };
    for (const tell of this.endings) tell(ended);
  }

  #started({ container, kind, libraries, isBooted, tookMs }: PoolEventMap["started"][0]): void {
    const how = isBooted ? "booted" : "started";
    this.metrics.containersStarted.inc({ result: "ready" });
    this.metrics.containersMade.inc({ how });
    this.#startFaults.delete(kind);
    this.metrics.containerStart.observe(tookMs / millisecondsPerSecond);
    const named = { event: "container-started", transid: ownTransid.pool, container, kind };
    const fields = { ...named, ...(libraries !== undefined && { libraries }), how, tookMs };
    this.#log.info(fields, "a container is ready");
  }

  /** Once for each reason: where it is so, it is so again and again. */
  #startPutOff({ kind, error }: PoolEventMap["startPutOff"][0]): void {
    const { code: reason } = error;
    this.metrics.containersStarted.inc({ result: "put-off" });
    if (this.#saidOfScarcity.has(reason)) return;
    this.#saidOfScarcity.add(reason);
    const named = { event: "container-put-off", transid: ownTransid.pool, kind, reason };
    this.#log.warn(
      { ...named, detail: error.message },
      "jobs wait for others' containers, whatever memory is free",
    );
  }

  /** Once for each kind and reason: it may be so at each container that is made. */
  #bootFailed({ kind, reason, error }: PoolEventMap["bootFailed"][0]): void {
    this.metrics.bootsFailed.inc({ reason });
    const known = `${kind} ${reason}`;
    if (this.#saidOfBoots.has(known)) return;
    this.#saidOfBoots.set(known, true);
    const named = { event: "container-not-booted", transid: ownTransid.pool, kind, reason };
    this.#log.warn({ ...named, detail: error.message }, "a container could not be booted, and is started");
  }

  /** Once for each set and reason: it is tried again after a while. */
  #librariesRefused({ kind, libraries, error }: PoolEventMap["librariesRefused"][0]): void {
    const reason = error.code;
    this.metrics.librariesRefused.inc({ reason });
    const known = `${kind} ${libraries} ${reason}`;
    if (this.#saidOfLibraries.has(known)) return;
    this.#saidOfLibraries.set(known, true);
    const named = { event: "libraries-refused", transid: ownTransid.pool, kind, libraries, reason };
    this.#log.warn({ ...named, detail: error.message }, "no container has these libraries for a while");
  }

  /** Once for each kind and reason. */
  #templateStored(stored: PoolEventMap["templateStored"][0]): void {
    const { kind, result } = stored;
    this.metrics.templatesStored.inc({ result });
    if (!("error" in stored)) return;
    const known = `${kind} stored ${result}`;
    if (this.#saidOfBoots.has(known)) return;
    this.#saidOfBoots.set(known, true);
    const named = { event: "template-not-stored", transid: ownTransid.pool, kind, reason: result };
    this.#log.warn({ ...named, detail: stored.error.message }, "a template was not written, or not taken up");
  }

  #memoryShort({ isShort, availableMB }: PoolEventMap["memoryShort"][0]): void {
    const fields = { transid: ownTransid.pool, availableMB: Math.floor(availableMB) };
    if (isShort)
      this.#log.warn(
        { event: "memory-short", ...fields },
        "memory gets short: what can be made anew is given up",
      );
    else this.#log.info({ event: "memory-enough", ...fields }, "what was given up may be made again");
  }

  /** Once for each kind: it may be so at each template. */
  #bootsCopied({ kind, error }: PoolEventMap["bootsCopied"][0]): void {
    const known = `${kind} copied`;
    if (this.#saidOfBoots.has(known)) return;
    this.#saidOfBoots.set(known, true);
    const named = { event: "containers-share-no-memory", transid: ownTransid.pool, kind };
    this.#log.warn({ ...named, detail: error.message }, "booted containers have memory of their own");
  }

  #removed({ container, kind, cause, failure }: PoolEventMap["removed"][0]): void {
    this.metrics.removed.inc({ cause });
    const named = { transid: ownTransid.pool, container, kind, cause };
    if (failure === undefined) {
      this.#log.info({ event: "container-removed", ...named }, "a container has been removed");
      return;
    }
    const fields = { event: "container-not-removed", ...named, reason: messageOf(failure) };
    this.#log.error(fields, "something of a container is left");
  }
}

/** A line that the standard error does not take (a full disk behind it) is lost; the invoker goes on. */
function standardError(): DestinationStream {
  const stream = pino.destination(2);
  stream.on("error", () => undefined);
  return stream;
}

interface Named {
  readonly transid: string;
  /** Only where it is part of another transaction. */
  readonly rootTransid?: string;
  readonly activationId: string;
}

function named({ transid, activationId }: ActivationMessage): Named {
  const [id] = transid;
  const root = rootId(transid);
  return { transid: id, ...(root === id ? {} : { rootTransid: root }), activationId };
}

/** What sort of fault it is: texts name a container each. */
function codeOf({ cause, message }: Error): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : message;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
