// The story of one activation, from the message to its record.

import { setImmediate as nextTurn } from "node:timers/promises";
import { type Clock, type Lease, type Pool, PoolError, type Timed, toldMs } from "../pool/index.ts";
import { Acks, type Told } from "./acks.ts";
import { type ContainerImages, findAction, type Refusal } from "./action-lookup.ts";
import type { Background } from "./background.ts";
import type { Bus } from "./bus/bus.ts";
import type { InvokerSettings } from "./config/invoker-settings.ts";
import type { Progress } from "./feed.ts";
import { type ActivationJob, describeJob, policyInstead, type RunnableAction } from "./job.ts";
import { type LogFiles, logFileText } from "./log-files.ts";
import { logsOf } from "./logs.ts";
import type { Observer } from "./observe.ts";
import {
  failure,
  initOutcome,
  isUnavailable,
  type Outcome,
  reachedLimit,
  runOutcome,
  texts,
  unplacedOutcome,
} from "./outcome.ts";
import { documentOf, fallbackRecord, isStored, recordOf, type Work } from "./record.ts";
import type { ActionStore, ActivationStore, BlockedNamespaces } from "./store/stores.ts";
import type { Trace } from "./tracing.ts";
import type { ActivationMessage, ActivationRecord, InvokerInstance } from "./wire/messages.ts";
import type { Order } from "./wire/orders.ts";

export interface ActivationParts {
  readonly bus: Bus;
  /** As for the acks. */
  readonly underWay: () => number;
  readonly actions: ActionStore;
  readonly activations: ActivationStore;
  /** Absent: none is blocked. */
  readonly blocked?: BlockedNamespaces | undefined;
  /** For `record-and-file`. */
  readonly logFiles?: LogFiles | undefined;
  readonly pool: Pick<Pool, "lease">;
  readonly kinds: ReadonlySet<string>;
  readonly images?: ContainerImages | undefined;
  readonly settings: InvokerSettings;
  readonly instance: InvokerInstance;
  readonly topicPrefix: string;
  readonly clock: Clock;
  readonly observer: Observer;
  /** Of this one activation. */
  readonly trace: Trace;
  readonly background: Background;
}

/** An image that will not even begin is not tried for ever; containers that were kept are no more than there are. */
const freshContainersMax = 3;

/**
 * Resolves when the controller's slot has been freed, which happens exactly once. Rejects only where the reporting of a
 * fault fails itself; the slot is free then too.
 */
export async function runActivation(order: Order, parts: ActivationParts, progress: Progress): Promise<void> {
  const { message } = order;
  const { clock, observer } = parts;
  const acks = new Acks(message, parts);
  let action: RunnableAction | undefined;
  let lease: Lease | undefined;
  let told: Told | undefined;
  let isKept = false;
  try {
    observer.activationStarted();
    if (parts.blocked?.isBlocked(message.user.namespace.name)) {
      progress.released();
      return await block(order, acks, parts);
    }
    const found = await findAction(message, parts);
    if ("refused" in found) {
      progress.released();
      return await refuse(order, found, acks, parts);
    }
    action = found;
    const { document } = action.stored;
    const instead = policyInstead(document, parts.settings.pool.rewind);
    if (instead !== undefined) observer.unknownPolicy(document, instead);

    const job = describeJob(order, action, parts.settings);
    const use = await useContainer(job, message, parts, progress.placed);
    const { work } = use;
    const { outcome } = work;
    lease = use.lease;
    const beganAt = parts.settings.annotatesStart ? lease : undefined;
    told = { record: recordOf(message, action, work, beganAt), outcome };

    // Who waits has the answer here: the turn lets it out. All that follows is off the caller's path.
    const keepsLogs = job.logBytes > 0 && !use.isAborted;
    const answered = acks.answer(told, !keepsLogs);
    // Its failure is heard of below, though it may come before.
    answered.catch(() => undefined);
    await nextTurn();
    const logs = keepsLogs ? await collectLogs(lease, outcome, job, parts) : [];
    // On its way to the database before the slot is free: a bus that is away must not keep it from there.
    keep(order, told, logs, parts);
    isKept = true;
    await release(lease, outcome.statusCode < 2, message, parts);
    progress.released(keptLength(told, logs));
    await answered;
    await acks.complete(told);
    if (keepsLogs) writeToFile(message, action, told.record, logs, parts);
    observer.activationDone(message, work, use.lease);
  } catch (error) {
    if (lease !== undefined) await release(lease, false, message, parts);
    progress.released(told && keptLength(told));
    if (isKept) await acks.complete(told);
    else await fail(order, told ?? unrun(order, action, error, clock), acks, parts);
    observer.activationFailed(message, error);
  } finally {
    await acks.complete();
  }
}

interface Use extends Attempt {
  readonly lease: Lease;
}

interface Attempt {
  readonly work: Work;
  /** Nothing has run: another container may be asked. */
  readonly isUnavailable: boolean;
  /** It was to use what another activation loads, and that has failed. */
  readonly isAborted: boolean;
}

/** Init and run in a container; in another one where that takes no work any more. The lease is the caller's to release. */
async function useContainer(
  job: ActivationJob,
  message: ActivationMessage,
  parts: ActivationParts,
  onPlaced: () => void,
): Promise<Use> {
  const { pool, observer, trace } = parts;
  for (let fresh = 0; ; ) {
    const lease = await trace.part("containerStart", () => pool.lease(job));
    onPlaced();
    if (!lease.initialised) fresh++;
    try {
      lease.keepLogs(job.logBytes);
      const attempt = await execute(lease, job, parts);
      if (fresh === freshContainersMax || !attempt.isUnavailable) return { lease, ...attempt };
      observer.rescheduled(message, lease.containerId);
    } catch (error) {
      await release(lease, false, message, parts);
      throw error;
    }
    await release(lease, false, message, parts);
  }
}

/** init, if the action is not loaded, then run; each with the action's whole time limit. */
async function execute(
  lease: Lease,
  job: ActivationJob,
  { clock, observer, trace }: ActivationParts,
): Promise<Attempt> {
  const { exchange: limits } = job;
  const timed = async (
    phase: "activationInit" | "activationRun",
    ask: () => Promise<Timed>,
  ): Promise<Timed> => {
    observer.begun(phase);
    const answered = await trace.part(phase, ask);
    observer.ended(phase, answered.endMs - answered.startMs);
    return answered;
  };
  let init: Timed | undefined;
  if (!lease.initialised) {
    init = await timed("activationInit", () => lease.init(job.initFrame(toldMs(clock)), job.initExchange));
    const failed = initOutcome(init, job.initExchange);
    if (failed !== undefined) {
      const work = workOf(failed, init, undefined, reachedLimit(init, limits.timeoutMs));
      return { work, isUnavailable: isUnavailable(init.exchange), isAborted: false };
    }
  }
  const run = await timed("activationRun", () => lease.run(job.runBody(toldMs(clock)), limits));
  const timedOut = [init, run].some((part) => part !== undefined && reachedLimit(part, limits.timeoutMs));
  return {
    work: workOf(runOutcome(run, limits), init, run, timedOut),
    isUnavailable: isUnavailable(run.exchange),
    isAborted: run.exchange.outcome === "unloaded",
  };
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

async function collectLogs(
  lease: Lease,
  outcome: Outcome,
  { logBytes }: ActivationJob,
  { clock, observer, trace }: ActivationParts,
): Promise<readonly string[]> {
  observer.begun("collectLogs");
  const begunMs = clock.nowMs();
  const collected = await trace.part("collectLogs", () => lease.collectLogs(outcome.statusCode < 2));
  observer.ended("collectLogs", clock.nowMs() - begunMs);
  return logsOf(collected, outcome, logBytes, toldMs(clock));
}

/** No release rejects; if one does, the activation is what it was, and who waits for the slot is told. */
async function release(
  lease: Lease,
  wellBehaved: boolean,
  message: ActivationMessage,
  { observer, trace }: ActivationParts,
): Promise<void> {
  try {
    await trace.part("release", () => lease.release(wellBehaved));
  } catch (fault) {
    observer.releaseFailed(message, lease.containerId, fault);
  }
}

/** Of the texts in memory until the acks are taken. */
function keptLength({ outcome }: Told, logs: readonly string[] = []): number {
  return logs.reduce((sum, line) => sum + line.length, outcome.resultText.length);
}

/** It is not to be run at all. */
async function refuse(order: Order, refusal: Refusal, acks: Acks, parts: ActivationParts): Promise<void> {
  const { refused, cause } = refusal;
  parts.observer.activationRefused(order.message, refused.statusCode, cause);
  await fail(order, fallback(order, refused, parts.clock), acks, parts);
}

/** As stock: nothing of it is kept, and nobody is told more than the id. */
async function block(order: Order, acks: Acks, { clock, observer }: ActivationParts): Promise<void> {
  observer.activationRefused(order.message, 1, "the namespace is blocked");
  await acks.failByIdOnly(fallback(order, failure(1, texts.blocked), clock));
}

/** The one place where a fault of the machine becomes a whisk error. */
function unrun(order: Order, action: RunnableAction | undefined, error: unknown, clock: Clock): Told {
  const outcome = error instanceof PoolError ? unplacedOutcome(error) : failure(3, texts.runExited);
  if (action === undefined) return fallback(order, outcome, clock);
  const nowMs = Math.floor(toldMs(clock));
  const nothing = { startMs: nowMs, endMs: nowMs, begunMs: nowMs, initMs: undefined, timedOut: false };
  return { record: recordOf(order.message, action, { outcome, ...nothing }), outcome };
}

function fallback({ message }: Order, outcome: Outcome, clock: Clock): Told {
  return { record: fallbackRecord(message, outcome, Math.floor(toldMs(clock))), outcome };
}

/** Tells what has not been told yet, and stores the record that the caller was told. */
async function fail(order: Order, told: Told, acks: Acks, parts: ActivationParts): Promise<void> {
  keep(order, told, [], parts);
  await acks.fail(told);
}

/** Hands the record to the database, if it is wanted there. Nobody waits for it. */
function keep({ message }: Order, told: Told, logs: readonly string[], parts: ActivationParts): void {
  const { activations, settings, clock, background, observer } = parts;
  const { record, outcome } = told;
  observer.activationError(message, outcome, settings.loggedErrors);
  if (isStored(message, outcome.statusCode, settings)) {
    const document = documentOf(record, logs, Math.floor(toldMs(clock)));
    background.track("store-record", message, () => activations.store(document));
  } else if (settings.logsUnstored) {
    observer.recordNotStored(message, record);
  }
}

/** Where a file is kept beside the records, the lines and the record go there. Nobody waits for it. */
function writeToFile(
  message: ActivationMessage,
  action: RunnableAction,
  record: ActivationRecord,
  logs: readonly string[],
  { logFiles, background }: ActivationParts,
): void {
  if (logFiles === undefined) return;
  const { _id } = action.stored.document;
  background.track("log-file", message, () => logFiles.write(logFileText(logs, record, _id, message.user)));
}
