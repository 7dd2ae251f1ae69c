// Calls an endpoint's actions, waits where it throttles, and notices when it is gone.

import { setTimeout as sleep } from "node:timers/promises";
import type { Series } from "./call.ts";
import { type Answer, codeOf, type Endpoint, EndpointError, keyRefused } from "./endpoint.ts";
import type { Ledger, Place } from "./ledger.ts";
import { type Activation, readActivation } from "./record.ts";

export interface CallerParts {
  readonly endpoint: Endpoint;
  readonly ledger: Ledger;
  /** How long an endpoint that does not answer is waited for. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

/** An answer that names an activation. */
export interface Heard extends Answer {
  readonly throttled: number;
}

const tooMany = 429;
/** Of a namespace that may not call its own actions, too. */
const notLetIn: readonly number[] = [401, 403];
const firstPauseMs = 1000;
const longestPauseMs = 16_000;
/** Limits are counted by the minute: two of them are enough for any. */
const throttlePatienceMs = 150_000;
const lookAgainMs = 500;
/** So many answers in a row without an activation: something has ended that will not come back. */
const troublesInRowMax = 20;
const recordPatienceMs = 60_000;

export class Caller {
  readonly #parts: CallerParts;
  #troublesInRow = 0;
  #returning: Promise<void> | undefined;

  constructor(parts: CallerParts) {
    this.#parts = parts;
  }

  /** Undefined: nothing came of it, which is noted. Throws EndpointError `lost`, and the signal's reason. */
  async call(series: Series, path: string, body: string): Promise<Heard | undefined> {
    const { endpoint, signal } = this.#parts;
    for (let throttled = 0, waitedMs = 0; ; throttled++) {
      signal.throwIfAborted();
      const answer = await endpoint.invoke(path, body).catch((error: unknown) => {
        signal.throwIfAborted();
        return error as Error;
      });
      if (answer instanceof Error) {
        this.#troubled(series, `no answer: ${codeOf(answer)}`);
        await this.#untilBack();
        return undefined;
      }
      if (answer.status !== tooMany) return this.#heard(series, answer, throttled);
      waitedMs += await this.#pause(answer, throttled, waitedMs);
    }
  }

  /** Notes what came of a call, when there is time for it: asks for the record where the answer has none. Gives whether it succeeded. */
  async settle(place: Place, { text, startMs, tookMs, throttled }: Heard): Promise<boolean> {
    const { ledger } = this.#parts;
    const read = readActivation(text);
    const activation = read?.outcome !== undefined ? read : await this.#record(read?.activationId ?? "");
    const startedMs = ledger.sinceBeginMs(startMs);
    if (activation !== undefined) {
      return ledger.activation(place, activation, { startedMs, tookMs, throttled });
    }
    ledger.trouble(place.series, place.side, `no record: ${text}`);
    return false;
  }

  #heard(series: Series, answer: Answer, throttled: number): Heard | undefined {
    if (answer.text.includes('"activationId"')) {
      this.#troublesInRow = 0;
      return { ...answer, throttled };
    }
    const what = `${answer.status}: ${answer.text}`;
    this.#troubled(series, what);
    if (notLetIn.includes(answer.status)) throw keyRefused(this.#parts.endpoint.side, what);
    return undefined;
  }

  #troubled(series: Series, what: string): void {
    const { endpoint, ledger } = this.#parts;
    ledger.trouble(series, endpoint.side, what);
    if (++this.#troublesInRow < troublesInRowMax) return;
    throw new EndpointError(
      endpoint.side,
      "lost",
      `${troublesInRowMax} calls in a row failed, the last: ${what}`,
    );
  }

  async #pause({ text, retryAfter }: Answer, tries: number, waitedMs: number): Promise<number> {
    const { endpoint, ledger, signal } = this.#parts;
    if (waitedMs >= throttlePatienceMs) {
      const seconds = Math.round(waitedMs / 1000);
      throw new EndpointError(
        endpoint.side,
        "lost",
        `it throttles calls for ${seconds} s without end: 429 ${text}`,
      );
    }
    const wishedMs = Number(retryAfter) * 1000;
    const pauseMs = wishedMs > 0 ? wishedMs : Math.min(firstPauseMs * 2 ** tries, longestPauseMs);
    const account = ledger.throttled[endpoint.side];
    account.answers++;
    account.waitedMs += pauseMs;
    await sleep(pauseMs, undefined, { signal });
    return pauseMs;
  }

  /** All callers of a side wait together. */
  #untilBack(): Promise<void> {
    this.#returning ??= this.#returns().finally(() => {
      this.#returning = undefined;
    });
    return this.#returning;
  }

  async #returns(): Promise<void> {
    const { endpoint, ledger, patienceMs, signal } = this.#parts;
    const goneMs = performance.now();
    for (let looks = 1; ; looks++) {
      const answer = await endpoint
        .send("GET", "/api/v1/namespaces")
        .catch(({ cause }: Error) => codeOf(cause));
      const passedMs = performance.now() - goneMs;
      const status = typeof answer === "string" ? answer : answer.status;
      if (status === 200) {
        // One that answers at the first look was not gone: it failed at that call.
        if (looks === 1) return;
        const startedMs = ledger.sinceBeginMs(goneMs);
        ledger.outages.push({ side: endpoint.side, startedMs, lastedMs: passedMs });
        return;
      }
      if (passedMs >= patienceMs) {
        const seconds = Math.round(passedMs / 1000);
        throw new EndpointError(endpoint.side, "lost", `it has not answered for ${seconds} s (${status})`);
      }
      await sleep(lookAgainMs, undefined, { signal });
    }
  }

  /** Records are stored a moment after the answer. */
  async #record(activationId: string): Promise<Activation | undefined> {
    const { endpoint, signal } = this.#parts;
    const url = `/api/v1/namespaces/_/activations/${activationId}`;
    for (const beganMs = performance.now(); performance.now() - beganMs < recordPatienceMs; ) {
      const { status, body } = await endpoint.send("GET", url);
      const read = status === 200 ? readActivation(JSON.stringify(body)) : undefined;
      if (read?.outcome !== undefined) return read;
      await sleep(lookAgainMs, undefined, { signal });
    }
    return undefined;
  }
}
