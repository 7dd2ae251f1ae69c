// The one door to kafkajs: its clients over sockets of ours, with three faults of its version 2.2.4 mended.

import { createRequire } from "node:module";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ISocketFactoryArgs, Kafka, LogEntry } from "kafkajs";
import { addCodecs } from "./kafka-compression.ts";
import type { KafkaSettings } from "./kafka-settings.ts";

const requireHere = createRequire(import.meta.url);

let isMended = false;

/** kafkajs itself, which costs 12 MB and a quarter of a second: loaded when it is first used. */
export function kafkajs(): typeof import("kafkajs") {
  const loaded = requireHere("kafkajs") as typeof import("kafkajs");
  if (!isMended) {
    mend(createRequire(requireHere.resolve("kafkajs")));
    addCodecs(loaded);
  }
  isMended = true;
  return loaded;
}

/** What kafkajs has to say; it writes nothing anywhere by itself. */
export interface KafkaLogLine {
  readonly level: "error" | "warn";
  readonly message: string;
  readonly fields: { readonly [name: string]: unknown };
}

export interface ClientParts {
  readonly settings: KafkaSettings;
  readonly clientId: string;
  readonly log: (line: KafkaLogLine) => void;
  /** Hears of each connection that opens (1) and closes (-1). */
  readonly onConnection: (change: 1 | -1) => void;
}

/** One client of kafkajs with the sockets it uses. */
export interface KafkaClient {
  readonly kafka: Kafka;
  /** Ends all its connections at once and opens no more: what waits for an answer is told so. Idempotent. */
  close(): void;
  readonly isClosed: boolean;
}

/** Its own back-off is not used: whoever uses a client throws it away when it fails, and opens another. */
const noRetries = { retries: 0, initialRetryTime: 100, maxRetryTime: 1_000 };

const keepAliveMs = 60_000;

/** Opens nothing yet: kafkajs connects when it is used. */
export function openClient({ settings, clientId, log, onConnection }: ClientParts): KafkaClient {
  const { Kafka: Client, logLevel } = kafkajs();
  const sockets = new Set<Socket>();
  let closed = false;
  const socketFactory = ({ host, port, ssl, onConnect }: ISocketFactoryArgs): Socket => {
    if (closed) throw new Error("this client is closed");
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = ssl ? connectTls({ host, port, ...name, ...ssl }) : connect({ host, port });
    socket.setKeepAlive(true, keepAliveMs).setNoDelay(true);
    sockets.add(socket);
    socket.once(ssl ? "secureConnect" : "connect", () => {
      onConnection(1);
      socket.once("close", () => onConnection(-1));
      onConnect();
    });
    socket.once("close", () => sockets.delete(socket));
    return socket;
  };
  const kafka = new Client({
    clientId,
    brokers: [...settings.brokers],
    ...(settings.tls === undefined ? {} : { ssl: settings.tls }),
    ...(settings.sasl === undefined ? {} : { sasl: settings.sasl }),
    connectionTimeout: settings.connectMs,
    authenticationTimeout: settings.connectMs,
    requestTimeout: settings.requestMs,
    retry: noRetries,
    socketFactory,
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => {
      // What follows a close is of our own making.
      if (!closed) log(logLine(entry, entry.level === logLevel.ERROR ? "error" : "warn"));
    },
  });
  return {
    kafka,
    close() {
      closed = true;
      for (const socket of sockets) socket.destroy(new Error("this client is closed"));
    },
    get isClosed() {
      return closed;
    },
  };
}

function logLine({ namespace, log }: LogEntry, level: KafkaLogLine["level"]): KafkaLogLine {
  const { message, timestamp: _, ...fields } = log;
  return { level, message, fields: { namespace, ...fields } };
}

// The mending. All are methods of classes that kafkajs does not export; the version is pinned, and a test holds each to its effect.

function mend(requireInside: NodeJS.Require): void {
  mendEncoder(requireInside("./src/protocol/encoder").prototype);
  mendRequestQueue(requireInside("./src/network/requestQueue").prototype);
  mendConsumerGroup(requireInside("./src/consumer/consumerGroup").prototype);
}

interface Encoder {
  buf: Buffer;
  readonly offset: number;
  ensureAvailable(length: number): void;
}

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

interface ConsumerGroup {
  readonly cluster: object;
  memberId: string | null;
  connect(): Promise<void>;
}

interface Member {
  readonly memberId: string | undefined;
}

const members = new WeakMap<object, Member>();

/** The consumer on this `cluster` (kafkajs hands it to a partition assigner) joins its group as the same member as before. */
export function continueMembership(cluster: object, member: Member): void {
  members.set(cluster, member);
}

/** What an encoder still gets room for besides, so that what follows a long value is not another copy of it. */
const spareBytes = 1024;

/**
 * A request is copied from encoder to encoder nine times, into zeroed buffers that are powers of two: a message of a megabyte costs 18.
 * Here it costs half, and no zeros.
 */
function mendEncoder(prototype: Encoder): void {
  prototype.ensureAvailable = function (this: Encoder, length: number): void {
    const wantedBytes = this.offset + length;
    if (wantedBytes <= this.buf.length) return;
    const grown = Buffer.allocUnsafe(Math.max(wantedBytes + spareBytes, Math.ceil(this.buf.length * 1.5)));
    this.buf.copy(grown, 0, 0, this.offset);
    this.buf = grown;
  };
}

/** kafkajs looks every millisecond, as long as it is connected, whether a request waits, and sets negative time-outs (its issues 1556, 1751). */
function mendRequestQueue(prototype: RequestQueue): void {
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}

/** kafkajs forgets its member id with every consumer; the broker then waits for the one it believes to be there still. */
function mendConsumerGroup(prototype: ConsumerGroup): void {
  const connectGroup = prototype.connect;
  prototype.connect = async function (this: ConsumerGroup): Promise<void> {
    await connectGroup.call(this);
    this.memberId ??= members.get(this.cluster)?.memberId ?? null;
  };
}
