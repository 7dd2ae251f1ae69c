// Measures, over a real Kafka broker and a CouchDB-compatible server, with the invoker as a process of its own on the same CPUs:
//   from a message to its result ack, for an action never seen, beside the same over the bus of one process and a round trip
//   through Kafka by kafkajs alone (there and back through another process, messages of the same size); activations per second
//   of one action, called by 16 that wait for their results, beside as many such round trips at a time; the processor time and
//   the memory that takes; a Docker container made for the call by stock's sequence, beside an action never seen; the
//   invoker's start until a controller finds it healthy; a broker killed while messages wait, and started again.
//   Both sides of a ratio are measured in turn.
// Does not measure: a controller and HTTP (bare kafkajs stands for them), CouchDB itself, a network.
// Varies: the language; whether the other end of a round trip waits until its answer is taken before it reads on.

import { prepareRestarts, restartBroker } from "./broker-restart.ts";
import { type Caller, connectCaller, fromController, orderText } from "./caller.ts";
import { ClusterMachine, Judge, type StoredAction } from "./cluster-machine.ts";
import { startDockerPath } from "./docker-path.ts";
import { type Figure, fromSamples, ratio } from "./figures.ts";
import { startInProcess } from "./in-process.ts";
import { type KafkaLoop, startKafkaLoop } from "./kafka-loop.ts";
import { kindOf, tiny, type UsualFamily, usualFamilies } from "./programs.ts";

const bench = "cluster";
const starts = 5;
const rounds = 300;
const warmUpRounds = 100;
/** On a busy machine there are fewer rounds. */
const roundsMs = 25_000;
const passes = 4;
const passMs = 2500;
/** Until the code of all processes is compiled, and the containers are there. */
const warmUpMs = 9000;
const inFlight = 16;
const coldRounds = 10;
const restarts = 3;
/** About the size of the result ack of a tiny action. */
const replyBytes = 700;
const msPerSecond = 1000;

/** What the parts measure with. */
interface Parts {
  readonly machine: ClusterMachine;
  readonly caller: Caller;
  readonly loop: KafkaLoop;
  /** One whose other end takes one message at a time. */
  readonly slowLoop: KafkaLoop;
}

/** What is to be ended when all is over, or earlier by a signal; the last one first. */
const endings: (() => Promise<unknown>)[] = [];

async function end(): Promise<void> {
  for (let next = endings.pop(); next !== undefined; next = endings.pop()) await next();
}

export async function cluster(): Promise<readonly Figure[]> {
  const onSignal = (): void => void end().finally(() => process.exit(1));
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  try {
    const machine = await ClusterMachine.start();
    endings.push(() => machine.stop());
    const figures = await healthy(machine);
    const { caller, close } = await connectCaller(machine.bootstrap, `completed${fromController}`);
    endings.push(close);
    const sample = orderText(caller.newId(), { name: "nodejs-000", revision: "1-".padEnd(34, "0") });
    const sizes = [Buffer.byteLength(sample), replyBytes] as const;
    const loop = await startKafkaLoop(machine, ...sizes, "at-once");
    endings.push(() => loop.stop());
    const slowLoop = await startKafkaLoop(machine, ...sizes, "one-by-one");
    endings.push(() => slowLoop.stop());
    const parts = { machine, caller, loop, slowLoop };
    for (const family of usualFamilies) figures.push(...(await neverSeen(family, parts)));
    for (const family of usualFamilies) figures.push(...(await perSecond(family, parts)));
    figures.push(...(await dockerCold(parts)));
    figures.push(...(await recovery(machine)));
    return figures;
  } finally {
    await end();
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

/** Actions whose text differs from every other's. */
function put(
  machine: ClusterMachine,
  family: UsualFamily,
  what: string,
  count: number,
): Promise<StoredAction[]> {
  const kind = kindOf[family];
  const serials = Array.from({ length: count }, (_, serial) => serial);
  return machine.put(
    serials.map((serial) => ({ name: `${family}-${what}${serial}`, kind, code: tiny(family, serial) })),
  );
}

async function healthy(machine: ClusterMachine): Promise<Figure[]> {
  const judge = await Judge.start(machine, kindOf.nodejs);
  const samples: number[] = [];
  for (let i = 0; i < starts; i++) {
    await machine.stopInvoker();
    await judge.sees(false, machine);
    const begunMs = performance.now();
    machine.startInvoker();
    await judge.sees(true, machine);
    samples.push(performance.now() - begunMs);
  }
  await judge.close();
  return [fromSamples({ bench, figure: "start to healthy", unit: "ms", goal: "<= 5000" }, samples)];
}

async function neverSeen(family: UsualFamily, { machine, caller, loop }: Parts): Promise<readonly Figure[]> {
  const actions = await put(machine, family, "new", warmUpRounds + rounds);
  const inProcess = await startInProcess(machine, kindOf[family]);
  endings.push(inProcess.stop);
  const overKafka: number[] = [];
  const overBus: number[] = [];
  const roundTrip: number[] = [];
  const begunMs = performance.now();
  for (const [i, action] of actions.entries()) {
    if (performance.now() - begunMs > roundsMs && overKafka.length > 0) break;
    const kafkaMs = await caller.invoke(action);
    await caller.idle();
    const busMs = await inProcess.caller.invoke(action);
    await inProcess.caller.idle();
    const loopMs = await loop.exchange();
    if (i < warmUpRounds) continue;
    overKafka.push(kafkaMs);
    overBus.push(busMs);
    roundTrip.push(loopMs);
  }
  await endings.pop()?.();
  const sum = overBus.map((ms, i) => ms + (roundTrip[i] ?? Number.NaN));
  return [
    fromSamples({ bench, figure: `${family} never seen`, unit: "ms" }, overKafka),
    fromSamples({ bench, figure: `${family} never seen, bus in the process`, unit: "ms" }, overBus),
    fromSamples({ bench, figure: "kafkajs alone, there and back", unit: "ms" }, roundTrip),
    ratio({ bench, figure: `${family} never seen / the sum of both`, goal: "<= 1.5" }, overKafka, sum),
  ];
}

/** Exchanges while so many are under way all the time. */
async function rate(
  exchange: () => Promise<unknown>,
  forMs = passMs,
): Promise<{ perSecond: number; count: number }> {
  let count = 0;
  const begunMs = performance.now();
  const worker = async (): Promise<void> => {
    for (; performance.now() - begunMs < forMs; count++) await exchange();
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return { perSecond: (count * msPerSecond) / (performance.now() - begunMs), count };
}

async function perSecond(
  family: UsualFamily,
  { machine, caller, loop, slowLoop }: Parts,
): Promise<readonly Figure[]> {
  const [action] = await put(machine, family, "one", 1);
  if (action === undefined) throw new Error("no action was stored");
  const activation = (): Promise<number> => caller.invoke(action);
  const samples = { activations: [] as number[], loops: [] as number[], slowLoops: [] as number[] };
  const processor = { invoker: [] as number[], broker: [] as number[], database: [] as number[] };
  await rate(activation, warmUpMs);
  await rate(() => loop.exchange());
  await rate(() => slowLoop.exchange());
  for (let pass = 0; pass < passes; pass++) {
    const before = machine.usage();
    const measured = await rate(activation);
    await caller.idle();
    const after = machine.usage();
    samples.activations.push(measured.perSecond);
    for (const who of ["invoker", "broker", "database"] as const)
      processor[who].push((after[who].processorMs - before[who].processorMs) / measured.count);
    samples.loops.push((await rate(() => loop.exchange())).perSecond);
    samples.slowLoops.push((await rate(() => slowLoop.exchange())).perSecond);
  }
  const { activations, loops, slowLoops } = samples;
  const { ownMB, residentMB } = machine.usage().invoker;
  const of = `${family}, ${inFlight} in flight:`;
  return [
    fromSamples({ bench, figure: `${of} activations`, unit: "1/s" }, activations),
    fromSamples({ bench, figure: `${of} kafkajs alone`, unit: "1/s" }, loops),
    fromSamples({ bench, figure: `${of} kafkajs alone, one by one`, unit: "1/s" }, slowLoops),
    ratio({ bench, figure: `${of} activations / kafkajs alone`, goal: ">= 0.5" }, activations, loops),
    ratio({ bench, figure: `${of} activations / one by one` }, activations, slowLoops),
    ...(["invoker", "broker", "database"] as const).map((who) =>
      fromSamples({ bench, figure: `${of} processor time of the ${who} each`, unit: "ms" }, processor[who]),
    ),
    fromSamples({ bench, figure: `${of} the invoker's memory after it`, unit: "MB" }, [residentMB]),
    fromSamples({ bench, figure: `${of} of which no image of a container`, unit: "MB" }, [ownMB]),
  ];
}

async function dockerCold({ machine, caller }: Parts): Promise<readonly Figure[]> {
  const actions = await put(machine, "python", "beside", coldRounds);
  const docker = await startDockerPath();
  endings.push(docker.stop);
  const cold: number[] = [];
  const never: number[] = [];
  for (const action of actions) {
    cold.push(await docker.cold());
    never.push(await caller.invoke(action));
    await caller.idle();
  }
  await endings.pop()?.();
  return [
    fromSamples({ bench, figure: "python cold in Docker, by stock's sequence", unit: "ms" }, cold),
    ratio({ bench, figure: "python cold in Docker / never seen", goal: ">= 50" }, cold, never),
  ];
}

async function recovery(machine: ClusterMachine): Promise<readonly Figure[]> {
  const [action] = await put(machine, "nodejs", "waiting", 1);
  if (action === undefined) throw new Error("no action was stored");
  await prepareRestarts(machine);
  const recovered: number[] = [];
  let [lost, doubled] = [0, 0];
  for (let round = 0; round < restarts; round++) {
    const restart = await restartBroker(machine, round, action);
    recovered.push(restart.recoveredMs);
    lost += restart.lost;
    doubled += restart.doubled;
  }
  const of = "broker killed and started:";
  return [
    fromSamples({ bench, figure: `${of} accepting to answering`, unit: "ms", goal: "<= 5000" }, recovered),
    fromSamples({ bench, figure: `${of} acks lost`, unit: "", goal: "<= 0" }, [lost]),
    fromSamples({ bench, figure: `${of} acks doubled`, unit: "", goal: "<= 0" }, [doubled]),
  ];
}
