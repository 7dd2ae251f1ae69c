// What the handlers of requests work with, put together once.

import type { Bus } from "../invoker/index.ts";
import { Background } from "./background.ts";
import { Invocations } from "./invoke.ts";
import type { Manifest } from "./manifest.ts";
import { Runner } from "./sequences.ts";
import type { ControllerSettings } from "./settings.ts";
import type { Databases } from "./store/databases.ts";
import { EntityStore } from "./store/entities.ts";
import { ActivationRecords } from "./store/records.ts";
import { Subjects } from "./store/subjects.ts";

export interface Services {
  readonly settings: ControllerSettings;
  readonly manifest: Manifest;
  readonly entities: EntityStore;
  readonly records: ActivationRecords;
  readonly subjects: Subjects;
  readonly invocations: Invocations;
  readonly runner: Runner;
  readonly background: Background;
  readonly room: Databases["room"];
  /** Hears of faults that no caller hears of. */
  readonly onFault: (what: string, error: unknown) => void;
}

/** The namespace a person uses who has said nothing. */
export const guestSubject = "guest";
/** The owner of the sample packages. */
export const systemSubject = "whisk.system";

/** Opens the stores and builds the controller on them. `folder` is where key files are kept. */
export async function createServices(parts: {
  readonly databases: Databases;
  readonly folder: string;
  readonly bus: Bus;
  readonly manifest: Manifest;
  readonly settings: ControllerSettings;
  readonly onFault: Services["onFault"];
}): Promise<Services> {
  const { databases, settings, onFault } = parts;
  const [entities, records, subjects] = await Promise.all([
    EntityStore.open(databases),
    ActivationRecords.open(databases),
    Subjects.open(databases.subjects, parts.folder, [guestSubject, systemSubject]),
  ]);
  const invocations = new Invocations({ bus: parts.bus, records, settings, onFault });
  const background = new Background(onFault);
  const runner = new Runner({ entities, records, invocations, background, settings, onFault });
  const { manifest } = parts;
  const { room } = databases;
  const stores = { entities, records, subjects, room };
  return { settings, manifest, ...stores, invocations, runner, background, onFault };
}
