// Somebody's look at an invoker: only while there is one are the activations that end noted.

import type { Ended, Observer } from "../observe.ts";
import { type Looked, type Snapshot, takeSnapshot } from "./snapshot.ts";

/** So many of the activations that have ended last are shown. */
const recentMax = 10;

export interface Look {
  snapshot(): Promise<Snapshot>;
  /** Idempotent. */
  close(): void;
}

export function openLook(looked: Looked, { endings, metrics }: Observer): Look {
  const noted: Ended[] = [];
  const note = (ended: Ended): void => {
    noted.push(ended);
    if (noted.length === 2 * recentMax) noted.splice(0, recentMax);
  };
  endings.add(note);
  return {
    snapshot: () => takeSnapshot(looked, metrics, noted.slice(-recentMax).reverse()),
    close: () => void endings.delete(note),
  };
}
