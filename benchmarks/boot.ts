// Measures: containers that are booted from a checkpoint beside such as are started and checkpointed, in turn: from the order to a
//   container that can be rewound, from there to the proof that it equals its checkpoint, from there to the answer of an action that
//   it has never seen; and the memory of idle ones that are proved. And such as were booted and proved ahead: from the order until they
//   may be used. All have a network, of those that are made ahead.
// Does not measure: the pool; the template's own start, nor what others are forked from.
// Varies: the language.

import { closeSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  createLeanFactory,
  findInterpreters,
  probe,
  type Sandbox,
  type SandboxFactory,
} from "../pool/index.ts";
import { Channel } from "../pool/proxy/channel.ts";
import { ContainerCheckpoint, type Rung, type Template } from "../restorer/index.ts";
import { instanceName } from "../test/system/instance.ts";
import { holdsWithin } from "../test/within.ts";
import { type Figure, fromSamples } from "./figures.ts";
import { allowForwarding } from "./forwarding.ts";
import { type Family, families, kindOf, sizes } from "./programs.ts";

const rounds = 30;
const idle = 10;
const memoryMB = 256;
const startMs = 60_000;
const limits = { timeoutMs: startMs, maxBodyBytes: 1 << 20, keptBodyBytes: 1 << 20 };
const launcher = fileURLToPath(new URL("../../native/lean", import.meta.url));

const goals: Readonly<Partial<Record<Family, { readonly ready: string; readonly answer: string }>>> = {
  nodejs: { ready: "<= 1.5", answer: "<= 3" },
  python: { ready: "<= 1", answer: "<= 2" },
};
const ahead = 4;
const aheadMs = 30_000;

type FactoryOptions = Omit<Parameters<typeof createLeanFactory>[0], "instance">;
type Way = "started" | "booted";

interface Made {
  readonly sandbox: Sandbox;
  readonly channel: Channel;
  readonly checkpoint: ContainerCheckpoint;
}

async function startOne(factory: SandboxFactory, kind: string, rung: Rung): Promise<Made> {
  const sandbox = await factory.create(kind, memoryMB);
  const channel = Channel.open(sandbox.channelFd);
  const { outcome } = await channel.ready(startMs);
  if (outcome !== "answer") throw new Error(`a ${kind} container is not ready: ${outcome}`);
  return { sandbox, channel, checkpoint: await ContainerCheckpoint.take([sandbox.runtimePid], { rung }) };
}

async function bootOne(factory: SandboxFactory, kind: string, template: Template): Promise<Made> {
  let checkpoint: ContainerCheckpoint | undefined;
  const sandbox = await factory.create(kind, memoryMB, async (waiting) => {
    checkpoint = await ContainerCheckpoint.boot(template, waiting, { verify: false });
  });
  if (checkpoint === undefined) throw new Error(`a ${kind} container was not booted`);
  return { sandbox, channel: Channel.open(sandbox.channelFd), checkpoint };
}

/** One of those that were booted ahead; gives what it took as well. */
async function takeOne(factory: SandboxFactory, kind: string): Promise<Made & { readonly tookMs: number }> {
  // More are made when half of them are gone.
  if (!(await holdsWithin(aheadMs, () => factory.ahead().containers.ready > ahead / 2)))
    throw new Error(`no ${kind} containers are made ahead`);
  let made: { readonly checkpoint: ContainerCheckpoint; readonly channel: Channel } | undefined;
  const orderedMs = performance.now();
  const sandbox = await factory.create(kind, memoryMB, undefined, (taken, channel) => {
    made = { checkpoint: taken as ContainerCheckpoint, channel };
  });
  if (made === undefined) throw new Error(`no ${kind} container was booted ahead`);
  if (!sandbox.goOn()) throw new Error(`a ${kind} container that was booted ahead has not stayed stopped`);
  return { ...made, sandbox, tookMs: performance.now() - orderedMs };
}

/** In a factory of its own: how many are ready is told of all kinds together. */
async function measureAhead(family: Family, options: FactoryOptions, template: Template): Promise<Figure[]> {
  const kind = kindOf[family];
  const factory = createLeanFactory({
    ...{ ...options, instance: instanceName("boot-bench-ahead"), containersAhead: ahead },
  });
  await factory.removeLeftovers();
  factory.bootAhead(kind, {
    isOver: () => false,
    from: (waiting) => ContainerCheckpoint.boot(template, waiting, { verify: false }),
    prove: async (checkpoint) => void (await checkpoint.rewind({ verify: true, halts: true })),
    discard: async (checkpoint) => checkpoint.release(),
    failed: (why) => {
      throw why;
    },
  });
  // Nothing is made ahead before one has been wanted.
  await end(await bootOne(factory, kind, template));
  const readyMs: number[] = [];
  const firstMs: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const made = await takeOne(factory, kind);
    const askedMs = performance.now();
    await answer(made, sizes.tiny(family, i));
    firstMs.push(made.tookMs + performance.now() - askedMs);
    readyMs.push(made.tookMs);
    await end(made);
  }
  await factory.close();
  const named = (what: string, goal?: string) => ({
    ...{ bench: "boot", unit: "ms", figure: `${family}, booted ahead, ${what}` },
    ...(goal !== undefined && { goal }),
  });
  return [
    fromSamples(named("until ready", goals[family]?.ready), readyMs),
    fromSamples(named("first answer", goals[family]?.answer), firstMs),
  ];
}

async function end({ sandbox, channel, checkpoint }: Made): Promise<void> {
  channel.close();
  closeSync(sandbox.stdoutFd);
  closeSync(sandbox.stderrFd);
  await sandbox.destroy();
  checkpoint.release();
}

async function answer({ channel }: Made, code: string): Promise<void> {
  const frame = { name: "bench", main: "main", binary: false, env: {}, code: Buffer.from(code) };
  for (const reply of [await channel.init(frame, limits), await channel.run('{"value":{}}', limits)])
    if (reply.outcome !== "answer" || reply.status !== 200)
      throw new Error(`answered ${JSON.stringify(reply)}`);
}

/** Megabytes, of all its memory: what it alone has, and with its share of what others have as well. */
function memoryOf(pid: number): { readonly ownMB: number; readonly sharedMB: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
  const kB = (name: string): number => Number(new RegExp(`^${name}: +(\\d+)`, "m").exec(text)?.[1]);
  return { ownMB: (kB("Private_Clean") + kB("Private_Dirty")) / 1024, sharedMB: kB("Pss") / 1024 };
}

async function measure(family: Family, options: FactoryOptions, rung: Rung): Promise<readonly Figure[]> {
  const factory = createLeanFactory({ ...options, instance: instanceName("boot-bench") });
  await factory.removeLeftovers();
  const bench = "boot";
  const kind = kindOf[family];
  const first = await startOne(factory, kind, rung);
  const template = first.checkpoint.template();
  await end(first);
  const make: Readonly<Record<Way, () => Promise<Made>>> = {
    started: () => startOne(factory, kind, rung),
    booted: () => bootOne(factory, kind, template),
  };
  const ways = Object.keys(make) as readonly Way[];
  const figures: Figure[] = [];
  const readyMs = { started: [] as number[], booted: [] as number[] };
  const provedMs = { started: [] as number[], booted: [] as number[] };
  const answeredMs = { started: [] as number[], booted: [] as number[] };
  await end(await make.booted());
  for (let i = 0; i < rounds; i++)
    for (const way of ways) {
      const orderedMs = performance.now();
      const made = await make[way]();
      const madeMs = performance.now();
      await made.checkpoint.rewind({ verify: true });
      const askedMs = performance.now();
      await answer(made, sizes.tiny(family, i));
      readyMs[way].push(madeMs - orderedMs);
      provedMs[way].push(askedMs - madeMs);
      answeredMs[way].push(performance.now() - askedMs);
      await end(made);
    }
  for (const way of ways) {
    const goal = way === "booted" ? goals[family]?.ready : undefined;
    const untilReady = { bench, unit: "ms", figure: `${family}, ${way}, until ready`, ...(goal && { goal }) };
    figures.push(fromSamples(untilReady, readyMs[way]));
    figures.push(fromSamples({ bench, unit: "ms", figure: `${family}, ${way}, then proof` }, provedMs[way]));
    figures.push(
      fromSamples({ bench, unit: "ms", figure: `${family}, ${way}, then answer` }, answeredMs[way]),
    );
    const all: Made[] = [];
    for (let i = 0; i < idle; i++) {
      const made = await make[way]();
      await made.checkpoint.rewind({ verify: true });
      all.push(made);
    }
    const memory = all.map(({ sandbox }) => memoryOf(sandbox.runtimePid));
    const own = memory.map(({ ownMB }) => ownMB);
    const shared = memory.map(({ sharedMB }) => sharedMB);
    figures.push(fromSamples({ bench, unit: "MB", figure: `${family}, ${way}, private memory` }, own));
    figures.push(fromSamples({ bench, unit: "MB", figure: `${family}, ${way}, with its share` }, shared));
    for (const made of all) await end(made);
  }
  await factory.close();
  figures.push(...(await measureAhead(family, options, template)));
  template.release();
  return figures;
}

export async function boot(): Promise<readonly Figure[]> {
  const { rung } = await probe();
  if (rung === undefined) throw new Error("nothing can be rewound here");
  const interpreters = await findInterpreters();
  const options = { interpreters, environment: {}, scratchMB: 64, launcher, network: "nat" } as const;
  const figures: Figure[] = [];
  const putBack = allowForwarding();
  try {
    for (const family of families) figures.push(...(await measure(family, options, rung)));
  } finally {
    putBack();
  }
  return figures;
}
