// The log lines of an activation's record.

import { type CollectedLogs, formatLine } from "../pool/index.ts";
import { type Outcome, texts } from "./outcome.ts";

/** What was printed, and after a developer error the line that stock adds. With a limit of 0 nothing at all. */
export function logsOf(
  collected: CollectedLogs,
  outcome: Outcome,
  limitBytes: number,
  nowMs: number,
): readonly string[] {
  if (limitBytes === 0) return [];
  if (outcome.statusCode !== 2) return collected.lines;
  return [...collected.lines, formatLine(nowMs, "stderr", texts.developerErrorLogs)];
}
