// Turns what a container printed into log lines as OpenWhisk keeps them.

export type StreamName = "stdout" | "stderr";

/** Managed runtimes in Docker write it as a line of its own to both streams when an activation ends. No user ever sees it. */
export const sentinel = "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX";

/** A longer line becomes several, as Docker's json-file driver cuts it under stock OpenWhisk. */
const maxLineBytes = 16_384;
/** What Docker's file holds of a line beside its text: names, stream, time and two newlines. Stock counts that file's bytes. */
const recordBytes = 71;
const newline = 0x0a;
const timeColumns = 30;

/** `2026-11-21T02:26:33.214429Z   stdout: text`: the time in 30 columns, as far as the clock is known (microseconds). */
export function formatLine(epochMs: number, stream: StreamName, text: string): string {
  return `${formatTime(epochMs).padEnd(timeColumns)} ${stream}: ${text}`;
}

let formattedSecond = -1;
let formattedPrefix = "";

function formatTime(epochMs: number): string {
  const second = Math.floor(epochMs / 1000);
  if (second !== formattedSecond) {
    formattedSecond = second;
    formattedPrefix = new Date(second * 1000).toISOString().slice(0, 20);
  }
  const micros = Math.min(999_999, Math.floor((epochMs - second * 1000) * 1000));
  return `${formattedPrefix}${String(micros).padStart(6, "0")}Z`;
}

export function truncationText(limitBytes: number): string {
  return `Logs were truncated because the total bytes size exceeds the limit of ${limitBytes} bytes.`;
}

/** Collects the output of one activation up to its limit. Holds about as much at most, and one unfinished line for each stream. */
export class LogLines {
  readonly #limitBytes: number;
  readonly #lines: string[] = [];
  readonly #partial: { [stream in StreamName]: Buffer[] } = { stdout: [], stderr: [] };
  readonly #partialBytes = { stdout: 0, stderr: 0 };
  #takenBytes = 0;
  #isTruncated: boolean = false;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get isTruncated(): boolean {
    return this.#isTruncated;
  }

  /** Takes in a piece of one stream, received at `epochMs`. The piece may be reused by the caller. */
  push(stream: StreamName, piece: Buffer, epochMs: number): void {
    let rest = piece;
    while (rest.length > 0 && !this.#isTruncated) {
      const end = rest.indexOf(newline);
      const roomBytes = maxLineBytes - this.#partialBytes[stream];
      const isWhole = end >= 0 && end <= roomBytes;
      const part = rest.subarray(0, isWhole ? end : roomBytes);
      if (part.length > 0) this.#partial[stream].push(Buffer.from(part));
      this.#partialBytes[stream] += part.length;
      rest = rest.subarray(part.length + (isWhole ? 1 : 0));
      if (isWhole) this.#endLine(stream, epochMs);
      else if (this.#partialBytes[stream] === maxLineBytes) this.#cutLine(stream, epochMs);
    }
  }

  /** All lines, unfinished ones too. Once. */
  finish(epochMs: number): string[] {
    for (const stream of ["stdout", "stderr"] as const) {
      if (this.#partialBytes[stream] > 0) this.#endLine(stream, epochMs);
    }
    if (this.#isTruncated) this.#lines.push(formatLine(epochMs, "stderr", truncationText(this.#limitBytes)));
    return this.#lines;
  }

  #endLine(stream: StreamName, epochMs: number): void {
    const bytes = this.#takePartial(stream);
    this.#add(stream, bytes, epochMs);
  }

  /** A line that has reached its longest is cut before a character that is only there in part. */
  #cutLine(stream: StreamName, epochMs: number): void {
    const bytes = this.#takePartial(stream);
    const cut = characterBoundary(bytes);
    this.#add(stream, bytes.subarray(0, cut), epochMs);
    if (cut < bytes.length) {
      this.#partial[stream].push(bytes.subarray(cut));
      this.#partialBytes[stream] = bytes.length - cut;
    }
  }

  #takePartial(stream: StreamName): Buffer {
    const bytes = Buffer.concat(this.#partial[stream]);
    this.#partial[stream] = [];
    this.#partialBytes[stream] = 0;
    return bytes;
  }

  /** The one that exceeds the limit is dropped with all later ones. A sentinel, here of the action's own, counts too and is not shown. */
  #add(stream: StreamName, bytes: Buffer, epochMs: number): void {
    if (this.#isTruncated) return;
    this.#takenBytes += recordBytes + bytes.length;
    if (this.#takenBytes > this.#limitBytes) {
      this.#isTruncated = true;
      return;
    }
    const text = bytes.toString("utf8");
    if (text.trimEnd() !== sentinel) this.#lines.push(formatLine(epochMs, stream, text));
  }
}

/** The end of the last whole UTF-8 character; the whole length where the bytes are no UTF-8 anyway. */
function characterBoundary(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const characterBytes = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return characterBytes > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
