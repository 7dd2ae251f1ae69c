// The composition root: puts an invoker together, and takes it apart in order.

import type { DestinationStream } from "pino";
import {
  Pool,
  type PoolStatus,
  type Probe,
  realMachine,
  type SandboxFactory,
  within,
} from "../pool/index.ts";
import { runActivation } from "./activation.ts";
import { Background } from "./background.ts";
import type { Bus } from "./bus/bus.ts";
import { feedCapacity, type InvokerSettings } from "./config.ts";
import { Feed } from "./feed.ts";
import { instanceOf } from "./instance.ts";
import { Observer } from "./observe.ts";
import type { ActionStore, ActivationStore } from "./store/stores.ts";

export interface InvokerParts {
  readonly bus: Bus;
  readonly actions: ActionStore;
  readonly activations: ActivationStore;
  /** Closed by the invoker's drain. */
  readonly factory: SandboxFactory;
  readonly probe: Probe;
  readonly settings: InvokerSettings;
  /** Where log lines go; by default the standard error. */
  readonly logStream?: DestinationStream;
}

export interface InvokerStatus {
  readonly phase: "starting" | "ready" | "draining" | "drained";
  /** Activations whose slot is not free yet. */
  readonly underWay: number;
  readonly pool: PoolStatus;
}

export interface Invoker {
  /** Resolves when the containers of the stem cells have been started (or could not be). */
  readonly ready: Promise<void>;
  /**
   * Takes no more messages, waits up to `graceMs` for what runs, ends the rest with an answer, removes all containers.
   * Idempotent.
   */
  drain(graceMs: number): Promise<void>;
  status(): InvokerStatus;
  /** Prometheus' text format. */
  metrics(): Promise<string>;
}

/** Removes what a former life left behind, opens the pool and reads the topic `invoker<N>`. */
export async function startInvoker(parts: InvokerParts): Promise<Invoker> {
  const { bus, settings, factory, probe } = parts;
  await factory.removeLeftovers();

  const observer = new Observer(settings.logLevel, parts.logStream);
  const background = new Background((what, message, error) =>
    observer.backgroundFailed(what, message, error),
  );
  const machine = realMachine(factory, probe);
  const pool = new Pool(machine, settings.pool);
  observer.watch(pool);

  const { topicPrefix } = settings;
  const activationParts = {
    ...{ bus, actions: parts.actions, activations: parts.activations, pool, settings, topicPrefix },
    ...{ kinds: new Set<string>(factory.kinds()), instance: instanceOf(settings), clock: machine.clock },
    ...{ observer, background },
  };
  const feed = new Feed({
    bus,
    topic: `${topicPrefix}invoker${settings.instance}`,
    capacity: feedCapacity(settings),
    run: (order) => runActivation(order, activationParts),
    onUnreadable: (error) => observer.unreadable(error),
    onFault: (order, error) => observer.activationFailed(order.message, error),
  });
  observer.invokerStarted(probe, factory.kinds());

  let phase: InvokerStatus["phase"] = "starting";
  const ready = pool.settled().then(() => {
    if (phase === "starting") phase = "ready";
  });
  let drained: Promise<void> | undefined;
  const drain = async (graceMs: number): Promise<void> => {
    phase = "draining";
    await feed.stop();
    await within(graceMs, feed.idle());
    observer.invokerDrained(feed.underWay);
    await pool.close();
    await feed.idle();
    await background.settled();
    await factory.close();
    phase = "drained";
  };
  return {
    ready,
    drain: (graceMs) => {
      drained ??= drain(graceMs);
      return drained;
    },
    status: () => ({ phase, underWay: feed.underWay, pool: pool.status() }),
    metrics: () => observer.metrics.registry.metrics(),
  };
}
