// How much a namespace may ask for: activations under way at once and, where it has such limits, requests per minute.

import type { Identity } from "../invoker/index.ts";
import { ApiError } from "./errors.ts";
import type { ControllerSettings } from "./settings.ts";
import type { UserEvents } from "./user-events.ts";

const minuteMs = 60_000;

/** Controllers that share a limit allow a fifth more together: requests are not spread evenly. */
const sharedFactor = 1.2;

export interface ThrottleParts {
  readonly settings: Pick<ControllerSettings, "concurrentInvocations" | "clusterSize">;
  /** How many activations of the namespace are under way. */
  readonly inFlightOf: (namespace: string) => number;
  readonly events: Pick<UserEvents, "metric">;
  /** Epoch milliseconds. */
  readonly nowMs?: () => number;
}

/** Asked once for each request; components of sequences and compositions are not counted. */
export class Throttle {
  readonly #parts: ThrottleParts;
  /** Requests of this minute of the clock, by namespace: only of those with such a limit. */
  readonly #invocations = new MinuteCounts();
  readonly #fires = new MinuteCounts();

  constructor(parts: ThrottleParts) {
    this.#parts = parts;
  }

  /** An action is to be invoked. ApiError 429 beyond the namespace's limits. */
  invocation(user: Identity): void {
    this.#perMinute(this.#invocations, user, limitOf(user, "invocationsPerMinute"));
    const { settings, inFlightOf, events } = this.#parts;
    const limit = limitOf(user, "concurrentInvocations") ?? settings.concurrentInvocations;
    const allowed = this.#ownShare(limit);
    const count = inFlightOf(user.namespace.name);
    if (count >= allowed) {
      events.metric(user, "ConcurrentRateLimit", 1);
      throw new ApiError(
        429,
        `Too many concurrent requests in flight (count: ${count}, allowed: ${allowed}).`,
      );
    }
    events.metric(user, "ConcurrentInvocations", count + 1);
  }

  /** A trigger is to be fired. ApiError 429 beyond the namespace's limit. */
  fire(user: Identity): void {
    this.#perMinute(this.#fires, user, limitOf(user, "firesPerMinute"));
  }

  #perMinute(counts: MinuteCounts, user: Identity, limit: number | undefined): void {
    if (limit === undefined) {
      return;
    }
    const allowed = this.#ownShare(limit);
    const count = counts.next(user.namespace.uuid, (this.#parts.nowMs ?? Date.now)());
    if (count > allowed) {
      this.#parts.events.metric(user, "TimedRateLimit", 1);
      throw new ApiError(429, `Too many requests in the last minute (count: ${count}, allowed: ${allowed}).`);
    }
  }

  /** What this controller may allow of a limit that it shares with the others: at least one, but for a limit of none. */
  #ownShare(limit: number): number {
    const { clusterSize } = this.#parts.settings;
    const together = clusterSize > 1 ? Math.ceil(limit * sharedFactor) : limit;
    return together === 0 ? 0 : Math.max(1, Math.floor(together / clusterSize));
  }
}

/** A limit of the namespace's own. */
function limitOf(
  { limits }: Identity,
  name: "invocationsPerMinute" | "firesPerMinute" | "concurrentInvocations",
): number | undefined {
  const limit = limits[name];
  return typeof limit === "number" ? limit : undefined;
}

class MinuteCounts {
  readonly #counts = new Map<string, number>();
  #minute = 0;

  /** The number of the request among those of this minute, from 1 on. */
  next(key: string, nowMs: number): number {
    const minute = Math.floor(nowMs / minuteMs);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#counts.clear();
    }
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    return count;
  }
}
