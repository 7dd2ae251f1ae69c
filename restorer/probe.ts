// Which ways of finding written pages work on this kernel, found out by rewinding a process under each.

import { fromNative } from "./errors.ts";
import { type NativeError, nativeFolder, rwProbe } from "./native.ts";
import { obstacles } from "./remedies.ts";

/** Ways of finding the pages written since the checkpoint, best first; the order is that of enum rw_rung. */
export const rungs = ["write-protect", "soft-dirty", "copy-all"] as const;
export type Rung = (typeof rungs)[number];

export interface RungProof {
  readonly rung: Rung;
  readonly proven: boolean;
  /** Where not proven: what happened. */
  readonly why: string;
  /** Microseconds, median of the proving rewinds; 0 where not proven. */
  readonly rewindUs: number;
}

export interface Probe {
  /** The best rung that proved itself; undefined where none did: containers are then used once. */
  readonly rung: Rung | undefined;
  readonly rungs: readonly RungProof[];
  /** Settings of this machine that forbid every rung, each with its remedy. */
  readonly obstacles: readonly string[];
}

/** Proves the rungs. `disable` leaves some out as if they had failed. Throws RestorerError where no process could be started. */
export async function probe(options: { readonly disable?: readonly Rung[] } = {}): Promise<Probe> {
  const error = {} as NativeError;
  const results = await rwProbe(`${nativeFolder}probe-victim`, error);
  if (typeof results === "number") throw fromNative("probe", error);
  const proofs = results.map((result, i): RungProof => {
    const rung = rungs[i] as Rung;
    const disabled = options.disable?.includes(rung) ?? false;
    const proven = result.proven === 1 && !disabled;
    const why = disabled ? "disabled" : result.why;
    return { rung, proven, why: proven ? "" : why, rewindUs: proven ? result.rewind_us : 0 };
  });
  return { rung: proofs.find((proof) => proof.proven)?.rung, rungs: proofs, obstacles: obstacles() };
}
