// What happens in the pool, for those above to log and count.

import { EventEmitter } from "node:events";
import type { RewindTimings } from "../restorer/index.ts";
import type { LeanError } from "./lean/errors.ts";
import type { LevelOutcome } from "./levels.ts";
import type { LibraryError } from "./libraries.ts";
import type { BootFailure, BootsCopied, TemplateStored } from "./makings.ts";
import type { Shortage } from "./memory.ts";
import type { Relieved } from "./pressure.ts";
import type { RemovalCause, StartKind, StartPlace, TaintReason } from "./types.ts";

export interface ContainerNamed {
  readonly container: string;
  readonly kind: string;
}

export type PoolEventMap = {
  /** A container is clean for the first time. */
  started: [
    ContainerNamed & {
      readonly tookMs: number;
      readonly isBooted: boolean;
      readonly libraries: string | undefined;
    },
  ];
  /** No containers of the kind have these libraries for a while; the one that was to have them is gone. */
  librariesRefused: [{ readonly kind: string; readonly libraries: string; readonly error: LibraryError }];
  /** A kind's container was to be booted and is started instead, or no template could be made of one. */
  bootFailed: [BootFailure];
  /** Containers of a kind are booted as before, but each has memory of its own. */
  bootsCopied: [BootsCopied];
  /** A template was written, was taken up after a start of the invoker, or cannot be. */
  templateStored: [TemplateStored];
  startFailed: [ContainerNamed & { readonly error: Error; readonly failuresInARow: number }];
  /** Others of the pool hold what it was to have: whoever it was for waits. */
  startPutOff: [ContainerNamed & { readonly error: LeanError }];
  leased: [
    ContainerNamed & {
      readonly start: StartKind;
      readonly place: StartPlace;
      readonly libraries: string | undefined;
      readonly waitedMs: number;
    },
  ];
  rewound: [ContainerNamed & { readonly timings: RewindTimings; readonly tookMs: number }];
  /** An init that might have left an action checkpoint has ended. */
  level: [ContainerNamed & { readonly outcome: LevelOutcome }];
  tainted: [ContainerNamed & { readonly reason: TaintReason; readonly error: Error }];
  /** It cannot be removed, and not for a moment only; it counts until it is. */
  stuck: [ContainerNamed & { readonly failure: unknown }];
  /** Nothing of it is left, or what is left is `failure`. */
  removed: [ContainerNamed & { readonly cause: RemovalCause; readonly failure: unknown }];
  /** Once when memory gets short, and once when what was given up for it may be made again. */
  memoryShort: [Shortage];
  /** Something was given up because memory is short. */
  relieved: [{ readonly what: Relieved }];
  /** There may be more or fewer places; all who wait have been looked at. */
  changed: [];
};

export class PoolEvents extends EventEmitter<PoolEventMap> {}
