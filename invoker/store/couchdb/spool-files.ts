// The files of the spool: their names, and the records in their lines.

import { open, readdir } from "node:fs/promises";
import type { Outgoing } from "./delivery.ts";

const fileName = /^records-(\d{12})\.jsonl$/;

export function nameOf(number: number): string {
  return `records-${String(number).padStart(12, "0")}.jsonl`;
}

export function numberOf(name: string): number {
  return Number(fileName.exec(name)?.[1]);
}

/** Oldest first. */
export async function segmentNames(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => fileName.test(name)).sort();
}

/** A line that is torn or no record was not kept, or not by us: it is left out, and counted in `lostBytes`. */
export function parseSegment(bytes: Buffer): {
  readonly records: readonly Outgoing[];
  readonly lostBytes: number;
} {
  const records: Outgoing[] = [];
  let goodBytes = 0;
  for (const text of bytes.toString().split("\n").slice(0, -1)) {
    const id = idOf(text);
    if (id === undefined) continue;
    const record = { id, text, bytes: Buffer.byteLength(text) };
    records.push(record);
    goodBytes += record.bytes + 1;
  }
  return { records, lostBytes: bytes.length - goodBytes };
}

/** What was written to the file, or which files the folder has, outlives the machine's sudden end from here on. */
export async function syncPath(path: string): Promise<void> {
  const file = await open(path);
  await file.sync().finally(() => file.close());
}

function idOf(text: string): string | undefined {
  try {
    const { _id } = JSON.parse(text) as { readonly _id?: unknown };
    return typeof _id === "string" ? _id : undefined;
  } catch {
    return undefined;
  }
}
