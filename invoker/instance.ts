// The invoker as controllers know it.

import type { InvokerSettings } from "./config.ts";
import type { InvokerInstance } from "./wire/messages.ts";

export function instanceOf(settings: InvokerSettings): InvokerInstance {
  const { instance, uniqueName, displayedName, pool } = settings;
  return {
    instance,
    userMemory: `${pool.userMemoryMB * 1024 * 1024} B`,
    instanceType: "invoker",
    tags: [],
    dedicatedNamespaces: [],
    ...(uniqueName === undefined ? {} : { uniqueName }),
    ...(displayedName === undefined ? {} : { displayedName }),
  };
}
