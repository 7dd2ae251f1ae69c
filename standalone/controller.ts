// A controller of a cluster: the REST API over Kafka and CouchDB, for invokers that are processes of their own.

import { mkdirSync } from "node:fs";
import { defaultInvokerSettings, type KafkaBus, openKafkaBus, readKafkaSettings } from "../invoker/index.ts";
import { createApi } from "./api.ts";
import { ensureTopics } from "./balancer/topics.ts";
import { clusterBannerLines, urlOf } from "./banner.ts";
import { StartError } from "./errors.ts";
import { type Listener, listen } from "./listener.ts";
import type { Options, Place } from "./options.ts";
import { installSamples } from "./samples.ts";
import { createServices, guestSubject } from "./services.ts";
import { type ControllerSettings, defaultSettings } from "./settings.ts";
import { chooseManifest, readBuild, reportFault, reportNote } from "./start-parts.ts";
import type { Running } from "./stop.ts";
import { openCouchDatabases } from "./store/couchdb.ts";

export type ControllerPlace = Extract<Place, { readonly kind: "controller" }>;

/** Acknowledgements and pings read at a time, as OpenWhisk's controllers do. */
const maxPeek = 128;
const busGraceMs = 5_000;

/** Starts the controller, which serves at once: it has no say in when invokers come. Throws StartError. */
export async function startController(
  options: Options,
  place: ControllerPlace,
  settings: Partial<ControllerSettings>,
): Promise<Running> {
  const listener = await listen(options.port, options.host);
  const running = await connectController(options, place, { listener, ownsData: false, settings });
  serve(running, options, place);
  return running;
}

/** Everything but answering requests: for whoever first waits for an invoker. */
export async function connectController(
  options: Options,
  place: ControllerPlace,
  how: {
    readonly listener: Listener;
    /** The database is nobody else's: the guest and the samples are put there. */
    readonly ownsData: boolean;
    readonly note?: (line: string) => void;
    /** Other ones than the defaults. */
    readonly settings?: Partial<ControllerSettings>;
  },
): Promise<Running> {
  const { listener, ownsData, note = reportNote } = how;
  const manifest = await chooseManifest(options);
  const { concurrency } = defaultInvokerSettings();
  const settings: ControllerSettings = {
    ...defaultSettings(),
    concurrency: { ...concurrency, max: options.concurrencyMax },
    controller: place.controller,
    clusterSize: place.clusterSize,
    ...how.settings,
  };
  mkdirSync(options.dataFolder, { recursive: true, mode: 0o700 });
  const databases = await openCouchDatabases(place.couch);
  const noted = { heard: (_line: string): void => {} };
  const bus = openBus(place.kafkaHosts, settings, (line) => noted.heard(line));
  await ensureTopics(bus, settings).catch((error: unknown) => {
    throw new StartError(`The broker at ${place.kafkaHosts} cannot be used: ${String(error)}`, {
      cause: error,
    });
  });
  const services = await createServices({
    ...{ databases, folder: options.dataFolder, bus, settings },
    ...{ manifest, onFault: reportFault, note },
    ...(ownsData ? {} : { subjects: [] }),
  });
  noted.heard = note;
  if (ownsData) {
    await installSamples(services);
  }
  const invoker = { drain: () => Promise.resolve() };
  const close = (): Promise<void> => {
    noted.heard = () => {};
    return bus.close(busGraceMs);
  };
  return { listener, databases, services, invoker, close };
}

/** From now on requests are answered; prints how to reach it. */
export function serve(
  { listener, services }: Pick<Running, "listener" | "services">,
  { host, dataFolder }: Options,
  { kafkaHosts, couch }: ControllerPlace,
  watchUrl?: string,
): void {
  const build = readBuild();
  listener.handle(createApi(services, build));
  const url = urlOf(host, listener.port);
  const auth = services.subjects.owner(guestSubject)?.authkey.api_key;
  const kinds = Object.values(services.manifest.runtimes).flatMap((runtimes) =>
    runtimes.filter(({ deprecated }) => !deprecated).map(({ kind }) => kind),
  );
  const database = `${new URL(couch.url).origin}, ${couch.prefix}…`;
  const facts = { version: build.version, kinds, kafkaHosts, database, dataFolder, url, auth, watchUrl };
  for (const line of clusterBannerLines(facts)) {
    console.log(line);
  }
}

/** What the client library has to say is said by what becomes of the connection and of reading. */
function openBus(hosts: string, settings: ControllerSettings, note: (line: string) => void): KafkaBus {
  const { controller, payloadBytes, serdesOverheadBytes } = settings;
  const producer = { "max-request-size": payloadBytes + serdesOverheadBytes };
  const read = readKafkaSettings({ hosts, common: {}, producer, consumer: {} });
  if (read.settings === undefined) {
    throw new StartError(read.problems.join("\n"));
  }
  return openKafkaBus({
    settings: read.settings,
    clientId: `controller${controller}`,
    maxPeek,
    observer: {
      log: () => {},
      connectionChanged: ({ isConnected }) =>
        note(isConnected ? "connected to Kafka" : "not connected to Kafka"),
      readingInterrupted: (topic, error) => note(`reading ${topic} was interrupted: ${String(error)}`),
      handlerFailed: (topic, error) => reportFault(`topic ${topic}`, error),
      sentAgain: (topic, messages) => note(`${messages} messages to ${topic} may be there twice`),
    },
  });
}
