// Actions that tests store in a CouchDB-compatible server as controllers do, and the stores that read them.

import { expect } from "chai";
import { ActionFetchError } from "../../invoker/store/stores.ts";
import { databases, type OpenedStores, TestCouch } from "./couch.ts";

export const source = "exports.main = () => ({});";

export interface Attachment {
  readonly name: string;
  readonly type: string;
  readonly bytes: Buffer;
}

/** A document as a controller writes it. */
export function actionOf(id: string, exec: unknown, more: object = {}): { readonly _id: string } {
  const segments = id.split("/");
  return {
    _id: id,
    namespace: segments.slice(0, -1).join("/"),
    name: segments.at(-1),
    exec,
    parameters: [{ key: "greeting", value: "hi" }],
    limits: { timeout: 60000, memory: 256, logs: 10, concurrency: 1 },
    version: "0.0.3",
    publish: false,
    annotations: [{ key: "exec", value: "nodejs:20" }],
    updated: 1754470000000,
    entityType: "action",
    ...more,
  } as { readonly _id: string };
}

export class StoredActions {
  readonly couch: TestCouch;
  /** Their requests pass the gate. */
  readonly stores: OpenedStores;
  /** How many ids were given out. */
  made = 0;

  private constructor(couch: TestCouch, stores: OpenedStores) {
    this.couch = couch;
    this.stores = stores;
  }

  static async start(): Promise<StoredActions> {
    const couch = await TestCouch.start();
    return new StoredActions(couch, await couch.open());
  }

  newId(): string {
    return `guest/tools/hello-${++this.made}`;
  }

  /** Stores it, perhaps with an attachment, and gives its id and revision. */
  async store(
    exec: unknown,
    {
      id = this.newId(),
      attachment,
      more = {},
    }: { readonly id?: string; readonly attachment?: Attachment; readonly more?: object } = {},
  ): Promise<{ readonly id: string; readonly rev: string }> {
    const rev = await this.couch.put("whisks", actionOf(id, exec, more));
    if (attachment === undefined) return { id, rev };
    const { name, type, bytes } = attachment;
    const path = `${databases.whisks}/${encodeURIComponent(id)}/${encodeURIComponent(name)}?rev=${rev}`;
    const { status, body } = await this.couch.send("PUT", path, bytes, type);
    expect(status).to.equal(201);
    return { id, rev: body.rev };
  }

  /** Why it cannot be fetched. */
  async failure(id: string, revision: string): Promise<ActionFetchError> {
    const error: unknown = await this.stores.actions.fetch(id, revision).catch((thrown: unknown) => thrown);
    if (error instanceof ActionFetchError) return error;
    throw new Error(`fetching ${id} gave no ActionFetchError`);
  }

  async close(): Promise<void> {
    await this.stores.close(0);
    await this.couch.stop();
  }
}
