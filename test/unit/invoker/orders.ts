// Activation messages and actions for tests.

import type { StoredAction } from "../../../invoker/store/stores.ts";
import type { ActionDocument } from "../../../invoker/wire/documents.ts";
import type { Json } from "../../../invoker/wire/json.ts";
import type { ActivationMessage } from "../../../invoker/wire/messages.ts";
import { type Order, readOrder } from "../../../invoker/wire/orders.ts";

export const guestKey = "23bc46b1-71f6-4ed5-8c54-816aa4f8c502:secret";

/** A blocking invocation of guest/hello without arguments, changed by `fields`. */
export function messageFields(fields: Partial<ActivationMessage>): ActivationMessage {
  return {
    transid: ["4XKkOIE0Fz6rkgDcBVvvJrMbr6pXnKkp", 1754479200123],
    action: { path: "guest", name: "hello", version: "0.0.1" },
    revision: "1-abc",
    user: {
      subject: "guest",
      namespace: { name: "guest", uuid: "23bc46b1-71f6-4ed5-8c54-816aa4f8c502" },
      authkey: { api_key: guestKey },
      rights: ["READ", "PUT", "DELETE", "ACTIVATE"],
      limits: {},
    },
    activationId: "0d6b6b4a7cf14d54ab6b4a7cf1bd5427",
    rootControllerIndex: { asString: "0", instanceType: "controller" },
    blocking: true,
    content: {},
    initArgs: [],
    lockedArgs: {},
    ...fields,
  };
}

/** The same as the feed hands it on; `contentText` replaces the arguments' text. */
export function orderOf(fields: Partial<ActivationMessage> = {}, contentText?: string): Order {
  const order = readOrder(JSON.stringify(messageFields(fields)));
  if (contentText === undefined) return order;
  return { message: { ...order.message, content: JSON.parse(contentText) as Json }, contentText };
}

export function storedAction(
  document: Partial<ActionDocument> = {},
  code = "function main() {}",
): StoredAction {
  return {
    document: {
      _id: "guest/hello",
      _rev: "1-abc",
      namespace: "guest",
      name: "hello",
      exec: { kind: "nodejs:20", code },
      parameters: [],
      limits: { timeout: 60_000, memory: 256, logs: 10, concurrency: 1 },
      version: "0.0.1",
      publish: false,
      annotations: [{ key: "provide-api-key", value: false }],
      updated: 1,
      entityType: "action",
      ...document,
    },
    code: Buffer.from(code),
    binary: false,
  };
}
