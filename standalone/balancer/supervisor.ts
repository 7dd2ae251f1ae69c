// Keeps the table of invokers: hears their pings and finishes, notices silence, and has them tested.

import { type Bus, type InvokerInstance, type Subscription, sizeBytes } from "../../invoker/index.ts";
import { readPing } from "./messages.ts";
import {
  type Finish,
  firstSeen,
  type InvokerState,
  isTested,
  type Reaction,
  react,
  type Supervised,
  type SupervisionEvent,
} from "./supervision.ts";

export interface SupervisorParts {
  readonly bus: Bus;
  readonly topicPrefix: string;
  readonly controller: string;
  /** Milliseconds on a clock that never jumps. */
  readonly nowMs: () => number;
  /** An invoker that gets no work is tested so often. */
  readonly testEveryMs: number;
  /** Sends one test activation to the invoker. */
  readonly test: (instance: number) => Promise<void>;
  /** A ping has extended the table up to this invoker, with as many invokers of its memory as that takes. */
  readonly onExtended: (instance: number, userMemoryMB: number) => void;
  /** It has left a state, or begins in one that gets no work. */
  readonly onState: (invoker: InvokerInstance, state: InvokerState) => void;
  readonly onFault: (what: string, error: unknown) => void;
}

/** An invoker as `GET /invokers` shows it. */
export interface InvokerHealth {
  readonly instance: InvokerInstance;
  readonly state: InvokerState;
}

interface Entry {
  instance: InvokerInstance;
  /** Undefined: it has not pinged yet, only one with a greater id has. */
  supervised: Supervised | undefined;
  heardMs: number;
  testedMs: number;
}

const silenceMs = 10_000;
const lookEveryMs = 250;

/** One state machine for each invoker that has pinged, by its id. */
export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #entries: Entry[] = [];
  readonly #subscription: Subscription;
  readonly #timer: NodeJS.Timeout;
  #changed: (() => void)[] = [];

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#subscription = parts.bus.subscribe(
      `${parts.topicPrefix}health`,
      (message) => this.#heard(message),
      { group: `${parts.topicPrefix}health${parts.controller}` },
    );
    this.#timer = setInterval(() => this.look(), lookEveryMs).unref();
  }

  /** All invokers by id, those in gaps included. */
  get invokers(): readonly InvokerHealth[] {
    return this.#entries.map(({ instance, supervised }) => ({
      instance,
      state: supervised?.state ?? "down",
    }));
  }

  isHealthy(instance: number): boolean {
    return this.#entries[instance]?.supervised?.state === "up";
  }

  /** Resolves when so many invokers are healthy. */
  async healthy(count: number): Promise<void> {
    while (this.#entries.filter(({ supervised }) => supervised?.state === "up").length < count) {
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
  }

  /** Takes the invoker for healthy. Until its first ping it is never silent. */
  assumeHealthy(instance: InvokerInstance): void {
    const entry = this.#entryOf(instance);
    entry.heardMs = Number.POSITIVE_INFINITY;
    this.#become(entry, { supervised: { state: "up", finishes: [] }, tests: 0 });
  }

  /** An activation of the invoker is over. One that never pinged has no state to change. */
  finished(instance: number, finish: Finish): void {
    const entry = this.#entries[instance];
    if (entry?.supervised !== undefined) {
      entry.heardMs = Math.max(entry.heardMs, this.#parts.nowMs());
      this.#react(entry, finish);
    }
  }

  /** Notices who has been silent too long, and whose next test is due. Runs by itself four times a second. */
  look(): void {
    const nowMs = this.#parts.nowMs();
    for (const entry of this.#entries) {
      if (entry.supervised === undefined || entry.supervised.state === "down") {
        continue;
      }
      if (nowMs - entry.heardMs >= silenceMs) {
        this.#react(entry, "silence");
      } else if (isTested(entry.supervised.state) && nowMs - entry.testedMs >= this.#parts.testEveryMs) {
        this.#react(entry, "minute");
      }
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#subscription.stop();
  }

  #heard(message: string): void {
    try {
      const { instance, isEnabled } = readPing(message);
      const entry = this.#entryOf(instance);
      entry.instance = instance;
      entry.heardMs = this.#parts.nowMs();
      if (entry.supervised === undefined) {
        this.#become(entry, firstSeen);
      }
      this.#react(entry, isEnabled ? "ping" : "disabled");
    } catch (error) {
      this.#parts.onFault("a ping", error);
    }
  }

  #entryOf(instance: InvokerInstance): Entry {
    const known = this.#entries[instance.instance];
    if (known !== undefined) {
      return known;
    }
    while (this.#entries.length <= instance.instance) {
      const { userMemory } = instance;
      this.#entries.push({
        instance: {
          ...{ instance: this.#entries.length, userMemory, instanceType: "invoker" },
          ...{ tags: [], dedicatedNamespaces: [] },
        },
        ...{ supervised: undefined, heardMs: 0, testedMs: 0 },
      });
    }
    this.#parts.onExtended(instance.instance, Math.floor((sizeBytes(instance.userMemory) ?? 0) / 2 ** 20));
    return this.#entries[instance.instance] as Entry;
  }

  #react(entry: Entry, event: SupervisionEvent): void {
    if (entry.supervised !== undefined) {
      this.#become(entry, react(entry.supervised, event));
    }
  }

  #become(entry: Entry, { supervised, tests }: Reaction): void {
    const before = entry.supervised?.state;
    entry.supervised = supervised;
    if (supervised.state !== before) {
      entry.testedMs = this.#parts.nowMs();
      if (before !== undefined || supervised.state !== "up") {
        this.#parts.onState(entry.instance, supervised.state);
      }
      for (const tell of this.#changed.splice(0)) {
        tell();
      }
    }
    for (let sent = 0; sent < tests; sent++) {
      entry.testedMs = this.#parts.nowMs();
      const { instance } = entry.instance;
      this.#parts.test(instance).catch((error: unknown) => {
        this.#parts.onFault(`test activation for invoker${instance}`, error);
      });
    }
  }
}

/** An invoker in words: `invoker<N>`, then its unique and its displayed name where it has them. */
export function invokerName({ instance, uniqueName, displayedName }: InvokerInstance): string {
  return [`invoker${instance}`, uniqueName, displayedName].filter((part) => part !== undefined).join("/");
}
