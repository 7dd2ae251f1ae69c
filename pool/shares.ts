// Room beside neighbours: what is left in containers in use, and in those that jobs of one plan get or count on.

import type { Placed, Wanted } from "./seats.ts";

/** One container that jobs of one owner may share. */
export interface Share {
  readonly kind: string;
  readonly owner: string | undefined;
  /** Undefined: it is still to come. */
  readonly container: number | undefined;
  spare: number;
}

export class Shares {
  readonly #shares: Share[];

  constructor(seats: readonly Placed[]) {
    this.#shares = seats
      .map(({ id, kind, owner, spare = 0 }) => ({ kind, owner, container: id, spare }))
      .filter(({ spare }) => spare > 0);
  }

  take({ kind, owner }: Wanted): Share | undefined {
    const share = this.#shares.find((one) => one.spare > 0 && one.kind === kind && one.owner === owner);
    if (share !== undefined) share.spare--;
    return share;
  }

  /** After one job of the owner has a container, or counts on one. */
  offer({ kind, owner, concurrency = 1 }: Wanted, container: number | undefined): void {
    if (concurrency > 1) this.#shares.push({ kind, owner, container, spare: concurrency - 1 });
  }
}
