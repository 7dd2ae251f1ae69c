// The story of one activation, from the message to its record.

import { setImmediate as nextTurn } from "node:timers/promises";
import { type Clock, type Lease, type Pool, PoolError, type Timed } from "../pool/index.ts";
import { Acks } from "./acks.ts";
import { findAction, type Refusal } from "./action-lookup.ts";
import type { Background } from "./background.ts";
import type { Bus } from "./bus/bus.ts";
import type { InvokerSettings } from "./config.ts";
import { type ActivationJob, describeJob, type RunnableAction } from "./job.ts";
import { type ActivationLogs, logsOf } from "./logs.ts";
import type { Observer } from "./observe.ts";
import { failure, initOutcome, type Outcome, reachedLimit, runOutcome, texts } from "./outcome.ts";
import { documentOf, fallbackRecord, isStored, recordOf, type Work } from "./record.ts";
import type { ActionStore, ActivationStore } from "./store/stores.ts";
import type { ActivationRecord, InvokerInstance } from "./wire/messages.ts";
import type { Order } from "./wire/orders.ts";

export interface ActivationParts {
  readonly bus: Bus;
  readonly actions: ActionStore;
  readonly activations: ActivationStore;
  readonly pool: Pool;
  readonly kinds: ReadonlySet<string>;
  readonly settings: InvokerSettings;
  readonly instance: InvokerInstance;
  readonly topicPrefix: string;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly background: Background;
}

/** What the caller is told, and the record of it. */
interface Told {
  readonly record: ActivationRecord;
  readonly outcome: Outcome;
}

/** Resolves when the controller's slot has been freed, which happens exactly once. Never rejects. */
export async function runActivation(order: Order, parts: ActivationParts): Promise<void> {
  const { message } = order;
  const { pool, clock, observer } = parts;
  const acks = new Acks(message, parts);
  let action: RunnableAction | undefined;
  let lease: Lease | undefined;
  let told: Told | undefined;
  try {
    const found = await findAction(message, parts);
    if ("refused" in found) return await refuse(order, found, acks, parts);
    action = found;

    const job = describeJob(order, action, parts.settings);
    lease = await pool.lease(job);
    lease.keepLogs(job.logBytes);
    const work = await execute(lease, job, clock);
    const { outcome } = work;
    const record = recordOf(message, action, work);

    // Who waits has the answer here: the turn lets it out. All that follows is off the caller's path.
    told = { record, outcome };
    const answered = acks.answer(record, outcome, job.logBytes === 0);
    await nextTurn();
    const logs = logsOf(lease.collectLogs(), outcome, job.logBytes, clock.nowMs());
    await lease.release(outcome.statusCode < 2);
    await answered;
    await acks.complete(outcome.statusCode);
    keep(order, record, logs, parts);
    observer.activationDone(message, work, lease.start);
  } catch (error) {
    await lease?.release(false);
    await fail(order, told ?? unrun(order, action, error, parts.clock), acks, parts);
    observer.activationFailed(message, error);
  }
}

/** init, if the action is not loaded, then run; each with the action's whole time limit. */
async function execute(lease: Lease, job: ActivationJob, clock: Clock): Promise<Work> {
  const limits = { timeoutMs: job.exchange.timeoutMs, maxBodyBytes: job.exchange.maxBodyBytes };
  const init = lease.initialised ? undefined : await lease.init(job.initFrame(clock.nowMs()), job.exchange);
  const refusal = init === undefined ? undefined : initOutcome(init, limits);
  if (init !== undefined && refusal !== undefined) {
    return workOf(refusal, init, undefined, reachedLimit(init, limits.timeoutMs));
  }
  const run = await lease.run(job.runBody(clock.nowMs()), job.exchange);
  const timedOut =
    reachedLimit(run, limits.timeoutMs) || (init !== undefined && reachedLimit(init, limits.timeoutMs));
  return workOf(runOutcome(run, limits), init, run, timedOut);
}

function workOf(outcome: Outcome, init: Timed | undefined, run: Timed | undefined, timedOut: boolean): Work {
  const initMs = init === undefined ? undefined : init.endMs - init.startMs;
  const first = init ?? run;
  const last = run ?? init;
  if (first === undefined || last === undefined) throw new Error("neither init nor run");
  // Stock's way: the run's start, moved back by the length of the init.
  const startMs = run === undefined ? first.startMs : run.startMs - (initMs ?? 0);
  return { outcome, startMs, endMs: last.endMs, initMs, begunMs: first.startMs, timedOut };
}

/** It is not to be run at all. */
async function refuse(order: Order, refusal: Refusal, acks: Acks, parts: ActivationParts): Promise<void> {
  const { refused } = refusal;
  const record = fallbackRecord(order.message, refused, Math.floor(parts.clock.nowMs()));
  await fail(order, { record, outcome: refused }, acks, parts);
  parts.observer.activationRefused(order.message, refused.statusCode, refusal.cause);
}

/** The one place where a fault of the machine becomes a whisk error. */
function unrun(order: Order, action: RunnableAction | undefined, error: unknown, clock: Clock): Told {
  const nowMs = Math.floor(clock.nowMs());
  const outcome = failure(3, error instanceof PoolError ? texts.notProvisioned : texts.runExited);
  if (action === undefined) return { record: fallbackRecord(order.message, outcome, nowMs), outcome };
  const nothing = { startMs: nowMs, endMs: nowMs, begunMs: nowMs, initMs: undefined, timedOut: false };
  return { record: recordOf(order.message, action, { outcome, ...nothing }), outcome };
}

/** Tells what has not been told yet, and stores the record that the caller was told. */
async function fail(order: Order, told: Told, acks: Acks, parts: ActivationParts): Promise<void> {
  await acks.fail(told.record, told.outcome);
  keep(order, told.record, { lines: [] }, parts);
}

/** Hands the record to the database, if it is wanted there. Nobody waits for it. */
function keep(order: Order, record: ActivationRecord, logs: ActivationLogs, parts: ActivationParts): void {
  const { activations, settings, clock, background } = parts;
  if (!isStored(order.message, record.response.statusCode, settings)) return;
  const document = documentOf(record, logs.lines, Math.floor(clock.nowMs()));
  background.track(activations.store(document), "store-record", order.message);
}
