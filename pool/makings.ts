// The ways in which a container can be made, and what is told of those that cannot be gone.

import type { Waiting } from "../restorer/index.ts";
import type { Checkpoint } from "./machine.ts";
import type { StoredReason } from "./template-file.ts";
import type { TaintReason } from "./types.ts";

/** The making of a kind's next template: one container is started for it at a time. */
export interface Renewal {
  /** The checkpoint of that container, which is at rest, and its process, where that can be looked at. Never throws: it is a container like others then. */
  offer(checkpoint: Checkpoint, pid?: number): void;
  /** There is a new template now, or there will be none of this container. Idempotent. */
  end(): void;
}

/** A template to boot one container from, which stays until then. */
export interface Boot {
  from(waiting: Waiting): Promise<Checkpoint>;
  /** What was booted is not what was to be booted, or has ended: also after `end`. */
  failed(failure: unknown): void;
  /** True: it was the boot itself that has failed, or its container has ended; it is told as `failed`. */
  hasFailed(failure: unknown): boolean;
  /** Idempotent. */
  end(): void;
}

/** How a container is to be made: booted, or else started, which may be for a renewal. Each must be ended. */
export interface Way {
  readonly boot?: Boot;
  readonly renewal?: Renewal;
}

/** A boot, or what is needed for one, has failed; the container is started instead, or goes on as what it is. */
export interface BootFailure {
  readonly kind: string;
  readonly reason: TaintReason;
  readonly error: Error;
}

/** What is booted of the kind shares its memory with nothing from now on. */
export interface BootsCopied {
  readonly kind: string;
  readonly error: Error;
}

/** A stored template has been taken up, or there is none of the kind, for this reason. */
export type TemplateStored = { readonly kind: string } & (
  | { readonly result: "loaded" | "kept" }
  | { readonly result: StoredReason; readonly error: Error }
);
