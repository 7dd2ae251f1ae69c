// Measures: from asking a pool for a container to the answer of a tiny Python action, by stock's sequence of Docker's containers: made for
//   the call, made ahead, kept and paused, kept and not yet paused; beside rewhisk's, for an action never seen. And what Docker takes
//   to remove a container.
// Does not measure: HTTP, a bus, a database; two live clusters (npm run compare does); OpenWhisk's own image, whose action server
//   takes longer to start.
// Varies: how the container was come by.

import { Bench } from "./bench.ts";
import { startDockerPath } from "./docker-path.ts";
import { type Figure, fromSamples, ratio } from "./figures.ts";
import { kindOf, tiny } from "./programs.ts";

const bench = "stock-path";
const rounds = 12;
const ways = ["cold", "prewarmed", "paused", "warm", "removal"] as const;

const words = {
  cold: "made by Docker for the call",
  prewarmed: "made by Docker ahead",
  paused: "kept by Docker, and paused since",
  warm: "kept by Docker, called just before",
  removal: "removal by Docker",
} as const;

export async function stockPath(): Promise<readonly Figure[]> {
  const docker = await startDockerPath();
  const own = await Bench.start(kindOf.python, "always", { name: "beside-docker" });
  const samples = Object.fromEntries([...ways, "never"].map((way) => [way, [] as number[]]));
  try {
    for (let round = 0; round < rounds; round++) {
      for (const way of ways) samples[way]?.push(await docker[way]());
      const { initMs, runMs } = await own.runNew(tiny("python", round));
      samples.never?.push(initMs + runMs);
    }
  } finally {
    await own.stop();
    await docker.stop();
  }
  const of = (way: string): readonly number[] => samples[way] ?? [];
  return [
    ...ways.map((way) => fromSamples({ bench, figure: `python, ${words[way]}`, unit: "ms" }, of(way))),
    fromSamples({ bench, figure: "python, rewound, action never seen", unit: "ms" }, of("never")),
    ...ways
      .filter((way) => way !== "removal")
      .map((way) => ratio({ bench, figure: `python, ${words[way]} / rewound` }, of(way), of("never"))),
  ];
}
