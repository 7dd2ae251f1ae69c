// A standalone server for tests: a temporary data folder, a real port, and a consumer on the bus instead of an invoker.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readConfigFile } from "../../../invoker/config/entries.ts";
import type {
  AckMessage,
  ActivationMessage,
  ActivationRecord,
  Bus,
  InvokerInstance,
  StoredAction,
} from "../../../invoker/index.ts";
import { parseExact, printExact } from "../../../invoker/wire/json.ts";
import { createApi } from "../../../standalone/api.ts";
import { createBus } from "../../../standalone/bus.ts";
import { listen } from "../../../standalone/listener.ts";
import { localManifest, type ManifestTemplate } from "../../../standalone/local-manifest.ts";
import { createServices, type Services } from "../../../standalone/services.ts";
import { type ControllerSettings, defaultSettings } from "../../../standalone/settings.ts";
import { stop } from "../../../standalone/stop.ts";
import { actionStore } from "../../../standalone/store/actions.ts";
import { type CouchSettings, openCouchDatabases } from "../../../standalone/store/couchdb.ts";
import { openDatabases } from "../../../standalone/store/databases.ts";
import { recordDocument } from "../../../standalone/store/records.ts";
import { within } from "../../within.ts";

/** How long a stop waits for activations that a test leaves running. */
const stopWaitMs = 200;

/** What the consumer makes of one activation; "silence" sends no acknowledgement at all. */
export type Behaviour = (
  message: ActivationMessage,
  action: StoredAction,
) => Pick<ActivationRecord, "response"> | "silence" | Promise<Pick<ActivationRecord, "response">>;

const instance: InvokerInstance = {
  instance: 0,
  instanceType: "invoker",
  userMemory: "2147483648 B",
  tags: [],
  dedicatedNamespaces: [],
};

/** Answers with the arguments it was given. */
export const echo: Behaviour = (message) => ({
  response: { statusCode: 0, result: message.content ?? {}, size: 2 },
});

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // Tests look into bodies by path; a wrong path fails the expectation that follows.
  // biome-ignore lint/suspicious/noExplicitAny: the bodies of a whole API
  readonly body: any;
}

export interface TestServer {
  readonly bus: Bus;
  readonly services: Services;
  readonly url: string;
  readonly folder: string;
  /** Messages the consumer got, in order. */
  readonly messages: ActivationMessage[];
  readonly faults: string[];
  /** What was said of a full disk. */
  readonly diskLines: readonly string[];
  behave(behaviour: Behaviour): void;
  /** Sends as `guest` unless told otherwise; a body that is no string or Buffer is sent as JSON. */
  send(method: string, path: string, body?: unknown, options?: SendOptions): Promise<Answer>;
  /** The body of what `guest` gets from the path, as soon as it is there: records are stored a moment after the answer. */
  found(path: string): Promise<Answer["body"]>;
  /** `user:password` of a subject. */
  keyOf(subject: string): string;
  /** As Ctrl-C; gives the number of activations never run. `keep` leaves the folder for another life. */
  stop(options?: { readonly keep?: boolean; readonly graceMs?: number }): Promise<number>;
}

export interface SendOptions {
  /** `uuid:key`; null sends none. */
  readonly auth?: string | null;
  readonly headers?: { readonly [name: string]: string };
}

/** Starts a server; `folder` is that of a former life. */
export async function startTestServer(
  options: {
    readonly folder?: string;
    readonly settings?: Partial<ControllerSettings>;
    /** Time from the result to the record, as logs and rewinding take it. */
    readonly storeDelayMs?: number;
    /** Acknowledgements hold the id instead of the record, as they do when it is too large. */
    readonly idOnlyAcks?: boolean;
    /** The consumer takes a message only when it is done with the one before, as a full pool does. */
    readonly oneAtATime?: boolean;
    /** Keeps all but keys there instead of in the folder. */
    readonly couch?: CouchSettings;
    /** Another controller, whose bus and consumer this one uses too. */
    readonly peer?: TestServer;
  } = {},
): Promise<TestServer> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "rewhisk-standalone-"));
  const faults: string[] = [];
  const diskLines: string[] = [];
  const databases =
    options.couch === undefined
      ? await openDatabases(folder, (line) => diskLines.push(line))
      : await openCouchDatabases(options.couch);
  const bus = options.peer?.bus ?? createBus((topic, error) => faults.push(`${topic}: ${String(error)}`));
  const template = readConfigFile("runtimes.template.json") as ManifestTemplate;
  const services = await createServices({
    databases,
    folder,
    bus,
    manifest: localManifest(template, ["nodejs:20", "nodejs:22", "python:3", "python:3.11"]),
    settings: { ...defaultSettings(), ...options.settings },
    onFault: (what, error) => faults.push(`${what}: ${String(error)}`),
  });
  services.balancer.assumeHealthy(instance);
  let behaviour = echo;
  const messages: ActivationMessage[] = [];
  const running = new Set<Promise<void>>();
  /** Those of them that have their result: they end by themselves, with a record. */
  const ending = new Set<Promise<void>>();
  const actions = actionStore(services.entities);
  const consume = async (text: string): Promise<void> => {
    const message = parseExact(text) as unknown as ActivationMessage;
    messages.push(message);
    const action = await actions.fetch(`${message.action.path}/${message.action.name}`, message.revision);
    const made = behaviour(message, action);
    if (made === "silence") {
      return;
    }
    const run: Promise<void> = Promise.resolve(made).then(async ({ response }) => {
      ending.add(run);
      const record = recordOf(message, action, response);
      const ack = (rest: Partial<AckMessage>): Promise<void> =>
        bus.send(
          `completed${message.rootControllerIndex.asString}`,
          printExact({ transid: message.transid, ...rest }),
        );
      if (message.blocking) {
        await ack({ response: options.idOnlyAcks === true ? message.activationId : record });
      }
      await new Promise((resolve) => setTimeout(resolve, options.storeDelayMs ?? 0));
      await ack({
        activationId: message.activationId,
        isSystemError: false,
        instance,
      });
      const logs = ["2026-01-01T00:00:00.000000000Z stdout: hi"];
      await services.records.store(recordDocument({ ...record, logs }, Date.now()));
    });
    running.add(run);
    void run.finally(() => {
      running.delete(run);
      ending.delete(run);
    });
    if (options.oneAtATime === true) {
      await run;
    }
  };
  const consumer = options.peer === undefined ? bus.subscribe("invoker0", consume) : undefined;
  const listener = await listen(0, "127.0.0.1");
  listener.handle(createApi(services, { version: "0.0.0", date: "2026-01-01" }));
  const url = `http://127.0.0.1:${listener.port}`;
  const invoker = {
    async drain() {
      const stopped = Promise.all([consumer?.stop(), ...running]);
      await Promise.race([stopped, sleep(stopWaitMs)]);
      await Promise.all(ending);
    },
  };
  const keyOf = (subject: string): string => services.subjects.owner(subject)?.authkey.api_key ?? "";
  const sendAsGuest: TestServer["send"] = (method, path, body, sending = {}) =>
    send(`${url}${path}`, method, body, { auth: keyOf("guest"), ...sending });
  return {
    bus,
    services,
    url,
    folder,
    messages,
    faults,
    diskLines,
    keyOf,
    behave: (next) => {
      behaviour = next;
    },
    send: sendAsGuest,
    found: (path) =>
      within(60_000, async () => {
        const { status, body } = await sendAsGuest("GET", path);
        return status === 200 ? body : undefined;
      }),
    async stop(how) {
      const neverRun = await stop({ listener, services, invoker, databases }, how?.graceMs ?? stopWaitMs);
      if (how?.keep !== true) {
        rmSync(folder, { recursive: true, force: true });
      }
      return neverRun;
    },
  };
}

function recordOf(
  message: ActivationMessage,
  action: StoredAction,
  response: ActivationRecord["response"],
): ActivationRecord {
  const start = Date.now();
  const { document } = action;
  return {
    namespace: message.user.namespace.name,
    name: document.name,
    subject: message.user.subject,
    activationId: message.activationId,
    ...(message.cause === undefined ? {} : { cause: message.cause }),
    start,
    end: start + 5,
    duration: 5,
    response,
    logs: [],
    version: document.version,
    publish: false,
    annotations: [
      { key: "path", value: `${document.namespace}/${document.name}` },
      { key: "kind", value: document.exec.kind },
      { key: "limits", value: { ...document.limits } },
      ...(message.cause === undefined ? [] : [{ key: "causedBy", value: "sequence" }]),
      ...(message.action.binding === undefined ? [] : [{ key: "binding", value: message.action.binding }]),
    ],
  };
}

async function send(url: string, method: string, body: unknown, options: SendOptions): Promise<Answer> {
  const { auth } = options;
  const isRaw = body === undefined || typeof body === "string" || Buffer.isBuffer(body);
  const response = await fetch(url, {
    method,
    headers: {
      ...(auth === null || auth === undefined
        ? {}
        : { authorization: `Basic ${Buffer.from(auth).toString("base64")}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...options.headers,
    },
    ...(body === undefined ? {} : { body: isRaw ? (body as string) : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text || "null") : undefined,
  };
}
