// What the handlers of requests work with, put together once.

import type { Bus } from "../invoker/index.ts";
import { Background } from "./background.ts";
import { Balancer } from "./balancer/balancer.ts";
import { CacheInvalidation } from "./balancer/cache-invalidation.ts";
import { installHealthAction } from "./balancer/health-action.ts";
import { Invocations } from "./invoke.ts";
import type { Manifest } from "./manifest.ts";
import { Runner } from "./runner.ts";
import type { ControllerSettings } from "./settings.ts";
import type { Databases } from "./store/databases.ts";
import { EntityStore } from "./store/entities.ts";
import { ActivationRecords } from "./store/records.ts";
import { Subjects } from "./store/subjects.ts";
import { SummaryRecords } from "./summary-records.ts";
import { Throttle } from "./throttle.ts";
import { UserEvents } from "./user-events.ts";

export interface Services {
  readonly settings: ControllerSettings;
  readonly manifest: Manifest;
  readonly entities: EntityStore;
  readonly records: ActivationRecords;
  readonly subjects: Subjects;
  readonly balancer: Balancer;
  readonly invalidation: CacheInvalidation;
  readonly invocations: Invocations;
  readonly runner: Runner;
  readonly throttle: Throttle;
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
  /** Hears what an operator may want to know of invokers and their activations. */
  readonly note?: (line: string) => void;
  /** Who is created where the database does not have them. */
  readonly subjects?: readonly string[];
}): Promise<Services> {
  const { databases, settings, bus, manifest, onFault, note = () => {} } = parts;
  const { subjects: created = [guestSubject, systemSubject] } = parts;
  const entities = new EntityStore(databases);
  const [records, subjects] = await Promise.all([
    ActivationRecords.open(databases),
    Subjects.open(databases, parts.folder, created),
  ]);
  await installHealthAction(entities, { controller: settings.controller, manifest, settings });
  const invalidation = new CacheInvalidation({ bus, entities, settings, onFault });
  const balancer = new Balancer({ bus, settings, records, note, onFault });
  const invocations = new Invocations({ balancer, settings, manifest });
  const background = new Background(onFault);
  const events = new UserEvents({ bus, settings, onFault });
  const inFlightOf = (namespace: string): number => balancer.inFlightOf(namespace);
  const throttle = new Throttle({ settings, inFlightOf, events });
  const summaries = new SummaryRecords({ records, background, events, settings });
  const runner = new Runner({ entities, records: summaries, invocations, background, settings, onFault });
  const { room } = databases;
  const stores = { entities, records, subjects, room };
  const running = { balancer, invalidation, invocations, runner, throttle, background };
  return { settings, manifest, ...stores, ...running, onFault };
}
