// The ways in which both endpoints get the same work: call by call in turn, or stretch by stretch.

import { setTimeout as sleep } from "node:timers/promises";
import { type BySide, bySide, type Series, type Side, sides } from "./call.ts";
import { Caller, type Heard } from "./caller.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Ledger, Place } from "./ledger.ts";
import type { Progress } from "./progress.ts";
import type { Draft, Workspace } from "./workspace.ts";

/** One call to make on both sides. */
export interface Planned {
  readonly action: string;
  readonly args: object;
}

export interface ComparisonParts {
  readonly endpoints: BySide<Endpoint>;
  readonly workspaces: BySide<Workspace>;
  readonly ledger: Ledger;
  readonly progress: Progress;
  readonly patienceMs: number;
  /** Between a call and the next one of the other side. */
  readonly gapMs: number;
  readonly signal: AbortSignal;
}

/** How long callers are kept busy: for so many calls, or for so long. */
export type Until = { readonly calls: number } | { readonly forMs: number };

export interface Stretch {
  readonly series: Series;
  readonly side: Side;
  readonly pass: number;
  readonly inFlight: number;
  readonly planned: (index: number) => Planned;
  readonly until: Until;
}

interface Busy {
  readonly heard: readonly { readonly place: Place; readonly answer: Heard }[];
  readonly tookMs: number;
  /** Of the first caller that could not go on. */
  readonly failure: PromiseRejectedResult | undefined;
}

const msPerSecond = 1000;

export class Comparison {
  readonly parts: ComparisonParts;
  readonly #callers: BySide<Caller>;

  constructor(parts: ComparisonParts) {
    this.parts = parts;
    const { endpoints, ledger, patienceMs, signal } = parts;
    this.#callers = bySide((side) => new Caller({ endpoint: endpoints[side], ledger, patienceMs, signal }));
  }

  /** The same actions on both sides. Throws EndpointError when neither creates any more. */
  async put(drafts: readonly Draft[]): Promise<void> {
    const ends = await Promise.allSettled(sides.map((side) => this.parts.workspaces[side].put(drafts)));
    const failure = ends.find((end) => end.status === "rejected");
    if (failure !== undefined) throw failure.reason;
  }

  /** Each call on one side and then on the other, which side is first changing from call to call. */
  async inTurn(series: Series, calls: readonly Planned[]): Promise<void> {
    const { ledger } = this.parts;
    for (const [index, planned] of calls.entries()) {
      for (const side of inOrder(index)) {
        await this.pause();
        await this.one({ series, side, pass: 0, index }, planned);
      }
    }
    ledger.endSeries();
  }

  /** Pass by pass, and in each one side after the other, which is first changing from pass to pass. */
  async inPasses(passes: number, work: (side: Side, pass: number) => Promise<void>): Promise<void> {
    for (let pass = 0; pass < passes; pass++) {
      for (const side of inOrder(pass)) {
        await this.pause();
        await work(side, pass);
      }
    }
    this.parts.ledger.endSeries();
  }

  /** One call, not yet looked at: see `settle`. */
  async call({ series, side }: Place, { action, args }: Planned): Promise<Heard | undefined> {
    const path = this.parts.workspaces[side].invocationPath(action);
    const heard = await this.#callers[side].call(series, path, JSON.stringify(args));
    this.parts.progress.step();
    return heard;
  }

  /** Calls that are not measured, all at once: connections are open after them. Gives the answers. */
  async warmUp(
    series: Series,
    side: Side,
    calls: readonly Planned[],
  ): Promise<readonly (Heard | undefined)[]> {
    return await Promise.all(calls.map((planned) => this.call({ series, side, pass: 0, index: 0 }, planned)));
  }

  /** One call, looked at. */
  async one(place: Place, planned: Planned): Promise<void> {
    const heard = await this.call(place, planned);
    if (heard !== undefined) await this.#callers[place.side].settle(place, heard);
  }

  /** So many callers that are busy all the time; what they got is looked at when all is over. */
  async keepBusy(stretch: Stretch): Promise<void> {
    const { series, side, pass } = stretch;
    const { heard, tookMs, failure } = await this.#busy(stretch);
    let answered = 0;
    for (const { place, answer } of heard) {
      if (await this.#callers[side].settle(place, answer)) answered++;
    }
    if (failure !== undefined) throw failure.reason;
    const perSecond = (answered * msPerSecond) / tookMs;
    this.parts.ledger.rates.push({ series, side, pass, perSecond, answered });
  }

  /** The same before it is measured: until containers are there and code is compiled. */
  async settleDown(stretch: Stretch): Promise<void> {
    const { failure } = await this.#busy(stretch);
    if (failure !== undefined) throw failure.reason;
  }

  async #busy({ series, side, pass, inFlight, planned, until }: Stretch): Promise<Busy> {
    const heard: { readonly place: Place; readonly answer: Heard }[] = [];
    const beganMs = performance.now();
    let next = 0;
    const goesOn = (): boolean =>
      "calls" in until ? next < until.calls : performance.now() - beganMs < until.forMs;
    const worker = async (): Promise<void> => {
      while (goesOn()) {
        const index = next++;
        const place = { series, side, pass, index };
        const answer = await this.call(place, planned(index));
        if (answer !== undefined) heard.push({ place, answer });
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: inFlight }, worker));
    const failure = ends.find((end) => end.status === "rejected");
    return { heard, tookMs: performance.now() - beganMs, failure };
  }

  /** What a side does after its answer is not to be measured as the other's. */
  async pause(): Promise<void> {
    const { gapMs, signal } = this.parts;
    if (gapMs > 0) await sleep(gapMs, undefined, { signal });
  }
}

function inOrder(turn: number): readonly Side[] {
  return turn % 2 === 0 ? sides : sides.toReversed();
}
