// Waiting in tests for what happens in its own time: as long as it takes, up to a limit, and never a fixed while.

import { setTimeout as sleep } from "node:timers/promises";

const pauseMs = 10;

/** What `look` finds, as soon as it finds anything. Throws when the time is over. */
export async function within<Found>(
  limitMs: number,
  look: () => Found | undefined | Promise<Found | undefined>,
): Promise<Found> {
  for (const startMs = performance.now(); performance.now() - startMs < limitMs; await sleep(pauseMs)) {
    const found = await look();
    if (found !== undefined) {
      return found;
    }
  }
  throw new Error(`nothing within ${limitMs} ms`);
}

/** Resolves with true as soon as the claim holds, with false when it did not within the time. */
export async function holdsWithin(limitMs: number, claim: () => boolean): Promise<boolean> {
  return await within(limitMs, () => claim() || undefined).catch(() => claim());
}
