// A day of a cloud in small: which of many actions is called when, and for how long it waits. The same for the same seed.
// After the figures that Shahrad et al. give for Azure Functions ("Serverless in the Wild", USENIX ATC 2020): 45 % of applications are called once an
// hour or less, 81 % once a minute or less, fewer than a fifth make 99.6 % of all calls, and run times are log-normal.

export interface Call {
  readonly atMs: number;
  /** From 0 on. */
  readonly action: number;
  /** How long its run waits: for a network, a database. */
  readonly waitMs: number;
}

export interface TraceSettings {
  readonly seed: number;
  readonly actions: number;
  readonly calls: number;
  readonly durationMs: number;
}

/** Of the normal distribution of ln(calls a day) that has 45 % below 24 and 81 % below 1,440. */
const spreadOfCalls = 4.08;
/** A single invoker does not see more than a part of the busiest: none has more than this share of what all would have. */
const largestShare = 0.05;
/** A tenth of Azure's median of 0.68 s, less spread, and cut off: minutes do not fit into a day this short. */
const [medianMs, spreadOfWait, longestMs] = [68, 1.2, 1000];
/** How much the rate of calls rises and falls around its mean in the course of the day. */
const wave = 0.5;

/** Mulberry32: numbers from 0 up to 1. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function traceOf({ seed, actions, calls, durationMs }: TraceSettings): readonly Call[] {
  const random = generator(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const wanted = Array.from({ length: actions }, () => Math.exp(spreadOfCalls * normal()));
  const most = largestShare * wanted.reduce((sum, one) => sum + one, 0);
  const upTo: number[] = [];
  for (const one of wanted) upTo.push((upTo.at(-1) ?? 0) + Math.min(one, most));
  const whole = upTo.at(-1) ?? 0;
  const waits = wanted.map(() => Math.min(longestMs, medianMs * Math.exp(spreadOfWait * normal())));
  const all: Call[] = [];
  while (all.length < calls) {
    const share = random();
    if (random() * (1 + wave) > 1 + wave * Math.sin(2 * Math.PI * share)) continue;
    const point = random() * whole;
    const action = upTo.findIndex((end) => point < end);
    all.push({ atMs: share * durationMs, action, waitMs: Math.round(waits[action] ?? 0) });
  }
  return all.sort((one, other) => one.atMs - other.atMs);
}
