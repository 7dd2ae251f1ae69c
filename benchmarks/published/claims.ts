// What was published, and where; and what of ours stands beside it. No figure is here that was not found in what is named.

import type { Figure } from "../figures.ts";

/** The figures of a benchmark's last run; undefined where there is none. */
export type Results = Readonly<Record<string, readonly Figure[] | undefined>>;

export interface Claim {
  readonly system:
    | "Refunction"
    | "REWIND"
    | "SOCK"
    | "Agile cold starts"
    | "Catalyzer"
    | "Groundhog"
    | "TrEnv"
    | "Spice";
  readonly published: string;
  /** A key of `places`. */
  readonly place: keyof typeof places;
  /** What of ours is beside it. */
  readonly here: string;
  /** What is measured here is not what was built there, but what has to do in its place. */
  readonly notYet?: true;
  /** The benchmarks that it is taken from. */
  readonly from: readonly string[];
  readonly unit: "ms" | "ratio" | "%";
  readonly ours: (results: Results) => number | undefined;
  /** To compare with; absent: there is nothing to be better or worse than. */
  readonly theirs?: { readonly value: number; readonly better: "less" | "more" };
}

export const places = {
  refunction: "O. Stenbom, MEng report, Imperial College London 2019 (at second hand)",
  refunctionAbstract: "O. Stenbom, MEng report, 2019, abstract",
  rewind: "USENIX ATC 2024 (at second hand)",
  sock: "USENIX ATC 2018, abstract",
  agile: "HotCloud 2019, abstract",
  catalyzer: "ASPLOS 2020, abstract",
  groundhog: "EuroSys 2023, abstract",
  trenv: "SOSP 2024, abstract",
  spice: "arXiv 2509.14292, abstract",
} as const;

function find(results: Results, bench: string, figure: string): Figure | undefined {
  return results[bench]?.find((one) => one.figure === figure);
}

const value =
  (bench: string, figure: string) =>
  (results: Results): number | undefined =>
    find(results, bench, figure)?.value;

/** The first figure's value by the second's. */
const quotient =
  (bench: string, above: string, below: string) =>
  (results: Results): number | undefined => {
    const [over, under] = [above, below].map((figure) => find(results, bench, figure)?.value);
    return over === undefined || under === undefined ? undefined : over / under;
  };

/** How many percent less the first figure's value is. */
const spared =
  (bench: string, less: string, more: string) =>
  (results: Results): number | undefined => {
    const share = quotient(bench, less, more)(results);
    return share === undefined ? undefined : (1 - share) * 100;
  };

/** Percent more than the reused container's, over all programs. */
const overhead =
  (column: string, quantile: "p50" | "p95") =>
  (results: Results): number | undefined => {
    const ratio = find(results, "isolation", `all, over programs | ${column}`)?.[quantile];
    return ratio === undefined ? undefined : (ratio - 1) * 100;
  };

/** Percent of the activations per second that the reused container does, over all programs. */
const loss =
  (quantile: "p50" | "p95") =>
  (results: Results): number | undefined => {
    const column = "all, over programs | until usable, at its checkpoint ÷ reused";
    const ratio = find(results, "isolation", column)?.[quantile];
    return ratio === undefined ? undefined : (1 - 1 / ratio) * 100;
  };

const lean = (count: number) => `python, made for the call: ${count} at once | each`;
const alone = (way: string, count: number) => `${way} ahead, ${count} at once: waiting`;
const idleUsed = (what: string) => `nodejs, ${what}, used and rewound: PSS of each`;
const docker = (count: number) => `python, made by Docker: ${count} at once | each`;

export const claims: readonly Claim[] = [
  {
    ...{ system: "Refunction", place: "refunction", from: ["rewind"], unit: "ms" },
    published: "a Python function's container restored in 2.3 ms",
    here: "one rewind after a tiny Python action, p50",
    ours: value("rewind", "python tiny"),
    theirs: { value: 2.3, better: "less" },
  },
  {
    ...{ system: "Refunction", place: "refunction", from: ["rewind"], unit: "ms" },
    published: "a Node function's in 29 ms",
    here: "one rewind after a tiny Node action, p50",
    ours: value("rewind", "nodejs tiny"),
    theirs: { value: 29, better: "less" },
  },
  {
    ...{ system: "Refunction", place: "refunction", from: [], unit: "ms", notYet: true },
    published: "a Java function's in 99 ms",
    here: "there is no runtime for Java; its actions run in Docker's containers, which are not rewound",
    ours: () => undefined,
  },
  {
    ...{ system: "Refunction", place: "refunctionAbstract", from: ["first-call"], unit: "ratio" },
    published: "the effect of cold starts reduced by up to 20 times",
    here: "container made for the call ÷ rewound one, Python, action never seen, message to answer",
    ours: value("first-call", "python cold / never seen"),
    theirs: { value: 20, better: "more" },
  },
  {
    ...{ system: "REWIND", place: "rewind", from: ["rewind"], unit: "ms" },
    published: "a rewind by a patched kernel in 1.12 ms",
    here: "one rewind after a tiny Node action, p50",
    ours: value("rewind", "nodejs tiny"),
    theirs: { value: 1.12, better: "less" },
  },
  {
    ...{ system: "SOCK", place: "sock", from: ["at-once"], unit: "ratio" },
    published: "18 times faster than Docker",
    here: "Docker's container ÷ lean one, each made for the call, one at a time, call to answer, the interpreter's start in both",
    ours: quotient("at-once", docker(1), lean(1)),
    theirs: { value: 18, better: "more" },
  },
  {
    ...{ system: "SOCK", place: "sock", from: ["at-once"], unit: "ratio" },
    published: "as above: 18 times",
    here: "the same, eight at once",
    ours: quotient("at-once", docker(8), lean(8)),
    theirs: { value: 18, better: "more" },
  },
  {
    ...{ system: "SOCK", place: "sock", from: ["boot"], unit: "ratio" },
    published: "3 times more by generalized zygotes",
    here: "a container that is started ÷ one that is booted by a fork, Python, until it can be rewound",
    ours: quotient("boot", "python, started, until ready", "python, booted, until ready"),
    theirs: { value: 3, better: "more" },
  },
  {
    ...{ system: "SOCK", place: "sock", from: ["imports"], unit: "ms" },
    published: "importing many popular libraries adds about 100 ms to the start",
    here: "the import itself, the median of our packages",
    ours: value("imports", "all packages, median of medians | the import itself"),
  },
  {
    ...{ system: "SOCK", place: "sock", from: ["library"], unit: "ratio" },
    published: "45 times faster than without zygotes by three tiers of caches",
    here: "a first call that imports pandas ÷ the same where pandas lies in the container's base, rewound containers, message to answer",
    ours: quotient("library", "pandas, with the import", "pandas, in the base"),
    theirs: { value: 45, better: "more" },
  },
  {
    ...{ system: "SOCK", place: "sock", from: ["at-once"], unit: "ratio" },
    published: "platform overheads 5.3 times lower than OpenWhisk's in a case study of images",
    here: "Docker's container, made for the call as OpenWhisk does ÷ a rewound one, Python, one at a time, call to answer",
    ours: quotient("at-once", docker(1), "python, in rewound containers (2): 1 at once | each"),
    theirs: { value: 5.3, better: "more" },
  },
  {
    ...{ system: "Agile cold starts", place: "agile", from: ["create"], unit: "ratio" },
    published: "cold starts faster by an order of magnitude with networks made ahead",
    here: "64 containers with a network at once, nothing ahead ÷ networks ahead, each until its program may begin",
    ours: quotient("create", alone("nat, nothing", 64), alone("nat, networks", 64)),
    theirs: { value: 10, better: "more" },
  },
  {
    ...{ system: "Agile cold starts", place: "agile", from: ["create"], unit: "ratio" },
    published: "flat start-up time under rising concurrency (1 would be flat)",
    here: "each of 64 at once ÷ one alone, with a network, containers without a program ahead, until the program may begin",
    ours: quotient("create", alone("nat, containers", 64), alone("nat, containers", 1)),
    theirs: { value: 1, better: "less" },
  },
  {
    ...{ system: "Catalyzer", place: "catalyzer", from: ["boot"], unit: "ms" },
    published: "start-up in less than 1 ms in the best case",
    here: "a container booted by a fork, Python, all namespaces, cgroups and filter, a network of those ahead, nothing else ahead, until it can be rewound",
    ours: value("boot", "python, booted, until ready"),
    theirs: { value: 1, better: "less" },
  },
  {
    ...{ system: "Catalyzer", place: "catalyzer", from: ["boot"], unit: "ms" },
    published: "as above: less than 1 ms",
    here: "the same, booted and proved before it is wanted: what is left to do then",
    ours: value("boot", "python, booted ahead, until ready"),
  },
  {
    ...{ system: "Catalyzer", place: "catalyzer", from: ["first-call"], unit: "ms" },
    published: "as above: less than 1 ms",
    here: "what takes its place where a container is free: a rewound one, Python, action never seen, message to answer",
    ours: value("first-call", "python never seen"),
    theirs: { value: 1, better: "less" },
  },
  {
    ...{ system: "Groundhog", place: "groundhog", from: ["isolation"], unit: "%" },
    published: "end-to-end latency: 1.5 % more (median)",
    here: "what the caller waits, at the action's checkpoint, the median program",
    ours: overhead("at its checkpoint ÷ reused", "p50"),
    theirs: { value: 1.5, better: "less" },
  },
  {
    ...{ system: "Groundhog", place: "groundhog", from: ["isolation"], unit: "%" },
    published: "end-to-end latency: 7 % more (95th percentile)",
    here: "the same, the 95th percentile of programs",
    ours: overhead("at its checkpoint ÷ reused", "p95"),
    theirs: { value: 7, better: "less" },
  },
  {
    ...{ system: "Groundhog", place: "groundhog", from: ["isolation"], unit: "%" },
    published: "as above: 1.5 % (median)",
    here: "the same with the action loaded anew each time, action checkpoints off, the median program",
    ours: overhead("rewound ÷ reused", "p50"),
    theirs: { value: 1.5, better: "less" },
  },
  {
    ...{ system: "Groundhog", place: "groundhog", from: ["isolation"], unit: "%" },
    published: "as above: 7 % (95th percentile)",
    here: "the same, the 95th percentile of programs",
    ours: overhead("rewound ÷ reused", "p95"),
    theirs: { value: 7, better: "less" },
  },
  {
    ...{ system: "Groundhog", place: "groundhog", from: ["isolation"], unit: "%" },
    published: "throughput: 2.5 % less (median)",
    here: "activations per second of one container, the rewind to the action's checkpoint included, the median program",
    ours: loss("p50"),
    theirs: { value: 2.5, better: "less" },
  },
  {
    ...{ system: "Groundhog", place: "groundhog", from: ["isolation"], unit: "%" },
    published: "throughput: 49.6 % less (95th percentile)",
    here: "the same, the 95th percentile of programs",
    ours: loss("p95"),
    theirs: { value: 49.6, better: "less" },
  },
  {
    ...{ system: "TrEnv", place: "trenv", from: ["boot"], unit: "ms" },
    published: "a container within 10 ms",
    here: "a container booted by a fork, Node, a network of those ahead, nothing else ahead, until it can be rewound",
    ours: value("boot", "nodejs, booted, until ready"),
    theirs: { value: 10, better: "less" },
  },
  {
    ...{ system: "TrEnv", place: "trenv", from: ["idle"], unit: "%" },
    published: "48 % less memory than restoring on demand (average)",
    here: "PSS of an idle Node container that was used and rewound, booted, less than one that is started",
    ours: spared("idle", idleUsed("395 booted"), idleUsed("50 started")),
    theirs: { value: 48, better: "more" },
  },
  {
    ...{ system: "Spice", place: "spice", from: ["restart"], unit: "ratio" },
    published: "restored from disk, up to 14.9 times faster than other systems restore processes",
    here: "first answer of an invoker that starts a Node interpreter ÷ of one whose template is on disk, from when a container could be made",
    ours: quotient("restart", "nodejs, started, first answer", "nodejs, stored, first answer"),
    theirs: { value: 14.9, better: "more" },
  },
];

/** Whose benchmarks have been run, and have no such figure. */
export function unfound(results: Results): readonly Claim[] {
  return claims.filter(
    ({ from, ours }) =>
      from.length > 0 && from.every((bench) => results[bench] !== undefined) && ours(results) === undefined,
  );
}
