// Asks now and then how many messages of a topic are still to be read.

import type { KafkaBus } from "./kafka.ts";

export interface LagWatch {
  /** Asks no more. Idempotent; resolves when no question is under way. */
  stop(): Promise<void>;
}

/** As stock: not at once, for then a restarted invoker would seem to be behind. */
const firstAfterMs = 10_000;

/** Tells the number each time it is known. A broker that does not say it is asked again the next time. */
export function watchLag(
  bus: Pick<KafkaBus, "lag">,
  topic: string,
  everyMs: number,
  tell: { readonly known: (messages: number) => void; readonly unknown: (error: unknown) => void },
  afterMs = firstAfterMs,
): LagWatch {
  let isStopped = false;
  let asking: Promise<void> = Promise.resolve();
  const ask = async (): Promise<void> => {
    try {
      const messages = await bus.lag(topic);
      if (messages !== undefined) tell.known(Math.max(0, messages));
    } catch (error) {
      tell.unknown(error);
    }
    if (!isStopped) timer = askAfter(everyMs);
  };
  const askAfter = (delayMs: number): NodeJS.Timeout =>
    setTimeout(() => {
      asking = ask();
    }, delayMs).unref();
  let timer = askAfter(afterMs);
  return {
    stop() {
      isStopped = true;
      clearTimeout(timer);
      return asking;
    },
  };
}
