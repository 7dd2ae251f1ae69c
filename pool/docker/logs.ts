// The log lines of one activation out of its container's log file: where they end, and what is said when they do not.

import { setTimeout as sleep } from "node:timers/promises";
import { formatLine, sentinel, truncationText } from "../log-lines.ts";
import type { CollectedLogs } from "../types.ts";
import { type JsonFile, LogRecordError, parseRecord } from "./json-file.ts";

const sentinelsAtTheEnd = 2;

const issueText = "There was an issue while collecting your logs. Data might be missing.";
const timeColumns = 30;
const pollMs = 5;
const bytesPerMB = 1024 * 1024;
const leastLimitMB = 5;
const patienceMsPerMB = 2000;
const usualSilenceMs = 2000;

export interface Collection {
  readonly limitBytes: number;
  /** True: waits for both sentinels. False: what is in the file by now. */
  readonly isAwaited: boolean;
  /** With no record for so long nothing more is expected. Absent: two seconds. */
  readonly silenceMs?: number | undefined;
  /** Epoch milliseconds with their fraction. */
  readonly nowMs: () => number;
}

export interface FileLogs extends CollectedLogs {
  /** False: something of this activation's may still come, or the file cannot be read. */
  readonly isComplete: boolean;
}

/** Reads on from where the last collection ended. Counts, as stock, the bytes of the file's lines. Never rejects. */
export async function collectFromFile(
  file: Pick<JsonFile, "next">,
  collection: Collection,
): Promise<FileLogs> {
  const lines: string[] = [];
  try {
    const end = await read(file, collection, lines);
    if (end !== "complete") {
      const text = end === "truncated" ? truncationText(collection.limitBytes) : issueText;
      lines.push(formatLine(collection.nowMs(), "stderr", text));
    }
    return { lines, truncated: end === "truncated", isComplete: end === "complete" };
  } catch (error) {
    const isGarbled = error instanceof LogRecordError;
    const said = isGarbled ? [issueText] : [...lines, formatLine(collection.nowMs(), "stderr", issueText)];
    return { lines: said, truncated: false, isComplete: false };
  }
}

async function read(
  file: Pick<JsonFile, "next">,
  { limitBytes, isAwaited, silenceMs = usualSilenceMs }: Collection,
  lines: string[],
): Promise<"complete" | "truncated" | "incomplete"> {
  const startMs = performance.now();
  const totalMs = Math.max(limitBytes / bytesPerMB, leastLimitMB) * patienceMsPerMB;
  let heardMs = startMs;
  let takenBytes = 0;
  for (let sentinels = 0; sentinels < sentinelsAtTheEnd; ) {
    const line = await file.next();
    const nowMs = performance.now();
    if (line === undefined && !isAwaited) return "complete";
    if (nowMs - startMs > totalMs) return "incomplete";
    if (line === undefined) {
      if (nowMs - heardMs > silenceMs) return "incomplete";
      await sleep(pollMs);
      continue;
    }
    heardMs = nowMs;
    if (line.length > limitBytes) return "incomplete";
    takenBytes += line.length + 1;
    if (takenBytes > limitBytes) return "truncated";
    const { time, stream, text } = parseRecord(line);
    const { isEnd, printed } = splitSentinel(text);
    if (isEnd) sentinels++;
    if (!isEnd || printed !== "") lines.push(`${time.padEnd(timeColumns)} ${stream}: ${printed}`);
  }
  return "complete";
}

/** What an action printed without a newline stands before the sentinel in the same line. */
function splitSentinel(text: string): { readonly isEnd: boolean; readonly printed: string } {
  const line = text.trimEnd();
  if (!line.endsWith(sentinel)) return { isEnd: false, printed: text };
  return { isEnd: true, printed: line.slice(0, -sentinel.length) };
}
