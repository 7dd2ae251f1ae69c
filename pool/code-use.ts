// What the code store is asked for, and what comes of it.

/** What came of an archive that was to be run. */
export type CodeUse = (typeof codeUses)[number];
export const codeUses = [
  /** It was there. */
  "hit",
  /** It has been unpacked and kept. */
  "miss",
  /** The runtime does not unpack it. */
  "refused",
  /** There is no room for it beside those that are in use. */
  "full",
  /** Another one was being copied, or the same being unpacked for too long. */
  "busy",
  /** It could not be kept, or not be shown. */
  "failed",
] as const;

export interface CodeCounts {
  readonly uses: Readonly<Record<CodeUse, number>>;
  readonly archives: number;
  readonly bytes: number;
}

/** An archive in use: it stays where it is until it is released. */
export interface KeptCode {
  readonly folder: string;
  /** Idempotent. */
  release(): void;
}

/** What became of an archive that was to be unpacked into a folder. */
export type Unpacked =
  | { readonly bytes: number }
  | { readonly not: "refused" | "full" | "busy" }
  /** Without an error: by the archive's own fault, but not for ever. */
  | { readonly not: "failed"; readonly error?: unknown };

/** Unpacks into a folder that is not there yet; `makeRoom` is asked once, before anything is written, and says why nothing may be. */
export type Unpack = (folder: string, makeRoom: MakeRoom) => Promise<Unpacked>;
export type MakeRoom = (bytes: number) => "full" | "busy" | undefined;
