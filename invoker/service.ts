// The composition root: puts an invoker together, and takes it apart in order.

import type { DestinationStream } from "pino";
import {
  type CodeStore,
  type ImageFactory,
  Pool,
  type PoolStatus,
  type Probe,
  realMachine,
  type SandboxFactory,
  type TemplateStore,
  toldMs,
  within,
} from "../pool/index.ts";
import type { ContainerImages } from "./action-lookup.ts";
import { runActivation } from "./activation.ts";
import { Background } from "./background.ts";
import type { Bus } from "./bus/bus.ts";
import { feedCapacity, type InvokerSettings } from "./config/invoker-settings.ts";
import { Feed } from "./feed.ts";
import { Health } from "./health.ts";
import { fullName, instanceOf } from "./instance.ts";
import { LogFiles } from "./log-files.ts";
import { Metrics } from "./metrics.ts";
import { Observer } from "./observe.ts";
import type { ActionStore, ActivationStore, BlockedNamespaces } from "./store/stores.ts";
import { noTracing, type Tracing } from "./tracing.ts";
import { type Look, openLook } from "./ui/look.ts";

export interface InvokerParts {
  readonly bus: Bus;
  /** A bus for pings alone, so that they wait for nothing else. Absent: there are no controllers to tell. */
  readonly healthBus?: Pick<Bus, "send">;
  readonly actions: ActionStore;
  readonly activations: ActivationStore;
  /** Absent: none is blocked. */
  readonly blocked?: BlockedNamespaces;
  /** Whether the database answers, as far as is known; absent: nobody knows, and it is taken to. */
  readonly isDatabaseUp?: () => boolean;
  /** Closed by the invoker's drain. */
  readonly factory: SandboxFactory;
  /** Containers of any image, closed by the drain too; absent: none. */
  readonly docker?: ImageFactory;
  /** Unpacked archives; closed by the drain. Absent: every container unpacks its own. */
  readonly codes?: CodeStore;
  /** Those that containers are booted from outlive the invoker. */
  readonly templates?: TemplateStore;
  /** How long a drain waits until they are gone; by default 10 s. What is left then is removed by the next life. */
  readonly dockerPatienceMs?: number;
  /** Which images these are. */
  readonly images?: ContainerImages;
  readonly probe: Probe;
  readonly settings: InvokerSettings;
  /** One that hears of other parts as well; absent: one of the invoker's own. */
  readonly observer?: Observer;
  /** Absent: nothing is traced. */
  readonly tracing?: Tracing;
  /** Where its own writes log lines; by default the standard error. */
  readonly logStream?: DestinationStream;
}

/**
 * `bus`: takes no pings, or no acks; `topic`: is not read, for want of a broker or of a share in it; `database`: does not answer as it should; `pool`: is
 * being opened or closed.
 */
export type Obstacle = "bus" | "topic" | "database" | "pool";

export interface InvokerStatus {
  readonly phase: "starting" | "ready" | "draining" | "drained";
  /** What keeps it from taking and answering work; none of it passes by ending the process. */
  readonly notReady: readonly Obstacle[];
  /** Activations whose slot is not free yet. */
  readonly underWay: number;
  /** Activations whose slot has become free. Controllers call an invoker healthy after the first. */
  readonly done: number;
  readonly pool: PoolStatus;
}

export interface Invoker {
  /** Resolves when the containers of the stem cells have been started (or could not be). */
  readonly ready: Promise<void>;
  /** `invoker0/unique/displayed` */
  readonly name: string;
  readonly isEnabled: boolean;
  /** Controllers are told to send work. False: it is enabled already. */
  enable(): boolean;
  /** Controllers are told to send no work; what comes all the same is run. False: it is disabled already. */
  disable(): boolean;
  /**
   * Tells controllers, takes no more messages, waits up to `graceMs` for what runs, ends the rest with an answer, removes all containers.
   * Idempotent.
   */
  drain(graceMs: number): Promise<void>;
  status(): InvokerStatus;
  /** Prometheus' text format. */
  metrics(): Promise<string>;
  /** For the live page; costs something for as long as it is open. */
  look(): Look;
}

/** How long a drain waits for the bus to take the news that no work is wanted. */
const noticeMs = 1000;
/** How long it waits, after all containers are gone, for the last answers and records to be taken. */
const farewellMs = 4000;

/** How long a drain waits for Docker to remove its containers. */
const dockerPatienceMs = 10_000;

/** Removes what a former life left behind, opens the pool, reads the topic `invoker<N>` and tells the controllers. */
export async function startInvoker(parts: InvokerParts): Promise<Invoker> {
  const { bus, healthBus, settings, factory, docker, codes, templates, probe, tracing = noTracing } = parts;
  const { logLevel, metricTags } = settings;
  const observer =
    parts.observer ?? new Observer(logLevel, parts.logStream, new Metrics({ tags: metricTags }));
  // What cannot be removed, a process that not even the kernel can end, keeps nobody from work.
  await factory.removeLeftovers().catch((error: unknown) => observer.containersLeft(error));
  const background = new Background((what, message, error) =>
    observer.backgroundFailed(what, message, error),
  );
  const machine = realMachine(factory, probe, docker, settings.pool, codes, templates);
  const { clock } = machine;
  const pool = new Pool(machine, settings.pool);
  observer.watch(pool);
  observer.metrics.watchAhead(() => factory.ahead());
  observer.metrics.watchEmbryos(() => factory.embryos());
  if (codes !== undefined) observer.metrics.watchCodes(() => codes.counts);
  // Nobody waits for Docker: it makes nothing before its leftovers are gone, and all else needs none of it.
  void docker?.removeLeftovers().catch((error: unknown) => observer.engineFailed(error));

  const { topicPrefix } = settings;
  const instance = instanceOf(settings);
  const logFiles =
    settings.logStore === "record-and-file"
      ? new LogFiles(settings.logFolder, () => toldMs(clock))
      : undefined;
  const activationParts = {
    ...{ bus, actions: parts.actions, activations: parts.activations, blocked: parts.blocked, logFiles },
    ...{ pool, settings, topicPrefix, instance, clock, observer, background },
    underWay: () => feed.underWay,
    ...{ kinds: new Set<string>(factory.kinds()), images: docker && parts.images },
  };
  const feed = new Feed({
    bus,
    topic: `${topicPrefix}invoker${settings.instance}`,
    capacity: feedCapacity(settings),
    places: () => pool.places,
    parked: () => pool.parked,
    run: (order, progress) =>
      tracing.follow(order.message, (trace) => runActivation(order, { ...activationParts, trace }, progress)),
    // The database answers while the message is still being committed; a failure is met again when the action is needed.
    foresee: (id, revision) => void parts.actions.fetch(id, revision).catch(() => undefined),
    onUnreadable: (error) => observer.unreadable(error),
    onFault: (order, error) => observer.activationFailed(order.message, error),
  });
  pool.events.on("changed", () => feed.lookAgain());
  // As stock, from the start: what controllers send then waits for the first container.
  const health = new Health({
    ...{ instance, clock },
    send: healthBus && ((ping) => healthBus.send(`${topicPrefix}health`, ping)),
    onChange: (failure) => observer.heardChanged(failure),
  });
  observer.invokerStarted(probe, factory.kinds(), settings.instance);

  let phase: InvokerStatus["phase"] = "starting";
  const ready = pool.settled().then(() => {
    if (phase === "starting") phase = "ready";
  });
  const disable = (): boolean => {
    const isNew = health.disable();
    if (isNew) observer.switched(false);
    return isNew;
  };
  let drained: Promise<void> | undefined;
  const drain = async (graceMs: number): Promise<void> => {
    const endMs = performance.now() + graceMs;
    phase = "draining";
    disable();
    await within(Math.min(noticeMs, graceMs), health.noticed());
    await feed.stop();
    await within(Math.max(0, endMs - performance.now()), feed.idle());
    observer.invokerDrained(feed.underWay);
    const patience = setTimeout(() => docker?.giveUp(), parts.dockerPatienceMs ?? dockerPatienceMs);
    await pool.close();
    // With the bus or the database away these may have no end: whoever waits for one of them is not waited for.
    await within(farewellMs, feed.idle());
    await within(farewellMs, background.settled());
    await within(noticeMs, health.stop());
    await logFiles?.close();
    await Promise.all([
      factory.close().catch((error: unknown) => observer.containersLeft(error)),
      docker?.close().catch((error: unknown) => observer.engineFailed(error)),
    ]);
    clearTimeout(patience);
    await within(farewellMs, Promise.all([codes?.close(), templates?.close()]));
    phase = "drained";
  };
  // Who has served one can serve, whatever is still being started.
  const currentPhase = (): InvokerStatus["phase"] =>
    phase === "starting" && feed.done > 0 ? "ready" : phase;
  const notReady = (): readonly Obstacle[] => {
    const obstacles: { readonly [obstacle in Obstacle]: boolean } = {
      bus: health.isHeard === false || feed.isHeldBack,
      topic: !feed.isReading,
      database: parts.isDatabaseUp?.() === false,
      pool: currentPhase() !== "ready",
    };
    return (Object.keys(obstacles) as Obstacle[]).filter((obstacle) => obstacles[obstacle]);
  };
  const status = (): InvokerStatus => ({
    phase: currentPhase(),
    notReady: notReady(),
    underWay: feed.underWay,
    done: feed.done,
    pool: pool.status(),
  });
  const name = fullName(instance);
  const looked = {
    ...{ name, startedMs: Date.now(), rung: probe.rung ?? "none", status },
    isEnabled: () => health.isEnabled,
  };
  return {
    ready,
    name,
    get isEnabled() {
      return health.isEnabled;
    },
    enable: () => {
      if (phase === "draining" || phase === "drained" || !health.enable()) return false;
      observer.switched(true);
      return true;
    },
    disable,
    drain: (graceMs) => {
      drained ??= drain(graceMs);
      return drained;
    },
    status,
    metrics: () => observer.metrics.registry.metrics(),
    look: () => openLook(looked, observer),
  };
}
