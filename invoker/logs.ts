// The log lines of an activation's record.

import { type CollectedLogs, formatLine } from "../pool/index.ts";
import { type Outcome, texts } from "./outcome.ts";

export interface ActivationLogs {
  readonly lines: readonly string[];
}

/** What was printed, and after a developer error the line that stock adds. With a limit of 0 nothing at all. */
export function logsOf(
  collected: CollectedLogs,
  outcome: Outcome,
  limitBytes: number,
  nowMs: number,
): ActivationLogs {
  if (limitBytes === 0) return { lines: [] };
  if (outcome.statusCode !== 2) return collected;
  return { lines: [...collected.lines, formatLine(nowMs, "stderr", texts.developerErrorLogs)] };
}
