// Runs the fuzzer for both families, piece by piece, each piece in a process of its own and as many at a time as there are CPUs.

import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { TaintReason } from "../../pool/index.ts";
import { type Family, families } from "../corpus.ts";
import type { FuzzReport } from "./fuzz.ts";

const program = fileURLToPath(new URL("./fuzz-main.js", import.meta.url));
const pieceActivations = 500;

export interface FuzzBothOptions {
  readonly seed: number;
  /** For each family. */
  readonly activations: number;
  /** The name of one of places.ts; else at the base of containers that were started. */
  readonly place?: string;
  readonly onProgress?: (family: Family, done: number) => void;
}

/** What such a process says. */
export type FuzzMessage = { readonly report: FuzzReport };

/** Programs with the numbers from `from` on. */
interface Piece {
  readonly family: Family;
  readonly seed: number;
  readonly from: number;
  readonly activations: number;
  readonly place?: string;
}

function fuzzApart(piece: Piece): Promise<FuzzReport> {
  return new Promise((resolve, reject) => {
    const options = Object.entries(piece).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const child = fork(program, options);
    let report: FuzzReport | undefined;
    child.on("message", (message: FuzzMessage) => {
      report = message.report;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (report === undefined)
        reject(new Error(`the fuzzer for ${piece.family} ended with ${code ?? signal}`));
      else resolve(report);
    });
  });
}

function piecesOf({ seed, activations, place }: FuzzBothOptions): Piece[] {
  const starts = Array.from(
    { length: Math.ceil(activations / pieceActivations) },
    (_, i) => i * pieceActivations,
  );
  return starts.flatMap((from) =>
    families.map((family) => {
      const length = Math.min(pieceActivations, activations - from);
      return { family, seed, from, activations: length, ...(place !== undefined && { place }) };
    }),
  );
}

function joined(reports: readonly FuzzReport[]): FuzzReport {
  const replaced: Partial<Record<TaintReason, number>> = {};
  for (const report of reports)
    for (const [reason, count] of Object.entries(report.replaced) as [TaintReason, number][])
      replaced[reason] = (replaced[reason] ?? 0) + count;
  const [{ family, seed }] = reports as [FuzzReport];
  const activations = reports.reduce((sum, report) => sum + report.activations, 0);
  return {
    family,
    seed,
    activations,
    differences: reports.flatMap((report) => report.differences),
    replaced,
    unanswered: reports.reduce((sum, report) => sum + report.unanswered, 0),
  };
}

/** A report for each family; rejects when one of the processes ends without. */
export async function fuzzBoth(options: FuzzBothOptions): Promise<readonly FuzzReport[]> {
  const waiting = piecesOf(options);
  const reports = new Map<Family, FuzzReport[]>(families.map((family) => [family, []]));
  const work = async (): Promise<void> => {
    for (let piece = waiting.shift(); piece !== undefined; piece = waiting.shift()) {
      const report = await fuzzApart(piece);
      const own = reports.get(piece.family) ?? [];
      own.push(report);
      options.onProgress?.(piece.family, joined(own).activations);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return families.map((family) => joined(reports.get(family) ?? []));
}
