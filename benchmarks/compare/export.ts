// The comparison for other programs: every call as CSV, everything else as JSON.

import type { Series } from "./call.ts";
import type { Ledger } from "./ledger.ts";
import { alertsOf, type Comparing, isSound } from "./summary.ts";

const columns = [
  ...["part", "kind", "subject", "side", "pass", "index", "startedMs", "tookMs"],
  ...["waitMs", "initMs", "durationMs", "activationId", "throttled"],
] as const;

/** One line for each call that is in the figures; times in milliseconds, from the beginning of the comparison. */
export function callsAsCsv({ calls }: Ledger): string {
  const lines = calls.map(({ series, side, pass, index, ...call }) => [
    ...[series.part, series.kind, series.subject, side, pass, index, call.startedMs.toFixed(3)],
    ...[call.tookMs.toFixed(3), call.waitMs, call.initMs, call.durationMs, call.activationId, call.throttled],
  ]);
  return [columns, ...lines].map((cells) => `${cells.map(cell).join(",")}\r\n`).join("");
}

function cell(value: string | number | undefined): string {
  const text = String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** What the report is made of, without the single calls. */
export function figuresAsJson(comparing: Comparing): string {
  const { ledger, rows, facts, kinds, asked, callerMachine, ending, tookMs } = comparing;
  const { startedAt, compared, differences, troubles, outages, throttled, notes } = ledger;
  const named = <Of extends { readonly series: Series }>({ series, ...rest }: Of) => ({
    ...{ part: series.part, kind: series.kind, subject: series.subject },
    ...(series.distinctActions !== undefined && { distinctActions: series.distinctActions }),
    ...rest,
  });
  const document = {
    ...{ isSound: isSound(comparing), ending, startedAt, tookMs, kinds, asked, callerMachine, facts },
    ...{ alerts: alertsOf(comparing), compared, differences: differences.map(named) },
    figures: rows.map(named),
    rates: ledger.rates.map(named),
    ...{ troubles: troubles.map(named), outages, throttled, notes },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
