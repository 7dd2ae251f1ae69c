// All that an activation touches, scripted: a pool of one container, a bus that keeps what is sent, stores.

import { type ActivationParts, runActivation } from "../../../invoker/activation.ts";
import { Background } from "../../../invoker/background.ts";
import type { Bus } from "../../../invoker/bus/bus.ts";
import { defaultInvokerSettings, type InvokerSettings } from "../../../invoker/config/invoker-settings.ts";
import type { Progress } from "../../../invoker/feed.ts";
import { instanceOf } from "../../../invoker/instance.ts";
import type { Metrics } from "../../../invoker/metrics.ts";
import { Observer } from "../../../invoker/observe.ts";
import type { StoredAction } from "../../../invoker/store/stores.ts";
import { untraced } from "../../../invoker/tracing.ts";
import type { ActivationDocument } from "../../../invoker/wire/documents.ts";
import type { AckMessage, ActivationMessage } from "../../../invoker/wire/messages.ts";
import { Pool } from "../../../pool/pool.ts";
import { defaultPoolSettings, type PoolSettings } from "../../../pool/types.ts";
import { FakeMachine } from "../pool/fake-machine.ts";
import { orderOf, storedAction } from "./orders.ts";

export const transid = ["tid", Date.now() - 50] as const;

/** Nobody waits for what an activation takes of the machine. */
export const unheard: Progress = { placed: () => undefined, released: () => undefined };

export class World {
  readonly machine = new FakeMachine();
  readonly settings: InvokerSettings;
  readonly pool: Pool;
  readonly background: Background;
  readonly logLines: string[] = [];
  readonly observer: Observer;
  /** What the outside sees, in order: `result`, `completion`, `combined`, `store`, and `rewound`. */
  readonly effects: string[] = [];
  readonly acks: AckMessage[] = [];
  readonly topics: string[] = [];
  readonly documents: ActivationDocument[] = [];
  readonly events: { readonly topic: string; readonly message: string }[] = [];
  fetch: () => Promise<StoredAction> = () => Promise.resolve(storedAction());
  /** Throws to refuse a message, or gives the promise that the bus gives instead. */
  refuse: (message: string, topic: string) => Promise<void> | undefined = () => undefined;
  store: () => Promise<void> = () => Promise.resolve();

  /** The log lines of this event. */
  said(event: string): Record<string, unknown>[] {
    const lines = this.logLines.map((line) => JSON.parse(line) as Record<string, unknown>);
    return lines.filter((line) => line.event === event);
  }

  constructor(
    settings: Partial<InvokerSettings> = {},
    metrics?: Metrics,
    pool: Partial<PoolSettings> = {},
    logLevel = "debug",
  ) {
    const write = (line: string): void => void this.logLines.push(line);
    this.observer = new Observer(logLevel, { write }, metrics);
    this.settings = { ...defaultInvokerSettings(), ...settings };
    const stemCells = [{ kind: "nodejs:20", count: 1, memoryMB: 256 }];
    const poolSettings = { ...defaultPoolSettings, userMemoryMB: 1024, stemCells, ...pool };
    this.pool = new Pool(this.machine, poolSettings);
    this.pool.events.on("rewound", () => this.effects.push("rewound"));
    this.background = new Background((what) => this.effects.push(`failed ${what}`));
  }

  async run(
    fields: Partial<ActivationMessage> = {},
    parts: Partial<ActivationParts> = {},
    progress: Progress = unheard,
  ): Promise<void> {
    const send: Bus["send"] = (topic, message) => {
      if (topic.endsWith("events")) this.events.push({ topic, message });
      const refusal = this.refuse(message, topic);
      if (refusal !== undefined) return refusal;
      if (topic.endsWith("events")) return Promise.resolve();
      const ack = JSON.parse(message) as AckMessage;
      const shape =
        ack.instance === undefined ? "result" : ack.response === undefined ? "completion" : "combined";
      this.effects.push(shape);
      this.acks.push(ack);
      this.topics.push(topic);
      return Promise.resolve();
    };
    const all: ActivationParts = {
      bus: { send, subscribe: () => ({ stop: () => Promise.resolve() }) },
      actions: { fetch: () => this.fetch() },
      underWay: () => 1,
      activations: {
        store: (document) => {
          this.effects.push("store");
          this.documents.push(document);
          return this.store();
        },
      },
      pool: this.pool,
      kinds: new Set(["nodejs:20", "python:3"]),
      settings: this.settings,
      instance: instanceOf(this.settings),
      topicPrefix: this.settings.topicPrefix,
      clock: this.machine.clock,
      observer: this.observer,
      trace: untraced,
      background: this.background,
      ...parts,
    };
    await runActivation(orderOf({ transid, ...fields }), all, progress);
    await this.background.settled();
  }

  get slotFreeing(): number {
    return this.acks.filter(({ instance }) => instance !== undefined).length;
  }
}

/** Those of one suite. */
export class Worlds {
  readonly #made: World[] = [];

  /** With its one container ready. */
  async make(settings: Partial<InvokerSettings> = {}, metrics?: Metrics): Promise<World> {
    const made = new World(settings, metrics);
    this.#made.push(made);
    await made.pool.settled();
    made.effects.length = 0;
    return made;
  }

  async close(): Promise<void> {
    for (const made of this.#made.splice(0)) await made.pool.close();
  }
}
