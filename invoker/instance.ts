// The invoker as controllers know it.

import type { InvokerSettings } from "./config/invoker-settings.ts";
import type { InvokerInstance } from "./wire/messages.ts";

export function instanceOf(settings: InvokerSettings): InvokerInstance {
  const { instance, uniqueName, displayedName, pool, tags, dedicatedNamespaces } = settings;
  return {
    instance,
    userMemory: `${pool.userMemoryMB * 1024 * 1024} B`,
    instanceType: "invoker",
    tags,
    dedicatedNamespaces,
    ...(uniqueName === undefined ? {} : { uniqueName }),
    ...(displayedName === undefined ? {} : { displayedName }),
  };
}

/** As in the source of events: `invoker0`. */
export function shortName({ instance }: InvokerInstance): string {
  return `invoker${instance}`;
}

/** As in logs and answers of the admin HTTP: `invoker0/unique/displayed`. */
export function fullName(instance: InvokerInstance): string {
  const { uniqueName, displayedName } = instance;
  return [shortName(instance), uniqueName, displayedName].filter((part) => part !== undefined).join("/");
}
