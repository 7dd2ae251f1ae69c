// Measures: what isolation between activations costs, program by program, under four policies in turn: `reused`, the container keeps
//   its state and is called again; `rewound`, it is put back to its base after each activation, and so loads its action each time;
//   `at its checkpoint`, it is put back to where the load of its action had ended; `started for each`, a new lean container. Of each
//   activation: what the caller waits, the action's own run, and the time until the container (or its place) can be used again,
//   which is what throughput pays.
// Does not measure: the invoker, a bus, HTTP; Docker's containers (at-once and stock-path do); the first rewinds of a container,
//   which are verified.
// Varies: the program: pyperformance's, each benchmark of one called once per activation, and C kernels of our own.

import { Bench, type CallTimes } from "../bench.ts";
import { type Figure, fromSamples, geometricMean, quantile, ratio } from "../figures.ts";
import { kindOf, tiny } from "../programs.ts";
import { mustBeShown, shownInside, surroundings } from "./machine.ts";
import { type Program, suites } from "./suites.ts";

const bench = "isolation";
const policies = ["reused", "rewound", "at its checkpoint", "started for each"] as const;
type Policy = (typeof policies)[number];
/** As many as are verified, and one more. */
const unmeasuredRewinds = 17;

type Samples = Readonly<Record<Policy, CallTimes[]>>;

/** A container for each policy, from one machine. */
async function startAll(repository: string): Promise<Readonly<Record<Policy, Bench>>> {
  const start = (name: string, ...[rewind, settings]: [Parameters<typeof Bench.start>[1], object]) =>
    Bench.start(kindOf.python, rewind, { name: `isolation-${name}`, factory: { repository }, settings });
  return {
    reused: await start("reused", "on-change", {}),
    rewound: await start("rewound", "always", {}),
    "at its checkpoint": await start("level", "always", { levelMemoryMB: 256, levelInitMs: 0 }),
    "started for each": await start("each", "always", { stemCells: [], usesBeforeRetirement: 1 }),
  };
}

/** Rounds of all policies in turn, the dearest one not in each; the first of each is left out, which loads the action for good where it is reused or has its checkpoint. */
async function measure(
  benches: Readonly<Record<Policy, Bench>>,
  { name, code }: Program,
  { rounds, freshEvery }: { rounds: number; freshEvery: number },
): Promise<Samples> {
  const samples: Samples = { reused: [], rewound: [], "at its checkpoint": [], "started for each": [] };
  for (let round = 0; round <= rounds; round++)
    for (const policy of policies) {
      if (policy === "started for each" && round % freshEvery !== 1 % freshEvery) continue;
      const taken = await benches[policy].call(code).catch((cause: unknown) => {
        throw new Error(`${name}, ${policy}: ${cause}`, { cause });
      });
      await benches[policy].settled();
      if (round > 0) samples[policy].push(taken);
    }
  return samples;
}

const pick = (calls: readonly CallTimes[], time: "answeredMs" | "runMs" | "usableMs"): readonly number[] =>
  calls.map((call) => call[time]);

/** The ratios of which the means are made. */
const compared = [
  { column: "rewound ÷ reused", policy: "rewound", time: "answeredMs" },
  { column: "run alone, rewound ÷ reused", policy: "rewound", time: "runMs" },
  { column: "until usable, rewound ÷ reused", policy: "rewound", time: "usableMs" },
  { column: "at its checkpoint ÷ reused", policy: "at its checkpoint", time: "answeredMs" },
  { column: "until usable, at its checkpoint ÷ reused", policy: "at its checkpoint", time: "usableMs" },
  { column: "started for each ÷ reused", policy: "started for each", time: "answeredMs" },
  { column: "until usable, started for each ÷ reused", policy: "started for each", time: "usableMs" },
] as const;

function figuresOf({ suite, name }: Program, samples: Samples): readonly Figure[] {
  const row = `${suite}: ${name}`;
  return [
    ...policies.map((policy) =>
      fromSamples({ bench, figure: `${row} | ${policy}`, unit: "ms" }, pick(samples[policy], "answeredMs")),
    ),
    fromSamples({ bench, figure: `${row} | rewound, run alone`, unit: "ms" }, pick(samples.rewound, "runMs")),
    ...(["rewound", "at its checkpoint"] as const).map((policy) =>
      fromSamples(
        { bench, figure: `${row} | ${policy}, until usable`, unit: "ms" },
        pick(samples[policy], "usableMs"),
      ),
    ),
    ...compared.map(({ column, policy, time }) =>
      ratio({ bench, figure: `${row} | ${column}` }, pick(samples[policy], time), pick(samples.reused, time)),
    ),
  ];
}

/** Over the programs of a suite, or of all: the geometric mean of a ratio, and its median and tail. */
export function summary(
  figures: readonly Figure[],
  of: string,
  programs: (row: string) => boolean,
): readonly Figure[] {
  return compared.flatMap(({ column }) => {
    const ratios = figures
      .filter(({ figure }) => figure.endsWith(` | ${column}`) && programs(figure))
      .map(({ value }) => value);
    if (ratios.length === 0) return [];
    const value = geometricMean(ratios);
    const p50 = quantile(ratios, 0.5);
    const tails = { p95: quantile(ratios, 0.95), p99: quantile(ratios, 0.99), n: ratios.length };
    return [
      { bench, figure: `${of}, geometric mean | ${column}`, unit: "ratio", ...tails, p50: value, value },
      { bench, figure: `${of}, over programs | ${column}`, unit: "ratio", ...tails, p50, value: p50 },
    ];
  });
}

export async function isolation({
  programs = suites,
  rounds = 20,
  freshEvery = 4,
} = {}): Promise<readonly Figure[]> {
  for (const path of ["packages/pyperformance", "kernels.so"])
    if (programs.some(({ code }) => code.includes(`${shownInside}/${path}`))) mustBeShown(path);
  const around = surroundings("python");
  const figures: Figure[] = [];
  try {
    const benches = await startAll(around.repository);
    try {
      for (const policy of ["rewound", "at its checkpoint"] as const)
        for (let i = 0; i < unmeasuredRewinds; i++) await benches[policy].runNew(tiny("python", i));
      for (const program of programs)
        figures.push(...figuresOf(program, await measure(benches, program, { rounds, freshEvery })));
    } finally {
      for (const one of Object.values(benches)) await one.stop();
    }
  } finally {
    around.remove();
  }
  const names = [...new Set(programs.map(({ suite }) => suite))];
  return [
    ...figures,
    ...names.flatMap((suite) => summary(figures, suite, (row) => row.startsWith(`${suite}: `))),
    ...summary(figures, "all", () => true),
  ];
}
