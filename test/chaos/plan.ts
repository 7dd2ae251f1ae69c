// Which faults a chaos run injects, when, and for how long: drawn from a seed, so that a run can be had again.

import { randomFrom } from "../prove/fuzz-program.ts";

export type Target = "broker" | "database" | "zookeeper" | "docker" | "invoker";

/** `kill`: kill -9, and a new start after a while. `drain`: the same in order. `cut`, `slow`: the invoker's way to a server. */
export type Fault =
  | { readonly kind: "kill"; readonly target: Target; readonly forMs: number }
  | { readonly kind: "drain"; readonly target: "invoker"; readonly forMs: number }
  | { readonly kind: "cut"; readonly target: Server; readonly forMs: number }
  /** Each packet of bytes takes this much longer, either way. */
  | { readonly kind: "slow"; readonly target: Server; readonly forMs: number; readonly delayMs: number };

/** What the invoker reaches by TCP. */
export type Server = Extract<Target, "broker" | "database" | "zookeeper">;

/** Faults that overlap, and the calm before them. */
export interface Blow {
  readonly calmMs: number;
  readonly faults: readonly { readonly afterMs: number; readonly fault: Fault }[];
}

/** Every kind of fault. */
const deck: readonly (readonly [Fault["kind"], Target])[] = [
  ...(["broker", "database", "zookeeper", "docker", "invoker"] as const).map(
    (target) => ["kill", target] as const,
  ),
  ["drain", "invoker"],
  ...(["broker", "database", "zookeeper"] as const).flatMap(
    (target) =>
      [
        ["cut", target],
        ["slow", target],
      ] as const,
  ),
];

/** So many kinds of fault there are. */
export const kindsOfFaults = deck.length;

/** So many of the faults of a long run are joined by another one; of a shorter run more, which makes it shorter still. */
const overlapping = 0.4;
const longestCalmMs = 2_000;

/** `shortness` 1 is for the long run; less makes all shorter. Without end; every kind comes once before any comes again. */
export function* drawBlows(seed: number, shortness: number): Generator<Blow, never> {
  const random = randomFrom(`chaos ${seed}`);
  const between = (fromMs: number, toMs: number): number =>
    Math.round((fromMs + random() * (toMs - fromMs)) * shortness);
  const draw = (kind: Fault["kind"], target: Target): Fault => {
    if (kind === "slow") {
      return { kind, target: target as Server, forMs: between(3_000, 10_000), delayMs: between(20, 400) };
    }
    if (kind === "cut") return { kind, target: target as Server, forMs: between(500, 12_000) };
    if (kind === "drain") return { kind, target: "invoker", forMs: between(0, 1_000) };
    return { kind, target, forMs: between(0, 4_000) };
  };
  for (let left: (readonly [Fault["kind"], Target])[] = []; ; ) {
    if (left.length === 0) left = shuffled(deck, random);
    const [kind, target] = left.pop() as (typeof deck)[number];
    const first = draw(kind, target);
    const other = secondOf(target, left, random() < 1 - (1 - overlapping) * shortness);
    yield {
      calmMs: between(0, longestCalmMs),
      faults: [
        { afterMs: 0, fault: first },
        ...(other === undefined
          ? []
          : [{ afterMs: Math.round(random() * first.forMs), fault: draw(...other) }]),
      ],
    };
  }
}

/** Only an invoker that starts asks ZooKeeper; of the others some come two at a time. */
function secondOf(
  first: Target,
  left: (readonly [Fault["kind"], Target])[],
  mayOverlap: boolean,
): readonly [Fault["kind"], Target] | undefined {
  const isFit = ([kind, target]: readonly [Fault["kind"], Target]): boolean =>
    first === "zookeeper"
      ? kind === "kill" && target === "invoker"
      : mayOverlap && target !== first && target !== "zookeeper";
  const at = left.findIndex(isFit);
  if (at !== -1) return left.splice(at, 1)[0];
  return first === "zookeeper" ? ["kill", "invoker"] : undefined;
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
