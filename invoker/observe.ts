// What operators see: one JSON line for each event worth one, and the table of metrics.

import { type DestinationStream, type Logger, pino } from "pino";
import type { Pool, PoolEventMap, Probe, StartKind } from "../pool/index.ts";
import type { BackgroundWork } from "./background.ts";
import { Metrics, millisecondsPerSecond } from "./metrics.ts";
import type { Work } from "./record.ts";
import type { ActivationMessage, StatusCode } from "./wire/messages.ts";

type AckShape = "result" | "completion" | "combined";

/** Never writes user code, arguments or results. */
export class Observer {
  readonly metrics = new Metrics();
  readonly #log: Logger;

  /** Lines go to `stream`, by default the standard error. */
  constructor(level: string, stream: DestinationStream = pino.destination(2)) {
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
        container,
        kind,
        failuresInARow,
        reason: error.message,
      };
      this.#log.error(fields, "a container could not be started");
    });
    events.on("leased", ({ start, waitedMs }) => {
      this.metrics.starts.inc({ start });
      this.metrics.poolWait.observe(waitedMs / millisecondsPerSecond);
    });
    events.on("rewound", ({ timings, tookMs }) => {
      this.metrics.rewinds.inc({ verified: String(timings.verified) });
      this.metrics.rewind.observe(tookMs / millisecondsPerSecond);
    });
    events.on("tainted", ({ container, kind, reason, error }) => {
      this.metrics.tainted.inc({ reason });
      const fields = { event: "container-tainted", container, kind, reason, detail: error.message };
      this.#log.warn(fields, "a container is not known to be clean and is replaced");
    });
    events.on("removed", (event) => this.#removed(event));
  }

  invokerStarted(probe: Probe, kinds: readonly string[]): void {
    for (const { rung, proven } of probe.rungs) this.metrics.rungs.set({ rung }, proven ? 1 : 0);
    const fields = { event: "invoker-started", rung: probe.rung ?? "none", kinds };
    if (probe.rung !== undefined) this.#log.info(fields, "the invoker reads its topic");
    else this.#log.warn(fields, "no rung proved itself here: every container is used once");
  }

  invokerDrained(underWay: number): void {
    const text = underWay === 0 ? "all activations have ended" : "activations were ended by force";
    this.#log.info({ event: "invoker-drained", underWay }, text);
  }

  unreadable(error: unknown): void {
    this.metrics.unreadable.inc();
    this.#log.warn({ event: "message-unreadable", reason: messageOf(error) }, "a message was skipped");
  }

  activationDone(message: ActivationMessage, work: Work, start: StartKind): void {
    this.metrics.activations.inc({ status: work.outcome.statusCode });
    const totalMs = work.endMs - work.startMs;
    if (work.initMs !== undefined) this.metrics.init.observe(work.initMs / millisecondsPerSecond);
    this.metrics.run.observe((totalMs - (work.initMs ?? 0)) / millisecondsPerSecond);
    if (!this.#log.isLevelEnabled("debug")) return;
    const { statusCode } = work.outcome;
    const fields = {
      event: "activation-done",
      ...named(message),
      start,
      status: statusCode,
      durationMs: totalMs,
    };
    this.#log.debug(fields, "an activation has ended");
  }

  activationRefused(message: ActivationMessage, status: StatusCode, cause: unknown): void {
    this.metrics.activations.inc({ status });
    const fields = { event: "activation-refused", ...named(message), status, reason: messageOf(cause) };
    this.#log[status === 3 ? "error" : "info"](fields, "an activation was not run");
  }

  activationFailed(message: ActivationMessage, error: unknown): void {
    this.metrics.activations.inc({ status: 3 });
    const fields = { event: "activation-failed", ...named(message), reason: messageOf(error) };
    this.#log.error(fields, "an activation ended in a whisk error");
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

  #started({ container, kind, tookMs }: PoolEventMap["started"][0]): void {
    this.metrics.containersStarted.inc({ result: "ready" });
    this.metrics.containerStart.observe(tookMs / millisecondsPerSecond);
    this.#log.info({ event: "container-started", container, kind, tookMs }, "a container is ready");
  }

  #removed({ container, kind, cause, failure }: PoolEventMap["removed"][0]): void {
    this.metrics.removed.inc({ cause });
    if (failure === undefined) {
      this.#log.info({ event: "container-removed", container, kind, cause }, "a container has been removed");
      return;
    }
    const fields = { event: "container-not-removed", container, kind, cause, reason: messageOf(failure) };
    this.#log.error(fields, "something of a container is left");
  }
}

function named(message: ActivationMessage): { readonly transid: string; readonly activationId: string } {
  return { transid: message.transid[0], activationId: message.activationId };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
