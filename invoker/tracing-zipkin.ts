// Sends spans to Zipkin in batches: nobody waits for it, what waits is bounded, and what Zipkin does not take is counted and gone.

import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "undici";
import { within } from "../pool/index.ts";
import type { Span } from "./tracing.ts";

/** Must not throw. */
export interface SpanTeller {
  /** So many spans are at Zipkin, or are lost. */
  readonly sent: (spans: number) => void;
  readonly dropped: (spans: number) => void;
  /** Once where Zipkin stops to take spans, with the reason, and once where it takes them again. */
  readonly zipkinChanged: (failure: unknown) => void;
}

/** As stock's reporter. */
const usualEveryMs = 1000;
const waitingMax = 10_000;
const batchMax = 1000;
const answerPatienceMs = 10_000;

export class ZipkinSender {
  readonly #url: URL;
  readonly #teller: SpanTeller;
  readonly #everyMs: number;
  readonly #agent = new Agent({ connections: 1, connect: { timeout: answerPatienceMs } });
  readonly #closing = new AbortController();
  #waiting: Span[] = [];
  /** Until nothing waits any more. */
  #sending: Promise<void> | undefined;
  #isAway: boolean = false;

  /** `url` as in `whisk.tracing.zipkin.url`, such as `http://zipkin:9411`. `everyMs`: how long spans wait for others. */
  constructor(url: string, teller: SpanTeller, everyMs: number = usualEveryMs) {
    this.#url = new URL(`${url.replace(/\/+$/, "")}/api/v2/spans`);
    this.#teller = teller;
    this.#everyMs = everyMs;
  }

  add(span: Span): void {
    if (this.#waiting.length === waitingMax) {
      this.#teller.dropped(1);
      return;
    }
    this.#waiting.push(span);
    this.#sending ??= this.#sendAll();
  }

  /** Sends what waits, for up to `graceMs`; what is left then is dropped. */
  async close(graceMs: number): Promise<void> {
    this.#closing.abort();
    if (this.#sending !== undefined) await within(graceMs, this.#sending);
    await this.#agent.destroy();
    await this.#sending;
  }

  async #sendAll(): Promise<void> {
    const { signal } = this.#closing;
    await sleep(this.#everyMs, undefined, { signal, ref: false }).catch(() => undefined);
    while (this.#waiting.length > 0) await this.#send(this.#waiting.splice(0, batchMax));
    this.#sending = undefined;
  }

  async #send(batch: readonly Span[]): Promise<void> {
    try {
      await this.#post(JSON.stringify(batch));
      this.#teller.sent(batch.length);
      if (this.#isAway) this.#teller.zipkinChanged(undefined);
      this.#isAway = false;
    } catch (error) {
      this.#teller.dropped(batch.length);
      if (!this.#isAway) this.#teller.zipkinChanged(error);
      this.#isAway = true;
    }
  }

  async #post(body: string): Promise<void> {
    const { statusCode, body: answer } = await this.#agent.request({
      ...{ origin: this.#url.origin, path: this.#url.pathname, method: "POST", body },
      headers: { "content-type": "application/json" },
      signal: AbortSignal.timeout(answerPatienceMs),
    });
    const text = await answer.text();
    if (statusCode < 200 || statusCode > 299) throw new Error(`${this.#url.href}: ${statusCode} ${text}`);
  }
}
