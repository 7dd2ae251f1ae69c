// Measures: what the import of a popular Python package adds to the first call of an action that nobody has seen, in a rewound
//   container: the whole call with it and without it, the import by the action's own clock, and the rewind after it. Beside these
//   the same import in a container that is made for it: a lean one, and one of Docker's (`docker run` of the bare interpreter, from
//   the wish to its end). Packages lie on the machine, with their bytecode, and are shown to containers read-only; files are in the
//   page cache.
// Does not measure: fetching and installing packages; imports that a container has in its base (that is `library`); the invoker.
// Varies: the package.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Docker from "dockerode";
import { projectFolder } from "../../invoker/index.ts";
import { Bench } from "../bench.ts";
import { image, startDockerWithImage } from "../docker-path.ts";
import { type Figure, fromSamples } from "../figures.ts";
import { kindOf, tiny } from "../programs.ts";
import { shownFolder, shownInside, surroundings } from "./machine.ts";

const bench = "imports";
const memoryMB = 512;
const unmeasuredRewinds = 17;

interface Package {
  readonly name: string;
  readonly module: string;
  readonly wants: readonly string[];
  /** Other packages of the list that it imports. */
  readonly beside?: readonly string[];
}

function packages(): readonly Package[] {
  const file = join(projectFolder(), "benchmarks", "published", "packages.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { imports: Package[] }).imports;
}

const foldersOf = ({ name, beside = [] }: Package): readonly string[] =>
  [name, ...beside].map((one) => `${shownInside}/packages/${one}`);

const isThere = ({ name, beside = [] }: Package): boolean =>
  [name, ...beside].every((one) => existsSync(join(shownFolder, "packages", one)));

function importing(one: Package, serial: number): string {
  return `import sys, time
sys.path[:0] = ${JSON.stringify(foldersOf(one))}
began = time.perf_counter()
import ${one.module}
took = time.perf_counter() - began
def main(args):
    return {"serial": ${serial}, "importMs": took * 1000}
`;
}

interface Docks {
  /** Milliseconds from the wish for a container to its end, which has imported the module. */
  readonly run: (one: Package) => Promise<number>;
  readonly stop: () => Promise<void>;
}

async function startDocks(): Promise<Docks> {
  const daemon = await startDockerWithImage();
  const engine = new Docker({ socketPath: daemon.socketPath, host: "" });
  return {
    async run(one) {
      const program = `import sys; sys.path[:0] = ${JSON.stringify(foldersOf(one))}; import ${one.module}`;
      const begunMs = performance.now();
      const container = await engine.createContainer({
        ...{ Image: image.name, Cmd: ["/usr/bin/python3", "-IBc", program] },
        // The machine's own libraries: the image has those alone that the interpreter itself needs.
        HostConfig: { Binds: ["/usr:/usr:ro", `${shownFolder}:${shownInside}:ro`] },
      });
      try {
        await container.start();
        const { StatusCode: status } = await container.wait();
        if (status !== 0) throw new Error(`in Docker, import ${one.module} ended with ${status}`);
        return performance.now() - begunMs;
      } finally {
        await container.remove({ force: true });
      }
    },
    stop: () => daemon.stop(),
  };
}

const columns = {
  without: "rewound, without",
  with: "rewound, with the import",
  itself: "the import itself",
  rewind: "the rewind after it",
  fresh: "in a new lean container",
  docker: "in a new Docker container",
} as const;
type Column = keyof typeof columns;

export async function imports({
  names = [] as readonly string[],
  rounds = 10,
  dockerRounds = 3,
} = {}): Promise<readonly Figure[]> {
  const wanted = packages().filter(({ name }) => names.length === 0 || names.includes(name));
  const missing = wanted.filter((one) => !isThere(one));
  for (const { name } of missing) console.log(`${name} could not be had and is left out`);
  const around = surroundings("python");
  const factory = { repository: around.repository };
  const stemCell = { memoryMB };
  const own = await Bench.start(kindOf.python, "always", { name: "imports", stemCell, factory });
  const settings = { stemCells: [], usesBeforeRetirement: 1 };
  const making = await Bench.start(kindOf.python, "always", {
    name: "imports-new",
    stemCell,
    factory,
    settings,
  });
  const docks = dockerRounds > 0 ? await startDocks() : undefined;
  const figures: Figure[] = [];
  let serial = 0;
  try {
    for (let i = 0; i < unmeasuredRewinds; i++) await own.runNew(tiny("python", serial++));
    for (const one of wanted.filter(isThere)) {
      const samples: Record<Column, number[]> = {
        without: [],
        with: [],
        itself: [],
        rewind: [],
        fresh: [],
        docker: [],
      };
      // The first brings files into the page cache.
      await own.runNew(importing(one, serial++));
      for (let round = 0; round < rounds; round++) {
        samples.without.push((await own.runNew(tiny("python", serial++))).answeredMs);
        own.rewinds.length = 0;
        const { answeredMs, result } = await own.runNew(importing(one, serial++));
        samples.with.push(answeredMs);
        samples.itself.push((result as { importMs: number }).importMs);
        const [rewind] = own.rewinds;
        if (rewind && !rewind.verified) samples.rewind.push(rewind.totalUs / 1000);
        samples.fresh.push((await making.runNew(importing(one, serial++))).answeredMs);
        await making.settled();
        if (docks && round < dockerRounds) samples.docker.push(await docks.run(one));
      }
      for (const [column, words] of Object.entries(columns)) {
        const taken = samples[column as Column];
        if (taken.length === 0) continue;
        figures.push(fromSamples({ bench, figure: `${one.wants[0]} | ${words}`, unit: "ms" }, taken));
      }
    }
  } finally {
    await own.stop();
    await making.stop();
    await docks?.stop();
    around.remove();
  }
  return [...figures, ...summary(figures)];
}

/** The median package. */
function summary(figures: readonly Figure[]): readonly Figure[] {
  return Object.values(columns).flatMap((column) => {
    const medians = figures.filter(({ figure }) => figure.endsWith(` | ${column}`)).map(({ value }) => value);
    if (medians.length === 0) return [];
    return [
      fromSamples({ bench, figure: `all packages, median of medians | ${column}`, unit: "ms" }, medians),
    ];
  });
}
