// An invoker with real containers on a bus in memory, for tests.

import { fileURLToPath } from "node:url";
import {
  type AckMessage,
  type ActivationDocument,
  type ActivationRecord,
  type Bus,
  createLeanFactory,
  defaultInvokerSettings,
  findInterpreters,
  type Invoker,
  type Json,
  type PoolSettings,
  probe,
  type StoredAction,
  startInvoker,
} from "../../invoker/index.ts";
import { createBus } from "../../standalone/bus.ts";
import { messageFields, storedAction } from "../unit/invoker/orders.ts";
import { instanceName } from "./instance.ts";

/** build/native, seen from build/js/test/system. */
const launcher = fileURLToPath(new URL("../../../native/lean", import.meta.url));

export interface ActionSource {
  readonly kind: string;
  readonly code: string | Buffer;
  readonly binary?: boolean;
  readonly main?: string;
  readonly memoryMB?: number;
  readonly timeoutMs?: number;
  readonly logsMB?: number;
}

export interface Done {
  readonly record: ActivationRecord;
  readonly logs: readonly string[];
  /** From sending the message to the arrival of the result. */
  readonly answeredMs: number;
}

interface Waiting {
  record: ActivationRecord | undefined;
  answeredMs: number;
  isFree: boolean;
  document: ActivationDocument | undefined;
  readonly sentMs: number;
  readonly done: (done: Done) => void;
}

/** Runs actions by name; an activation is done when it was answered, its slot was freed and its record stored. */
export class RealInvoker {
  readonly invoker: Invoker;
  readonly lines: string[];
  readonly #bus: Bus;
  readonly #actions: Map<string, StoredAction>;
  readonly #waiting: Map<string, Waiting>;
  readonly #faults: unknown[];
  #count = 0;

  private constructor(
    invoker: Invoker,
    parts: {
      bus: Bus;
      actions: Map<string, StoredAction>;
      waiting: Map<string, Waiting>;
      lines: string[];
      faults: unknown[];
    },
  ) {
    this.invoker = invoker;
    this.#bus = parts.bus;
    this.#actions = parts.actions;
    this.#waiting = parts.waiting;
    this.lines = parts.lines;
    this.#faults = parts.faults;
  }

  /** `what` tells it from others that live at the same time. */
  static async start(pool: Partial<PoolSettings>, what = "invoker"): Promise<RealInvoker> {
    const actions = new Map<string, StoredAction>();
    const waiting = new Map<string, Waiting>();
    const lines: string[] = [];
    const faults: unknown[] = [];
    const bus = createBus((_topic, error) => faults.push(error));
    bus.subscribe("completed0", (message) => {
      const nowMs = performance.now();
      const ack = JSON.parse(message) as AckMessage;
      const id =
        ack.activationId ?? (typeof ack.response === "object" ? ack.response.activationId : undefined);
      const one = waiting.get(id ?? "");
      if (one === undefined) throw new Error(`an ack for nobody: ${id}`);
      if (typeof ack.response === "object") {
        if (one.record !== undefined) throw new Error("an activation was answered twice");
        one.record = ack.response;
        one.answeredMs = nowMs - one.sentMs;
      }
      if (ack.instance !== undefined && one.isFree) throw new Error("a slot was freed twice");
      one.isFree ||= ack.instance !== undefined;
      finish(one);
    });
    const settings = {
      ...defaultInvokerSettings(),
      memoryMB: { min: 128, max: 1024, std: 256 },
      pool: { ...defaultInvokerSettings().pool, ...pool },
    };
    const factory = createLeanFactory({
      instance: instanceName(what),
      interpreters: await findInterpreters(),
      environment: { __OW_API_HOST: "http://localhost:3233" },
      // The largest action of the corpus unpacks to a little more than 100 MB.
      scratchMB: 256,
      launcher,
    });
    const invoker = await startInvoker({
      bus,
      actions: {
        fetch: (id) => {
          const action = actions.get(id);
          return action === undefined ? Promise.reject(new Error(`no ${id}`)) : Promise.resolve(action);
        },
      },
      activations: {
        store: (document) => {
          const one = waiting.get(document.activationId);
          if (one !== undefined) {
            one.document = document;
            finish(one);
          }
          return Promise.resolve();
        },
      },
      factory,
      probe: await probe(),
      settings,
      logStream: { write: (line: string) => void lines.push(line) },
    });
    await invoker.ready;
    return new RealInvoker(invoker, { bus, actions, waiting, lines, faults });
  }

  /** Keeps an action under `guest/<name>`. */
  put(name: string, source: ActionSource): void {
    const { kind, code, binary = false, main, memoryMB = 256, timeoutMs = 10_000, logsMB = 10 } = source;
    const stored = storedAction({
      _id: `guest/${name}`,
      name,
      exec: { kind, ...(main === undefined ? {} : { main }) },
      limits: { timeout: timeoutMs, memory: memoryMB, logs: logsMB, concurrency: 1 },
    });
    this.#actions.set(`guest/${name}`, { ...stored, code: Buffer.from(code), binary });
  }

  /** Invokes and waits for all three: answer, slot, record. */
  async run(name: string, content: Json = {}, initArgs: readonly string[] = []): Promise<Done> {
    const activationId = (++this.#count).toString(16).padStart(32, "0");
    const transid = [`t${this.#count}`, Date.now()] as const;
    const action = { path: "guest", name, version: "0.0.1" };
    const message = JSON.stringify(messageFields({ activationId, transid, action, content, initArgs }));
    const done = new Promise<Done>((resolve) => {
      this.#waiting.set(activationId, {
        ...{ record: undefined, answeredMs: 0, isFree: false, document: undefined },
        ...{ sentMs: performance.now(), done: resolve },
      });
    });
    await this.#bus.send("invoker0", message);
    return await done;
  }

  /** The value of one line of the metrics. */
  async metric(line: string): Promise<number> {
    const text = await this.invoker.metrics();
    const found = text.split("\n").find((one) => one.startsWith(`${line} `));
    if (found === undefined) return 0;
    return Number(found.slice(line.length + 1));
  }

  /** Reasons of all taints so far. */
  taints(): string[] {
    return this.lines
      .map((line) => JSON.parse(line) as { event: string; reason?: string; detail?: string })
      .filter(({ event }) => event === "container-tainted")
      .map(({ reason, detail }) => `${reason}: ${detail}`);
  }

  /** Throws what was wrong with any acknowledgement. */
  async stop(): Promise<void> {
    await this.invoker.drain(1000);
    if (this.#faults.length > 0)
      throw new AggregateError(this.#faults, "acknowledgements that should not be");
  }
}

function finish(one: Waiting): void {
  const { record, document } = one;
  if (record === undefined || document === undefined || !one.isFree) return;
  one.done({ record, logs: document.logs, answeredMs: one.answeredMs });
}
