// The order of activations by time, asked of CouchDB's views: whoever stored them.

import type { OrderRange, RecordOrder } from "./activation-order.ts";
import { viewNames } from "./design-documents.ts";
import type { DocumentDatabase } from "./document-database.ts";

export class ViewOrder implements RecordOrder {
  readonly #activations: DocumentDatabase;

  constructor(activations: DocumentDatabase) {
    this.#activations = activations;
  }

  /** CouchDB orders by itself. */
  async add(): Promise<void> {}

  async catchUp(): Promise<void> {}

  async noteProgress(): Promise<void> {}

  async summaries(range: OrderRange): Promise<readonly unknown[]> {
    const { skip, limit } = range;
    const page = { skip, limit, reduce: false };
    const { rows } = await this.#activations.query<object>(viewOf(range), { ...keysOf(range), ...page });
    return rows.map((row) => row.value);
  }

  async ids(range: OrderRange): Promise<string[]> {
    const { skip, limit } = range;
    const page = { skip, limit, reduce: false };
    const { rows } = await this.#activations.query<object>(viewOf(range), { ...keysOf(range), ...page });
    return rows.map((row) => row.id);
  }

  async count(range: Omit<OrderRange, "limit">): Promise<number> {
    const { rows } = await this.#activations.query<number>(viewOf(range), { ...keysOf(range), reduce: true });
    return Math.max(0, (rows[0]?.value ?? 0) - range.skip);
  }
}

type Asked = Omit<OrderRange, "limit">;

function viewOf({ action }: Asked): string {
  return `${action === undefined ? viewNames.activations : viewNames.activationsByName}/activations`;
}

/** Latest first: the larger key comes first. An object sorts behind every number. */
function keysOf({ namespace, action, sinceMs, uptoMs }: Asked): {
  readonly startkey: readonly unknown[];
  readonly endkey: readonly unknown[];
  readonly descending: true;
} {
  const key = action === undefined ? namespace : `${namespace}/${action}`;
  return { startkey: [key, uptoMs ?? {}], endkey: [key, sinceMs ?? 0], descending: true };
}
