// Measures: what the invoker itself adds to the answer of a tiny action that nobody has seen, one at a time. Own time is the
//   time from sending the message to the arrival of its result ack, less the time waited for the container. It is waited for
//   from when an INIT or RUN has been written to its channel until the first bytes of the answer are read: twice here. What
//   stays is all the rest, be it work or idleness: bus, reading the message, fetching action and limits, the lease, writing
//   and reading frames, the outcome, the record, the ack. Then, per activation and as the mean of blocks, the processor time
//   of the invoker's thread from the message to the stored record: what follows the answer is in it, and so are the
//   benchmark's own sending and reading.
// Does not measure: the container, the rewind (it comes after the answer, in another thread), HTTP, a real Kafka, a real
//   CouchDB (the store is a table in memory).
// Varies: the language.

import { readFileSync } from "node:fs";
import { Channel } from "../pool/proxy/channel.ts";
import { FrameReader } from "../pool/proxy/frames.ts";
import { RealInvoker } from "../test/system/real-invoker.ts";
import { type Figure, fromSamples } from "./figures.ts";
import { invoke } from "./invoke.ts";
import { kindOf, tiny, usualFamilies } from "./programs.ts";

const blocks = 25;
const roundsPerBlock = 20;
const nsPerMs = 1e6;

interface ChannelClock {
  /** Milliseconds waited for containers since the last call. */
  readonly takeWaitedMs: () => number;
  readonly remove: () => void;
}

/** Puts a clock on the channels of all containers, of which one at a time is asked anything. */
function clockChannels(): ChannelClock {
  const { init, run } = Channel.prototype;
  const { push } = FrameReader.prototype;
  let askedMs: number | undefined;
  let waitedMs = 0;
  Channel.prototype.init = function (...given) {
    const reply = init.apply(this, given);
    askedMs = performance.now();
    return reply;
  };
  Channel.prototype.run = function (...given) {
    const reply = run.apply(this, given);
    askedMs = performance.now();
    return reply;
  };
  FrameReader.prototype.push = function (piece) {
    if (askedMs !== undefined) waitedMs += performance.now() - askedMs;
    askedMs = undefined;
    return push.call(this, piece);
  };
  return {
    takeWaitedMs: () => {
      const taken = waitedMs;
      waitedMs = 0;
      return taken;
    },
    remove: () => {
      Object.assign(Channel.prototype, { init, run });
      Object.assign(FrameReader.prototype, { push });
    },
  };
}

/** Processor time of this process's main thread so far, as the scheduler counts it: see proc_pid_schedstat(5). */
function threadMs(): number {
  return Number(readFileSync("/proc/self/schedstat", "utf8").split(" ")[0]) / nsPerMs;
}

export async function ownTime(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const clock = clockChannels();
  for (const family of usualFamilies) {
    const kind = kindOf[family];
    const pool = { userMemoryMB: 256, stemCells: [{ kind, count: 1, memoryMB: 256 }] };
    const real = await RealInvoker.start(pool, "own-time");
    const own: number[] = [];
    const waited: number[] = [];
    const thread: number[] = [];
    for (let block = 0; block < blocks; block++) {
      const serials = Array.from({ length: roundsPerBlock }, (_, i) => block * roundsPerBlock + i);
      for (const serial of serials) real.put(`new${serial}`, { kind, code: tiny(family, serial) });
      const beforeMs = threadMs();
      for (const serial of serials) {
        clock.takeWaitedMs();
        const { answeredMs } = await invoke(real, `new${serial}`);
        const waitedMs = clock.takeWaitedMs();
        own.push(answeredMs - waitedMs);
        waited.push(waitedMs);
      }
      thread.push((threadMs() - beforeMs) / roundsPerBlock);
    }
    await real.stop();

    const bench = "own-time";
    figures.push(
      fromSamples({ bench, figure: `${family} own time`, unit: "ms", goal: "<= 0.5" }, own),
      fromSamples({ bench, figure: `${family} waited for the container`, unit: "ms" }, waited),
      fromSamples({ bench, figure: `${family} invoker's thread, processor time`, unit: "ms" }, thread),
    );
  }
  clock.remove();
  return figures;
}
