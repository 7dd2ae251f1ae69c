// What of the machine's processor time its host gave to others: times taken meanwhile are not this machine's.

import { readFileSync } from "node:fs";

interface Ticks {
  readonly stolen: number;
  readonly all: number;
}

/** Since the machine's start. proc(5), `/proc/stat`: user nice system idle iowait irq softirq steal; guests are in the first two. */
function ticks(): Ticks {
  const [line = ""] = readFileSync("/proc/stat", "latin1").split("\n");
  const counts = line.split(/ +/).slice(1, 9).map(Number);
  return { stolen: counts[7] ?? 0, all: counts.reduce((sum, one) => sum + one, 0) };
}

/** Of all processors' time from now until it is asked, from 0 to 1. */
export function watchStolen(): () => number {
  const before = ticks();
  return () => {
    const now = ticks();
    return (now.stolen - before.stolen) / Math.max(1, now.all - before.all);
  };
}

export function stolenText(share: number): string {
  return `${(share * 100).toFixed(share < 0.095 ? 1 : 0)} % of the processors' time was taken by the host`;
}
