// The end of an invoker in order, all of it within one limit, whichever of its parts hangs.

import { within } from "../pool/index.ts";

export interface EndingParts {
  readonly invoker: { drain(graceMs: number): Promise<void> };
  readonly runtimes: { close(): Promise<void> };
  readonly services: { close(graceMs: number): Promise<void> };
  readonly admin: { close(): Promise<void> };
}

/** Of the whole: by then what runs is ended, with an answer. */
const runningPart = 0.6;
/** By then nobody waits for containers any more: what is left of them the next life removes. */
const containersPart = 0.8;
/** By then nobody waits for answers and records to be taken, which go out until then. */
const servicesPart = 0.95;
/** For answers and records alone: a broker or a database that is away now is probably away longer, and records wait on disk. */
const farewellMs = 5_000;

/** Every part is asked to end, however long those before it take. Gives whether all have ended. */
export async function endWithin(limitMs: number, parts: EndingParts): Promise<boolean> {
  const beganMs = performance.now();
  const untilMs = (part: number): number => Math.max(0, beganMs + part * limitMs - performance.now());
  const { invoker, runtimes, services, admin } = parts;
  let isComplete = true;
  const by = async (part: number, end: Promise<void>): Promise<void> => {
    const hasEnded = await within(
      untilMs(part),
      end.then(() => true),
    );
    isComplete &&= hasEnded === true;
  };
  await by(containersPart, invoker.drain(untilMs(runningPart)));
  await by(containersPart, runtimes.close());
  const mostMs = untilMs((containersPart + servicesPart) / 2);
  await by(servicesPart, services.close(Math.min(farewellMs, mostMs)));
  await by(1, admin.close());
  return isComplete;
}
