// A comparison with known calls, as the report gets it.

import type { Series } from "../../benchmarks/compare/call.ts";
import { Ledger } from "../../benchmarks/compare/ledger.ts";
import { allRows } from "../../benchmarks/compare/statistics.ts";
import type { Comparing, Ending } from "../../benchmarks/compare/summary.ts";

export const first: Series = { part: "first", kind: "nodejs:20", subject: "never called before" };
const many = (distinctActions: number): Series => ({
  ...{ part: "throughput", kind: "nodejs:20", subject: `${distinctActions} actions in turn` },
  distinctActions,
});
const facts = {
  ...{ url: "https://stock.example", namespace: "<guest>", description: "OpenWhisk", build: "1" },
  ...{ kinds: undefined, invocationsPerMinute: 60, concurrentInvocations: undefined },
};
export const activation = { activationId: "0123", isSuccess: true, waitMs: 5, initMs: 3, durationMs: 4 };

/** Four first calls on each side, of which the last differs where that is wished, and two steps of throughput. */
export function ledgerOf({ differs = false, fails = false } = {}): Ledger {
  const ledger = new Ledger();
  for (const index of [0, 1, 2, 3]) {
    for (const side of ["stock", "rewhisk"] as const) {
      const isOther = differs && index === 3 && side === "rewhisk";
      const isSuccess = !(fails && index === 2);
      const tookMs = side === "stock" ? 100 + index : 2 + index;
      const outcome = isOther ? '{"result":"<b>other</b>"}' : `{"result":${index}}`;
      const place = { series: first, side, pass: 0, index };
      ledger.activation(
        place,
        { ...activation, outcome, isSuccess },
        { startedMs: index * 10, tookMs, throttled: 0 },
      );
    }
  }
  ledger.endSeries();
  for (const distinctActions of [1, 4]) {
    const series = many(distinctActions);
    ledger.rates.push({ series, side: "stock", pass: 0, perSecond: 4 / distinctActions, answered: 4 });
    ledger.rates.push({ series, side: "rewhisk", pass: 0, perSecond: 400, answered: 400 });
  }
  return ledger;
}

export function comparingOf(ledger: Ledger, ending: Ending = { kind: "complete" }): Comparing {
  return {
    ...{ facts: { stock: facts, rewhisk: facts }, kinds: ["nodejs:20"], asked: "--calls 4", ledger, ending },
    ...{ callerMachine: "a machine", rows: allRows(ledger), tookMs: 90_000 },
  };
}
