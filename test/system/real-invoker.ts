// An invoker with real containers on a bus in memory, for tests.

import { createHash } from "node:crypto";
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
  type KeyValue,
  type PoolSettings,
  probe,
  type StoredAction,
  startInvoker,
} from "../../invoker/index.ts";
import { type CodeStore, type LeanFactoryOptions, openTemplateStore } from "../../pool/index.ts";
import { createBus } from "../../standalone/bus.ts";
import { messageFields, storedAction } from "../unit/invoker/orders.ts";
import { instanceName } from "./instance.ts";
import { type Made, watched } from "./watched.ts";

/** build/native, seen from build/js/test/system. */
const launcher = fileURLToPath(new URL("../../../native/lean", import.meta.url));

/** Limits of the pool's that a container shall not reach because the machine has much else to do. */
export const patience = { rewindTimeoutMs: 20_000, startTimeoutMs: 120_000 } as const;

const taintEvent = "container-tainted";
/** Warnings and worse, and what becomes of containers. */
const isKept = /"level":[456]0|"event":"container-/;

export interface ActionSource {
  readonly kind: string;
  readonly code: string | Buffer;
  readonly binary?: boolean;
  readonly main?: string;
  readonly memoryMB?: number;
  readonly timeoutMs?: number;
  readonly logsMB?: number;
  readonly annotations?: readonly KeyValue[];
  readonly concurrency?: number;
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
  #revisions = 0;

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

  /** `what` tells it from others that live at the same time; `made` is told of every sandbox; `lean` is for the factory. */
  static async start(
    pool: Partial<PoolSettings>,
    what = "invoker",
    made: Made = () => undefined,
    concurrencyMax = 1,
    lean: Partial<LeanFactoryOptions> = {},
    codes?: CodeStore,
    templateFolder?: string,
  ): Promise<RealInvoker> {
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
      concurrency: { min: 1, max: concurrencyMax, std: 1 },
      pool: { ...defaultInvokerSettings().pool, ...patience, ...pool },
    };
    const factory = createLeanFactory({
      instance: instanceName(what),
      interpreters: await findInterpreters(),
      environment: { __OW_API_HOST: "http://localhost:3233" },
      // The largest action of the corpus unpacks to a little more than 100 MB.
      scratchMB: 256,
      launcher,
      ...lean,
    });
    const proven = await probe();
    const { rung } = proven;
    const templates =
      templateFolder !== undefined && rung !== undefined
        ? openTemplateStore({ folder: templateFolder }, factory, { rung, launcher })
        : undefined;
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
      factory: watched(factory, made),
      ...(codes && { codes }),
      ...(templates && { templates }),
      probe: proven,
      settings,
      // A long run logs a lot.
      logStream: { write: (line: string) => void (isKept.test(line) && lines.push(line)) },
    });
    await invoker.ready;
    return new RealInvoker(invoker, { bus, actions, waiting, lines, faults });
  }

  /** Keeps an action under `guest/<name>`, each time as a new revision. */
  put(name: string, source: ActionSource): void {
    const { kind, code, binary = false, main, memoryMB = 256, timeoutMs = 10_000, logsMB = 10 } = source;
    const { annotations, concurrency = 1 } = source;
    const stored = storedAction({
      _id: `guest/${name}`,
      _rev: `${++this.#revisions}-test`,
      name,
      ...(annotations === undefined ? {} : { annotations }),
      exec: { kind, ...(main === undefined ? {} : { main }) },
      limits: { timeout: timeoutMs, memory: memoryMB, logs: logsMB, concurrency },
    });
    this.#actions.set(`guest/${name}`, { ...stored, code: Buffer.from(code), binary });
  }

  /** Invokes and waits for all three: answer, slot, record. */
  async run(
    name: string,
    content: Json = {},
    initArgs: readonly string[] = [],
    namespace = "guest",
  ): Promise<Done> {
    // As controllers' ids look, and the same in every run.
    const activationId = createHash("md5")
      .update(String(++this.#count))
      .digest("hex");
    const transid = [`t${this.#count}`, Date.now()] as const;
    const action = { path: "guest", name, version: "0.0.1" };
    const fields = { activationId, transid, action, content, initArgs };
    const { user } = messageFields({});
    const invoker = { ...user, namespace: { ...user.namespace, name: namespace } };
    const message = JSON.stringify(messageFields({ ...fields, user: invoker }));
    const done = new Promise<Done>((resolve) => {
      this.#waiting.set(activationId, {
        ...{ record: undefined, answeredMs: 0, isFree: false, document: undefined },
        ...{ sentMs: performance.now(), done: resolve },
      });
    });
    await this.#bus.send("invoker0", message);
    const outcome = await done;
    this.#waiting.delete(activationId);
    return outcome;
  }

  /** The sum of all lines of the metrics that have this name, and these labels among theirs. */
  async metric(line: string): Promise<number> {
    const text = await this.invoker.metrics();
    const [name = "", labels = ""] = line.replace(/}$/, "").split("{");
    const asked = labels.split(",");
    const found = text.split("\n").filter((one) => {
      const [theirName, theirs = ""] = one.replace(/}? [^ ]*$/, "").split("{");
      return theirName === name && asked.every((label) => label === "" || theirs.split(",").includes(label));
    });
    return found.reduce((sum, one) => sum + Number(one.slice(one.lastIndexOf(" ") + 1)), 0);
  }

  /** Reasons of all taints so far. */
  taints(): string[] {
    return this.lines
      .map((line) => JSON.parse(line) as { event: string; reason?: string; detail?: string })
      .filter(({ event }) => event === taintEvent)
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
