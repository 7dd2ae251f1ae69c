// The end of the server: what was accepted is run and answered first, then everything is closed from the top down.

import { type Invoker, within } from "../invoker/index.ts";
import type { Listener } from "./listener.ts";
import type { Services } from "./services.ts";
import type { Databases } from "./store/databases.ts";

/** All that runs, and so all that must be ended. */
export interface Running {
  readonly listener: Listener;
  readonly databases: Databases;
  readonly services: Services;
  readonly invoker: Pick<Invoker, "drain">;
  /** Ends what all this stands on: the bus, a broker, a database. */
  readonly close?: () => Promise<void>;
}

/** How long the last answers may take on their way out. */
const lastAnswersMs = 1_000;

/**
 * Refuses what is new, and waits up to `graceMs` for all that was accepted. What runs then is ended with an answer; who waits for
 * what has not begun gets its activation id. Gives the number of those never run.
 */
export async function stop(running: Running, graceMs: number): Promise<number> {
  const { listener, services, invoker, databases } = running;
  const { invocations, background } = services;
  const answered = listener.refuse();
  await within(graceMs, allDone(answered, services));
  await invoker.drain(0);
  const neverRun = invocations.inFlight;
  await invocations.close();
  await services.invalidation.close();
  await within(lastAnswersMs, answered);
  await listener.close();
  await background.settled();
  await services.records.flush();
  await databases.close();
  await running.close?.();
  return neverRun;
}

/** In this order: requests start work in the background, that starts activations. */
async function allDone(answered: Promise<void>, { background, invocations }: Services): Promise<void> {
  await answered;
  await background.settled();
  await invocations.idle();
}
