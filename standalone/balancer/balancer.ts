// Sends activations to invokers and matches their acknowledgements, as OpenWhisk's sharding balancer does over any bus.

import type {
  ActionDocument,
  ActivationMessage,
  Bus,
  InvokerInstance,
  Subscription,
} from "../../invoker/index.ts";
import { ApiError, texts } from "../errors.ts";
import type { ControllerSettings } from "../settings.ts";
import type { AnyRecord } from "../store/records.ts";
import { Answers } from "./answers.ts";
import { HealthTests } from "./health-action.ts";
import { type Ack, readAck } from "./messages.ts";
import { Schedule } from "./schedule.ts";
import type { Share } from "./slots.ts";
import { type InvokerHealth, invokerName, Supervisor } from "./supervisor.ts";

export interface BalancerParts {
  readonly bus: Bus;
  readonly settings: ControllerSettings;
  readonly records: {
    get(namespace: string, activationId: string): Promise<AnyRecord | undefined>;
    /** The record of an activation that was acknowledged will soon be in the database. */
    expect(namespace: string, activationId: string): void;
  };
  /** What an operator may want to know: states of invokers, forced completions, late acks. */
  readonly note: (line: string) => void;
  readonly onFault: (what: string, error: unknown) => void;
  readonly nowMs?: () => number;
  readonly random?: () => number;
}

/** An activation whose slot is taken. */
interface Entry {
  readonly namespace: string;
  readonly instance: number;
  readonly share: Share;
  readonly forced: NodeJS.Timeout;
}

/** Who is on what invoker, and who waits for what. */
export class Balancer {
  readonly #parts: BalancerParts;
  readonly #prefix: string;
  readonly #tests: HealthTests;
  readonly #schedule: Schedule;
  readonly #supervisor: Supervisor;
  readonly #answers: Answers;
  readonly #acks: Subscription;
  readonly #entries = new Map<string, Entry>();
  readonly #perNamespace = new Map<string, number>();
  #released: (() => void)[] = [];

  constructor(parts: BalancerParts) {
    const { bus, settings, records, onFault } = parts;
    const { controller, topicPrefix } = settings;
    this.#parts = parts;
    this.#prefix = topicPrefix;
    this.#tests = new HealthTests(controller, Date.now());
    this.#schedule = new Schedule(
      { ...settings, memoryMinMB: settings.memoryMB.min },
      (instance) => this.#supervisor.isHealthy(instance),
      parts.random,
    );
    this.#answers = new Answers({
      look: (namespace, activationId) => records.get(namespace, activationId),
      pollingFromDatabase: settings.pollingFromDatabase,
      onFault,
    });
    this.#supervisor = new Supervisor({
      ...{ bus, topicPrefix, controller, onFault },
      nowMs: parts.nowMs ?? (() => performance.now()),
      testEveryMs: settings.invokerTestEveryMs,
      test: (instance) => bus.send(this.#topicOf(instance), JSON.stringify(this.#tests.message())),
      onExtended: (instance, userMemoryMB) => this.#schedule.extend(instance, userMemoryMB),
      onState: (invoker, state) => parts.note(`${invokerName(invoker)} is ${state}`),
    });
    this.#acks = bus.subscribe(`${topicPrefix}completed${controller}`, (message) => this.#heard(message));
  }

  /** How many activations hold a slot. */
  get inFlight(): number {
    return this.#entries.size;
  }

  /** How many of a namespace do. */
  inFlightOf(namespace: string): number {
    return this.#perNamespace.get(namespace) ?? 0;
  }

  get invokers(): readonly InvokerHealth[] {
    return this.#supervisor.invokers;
  }

  /** Free memory in an invoker's slots for this controller, in MB; undefined: no such invoker. */
  freeMB(instance: number): number | undefined {
    return this.#schedule.freeMB(instance);
  }

  /** Resolves when so many invokers are healthy. */
  healthy(count: number): Promise<void> {
    return this.#supervisor.healthy(count);
  }

  /** Resolves when no activation holds a slot. */
  async idle(): Promise<void> {
    while (this.#entries.size > 0) {
      await new Promise<void>((resolve) => this.#released.push(resolve));
    }
  }

  /**
   * Sends the message to the invoker that it is for; `text` is the message as JSON. Resolves when the bus has it or, with
   * `waitMs`, with the record, or undefined when that is not there in time. ApiError 503 where no invoker is healthy.
   */
  async publish(
    message: ActivationMessage,
    text: string,
    how: {
      readonly action: ActionDocument;
      /** Of an image of the user's own. */
      readonly isBlackbox: boolean;
      readonly waitMs: number | undefined;
    },
  ): Promise<AnyRecord | undefined> {
    const { action, isBlackbox, waitMs } = how;
    const { activationId } = message;
    const namespace = message.user.namespace.name;
    const { limits } = action;
    const share: Share = {
      key: `${action._id}@${action.version}`,
      memoryMB: limits.memory,
      concurrency: limits.concurrency,
    };
    const choice = this.#schedule.choose({ ...share, namespace, action: action._id, isBlackbox });
    if (choice === undefined) {
      throw new ApiError(503, texts.overloaded);
    }
    const { instance } = choice;
    const forced = setTimeout(() => this.#force(activationId), this.#forcedAfterMs(limits.timeout));
    this.#entries.set(activationId, { namespace, instance, share, forced });
    this.#perNamespace.set(namespace, this.inFlightOf(namespace) + 1);
    const answered = waitMs === undefined ? undefined : this.#answers.wait(namespace, activationId, waitMs);
    const sent = this.#parts.bus.send(this.#topicOf(instance), text);
    sent.catch(() => this.#release(activationId, instance));
    try {
      // While the broker is away the bus keeps the message; nobody waits longer for that than for the result.
      return await (answered === undefined
        ? sent.then(() => undefined)
        : Promise.race([sent.then(() => answered), answered]));
    } finally {
      this.#answers.fail(activationId);
    }
  }

  /** Takes the invoker for healthy from now on, as long as it does not ping: then it is judged as all are. */
  assumeHealthy(instance: InvokerInstance): void {
    this.#supervisor.assumeHealthy(instance);
  }

  /** Stops listening. Who still waits gets no result, and all slots are free. */
  async close(): Promise<void> {
    for (const [activationId, { instance }] of [...this.#entries]) {
      this.#release(activationId, instance);
    }
    this.#answers.close();
    await Promise.all([this.#acks.stop(), this.#supervisor.close()]);
  }

  #topicOf(instance: number): string {
    return `${this.#prefix}invoker${instance}`;
  }

  /** How long a completion may take: a cold start may last as long as the run. */
  #forcedAfterMs(timeoutMs: number): number {
    const { timeoutMs: range, loadBalancerTimeoutFactor, loadBalancerTimeoutAddonMs } = this.#parts.settings;
    return Math.max(timeoutMs, range.std) * loadBalancerTimeoutFactor + loadBalancerTimeoutAddonMs;
  }

  #heard(text: string): void {
    let ack: Ack;
    try {
      ack = readAck(text);
    } catch (error) {
      this.#parts.onFault("an acknowledgement", error);
      return;
    }
    const { activationId, response, instance } = ack;
    const entry = this.#entries.get(activationId);
    if (entry !== undefined) {
      this.#parts.records.expect(entry.namespace, activationId);
    }
    if (response !== undefined) {
      this.#answers.give(activationId, response);
    }
    if (instance !== undefined) {
      this.#completed(ack, instance.instance);
    }
  }

  #completed({ activationId, transid, isSystemError }: Ack, instance: number): void {
    const finish = isSystemError === true ? "system-error" : "success";
    if (this.#release(activationId, instance) || this.#tests.isOurs(transid)) {
      this.#supervisor.finished(instance, finish);
    } else {
      this.#parts.note(`late: invoker${instance} completes ${activationId}, which has no slot (${finish})`);
    }
  }

  /** The completion is overdue: whoever waits is told so, and the invoker gets no credit for what it may yet send. */
  #force(activationId: string): void {
    const entry = this.#entries.get(activationId);
    if (entry === undefined) {
      return;
    }
    const { instance, share } = entry;
    this.#parts.note(`forced completion of ${activationId} (${share.key}) on invoker${instance}`);
    this.#release(activationId, instance);
    this.#answers.fail(activationId);
    this.#supervisor.finished(instance, "timeout");
  }

  /** Frees the activation's slot at the invoker that is done with it. False: it holds none. */
  #release(activationId: string, instance: number): boolean {
    const entry = this.#entries.get(activationId);
    if (entry === undefined) {
      return false;
    }
    this.#entries.delete(activationId);
    clearTimeout(entry.forced);
    this.#schedule.release(instance, entry.share);
    const left = this.inFlightOf(entry.namespace) - 1;
    if (left > 0) {
      this.#perNamespace.set(entry.namespace, left);
    } else {
      this.#perNamespace.delete(entry.namespace);
    }
    for (const tell of this.#released.splice(0)) {
      tell();
    }
    return true;
  }
}
