// Starts a Java server of the cluster, says when it answers, and ends it; it never outlives this process.

import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { type AddressInfo, createServer, type ListenOptions, type Server } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { projectFolder } from "../../invoker/index.ts";

export interface JavaServer {
  readonly pid: number;
  /** Sends the signal; resolves when the process has ended, or at once where the signal does not end it. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Ends it in order, by force after some seconds. Idempotent. */
  stop(): Promise<void>;
}

/** A server did not come up; the message holds the last errors of its log, or where there are none its end. */
export class ClusterStartError extends Error {
  constructor(what: string, logFile: string, options?: ErrorOptions) {
    const lines = readFileSync(logFile, "utf8").trimEnd().split("\n");
    const errors = lines.filter((line) => /\bERROR\b|Exception/.test(line));
    const shown = (errors.length > 0 ? errors : lines).slice(-shownLines).join("\n");
    super(`${what} did not start; from ${logFile}:\n${shown}`, options);
    this.name = "ClusterStartError";
  }
}

const shownLines = 20;
const startPatienceMs = 120_000;
const stopPatienceMs = 20_000;
const lookEveryMs = 50;

const kafkaFolder = join(projectFolder(), "build", "kafka");
const jars = join(kafkaFolder, "lib", "*");

/** Sizes for a server that serves one machine. */
const options = ["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

/** Set to 1: what is started of Kafka's jars writes an archive of its classes at its end (archive-classes.ts). */
export const archivingVariable = "REWHISK_ARCHIVE_CLASSES";

/** An archive of the classes that a program of Kafka's jars loads; where it is there, a start takes half of the work. */
export function archiveOf(mainClass: string): string {
  return join(kafkaFolder, `${mainClass}.jsa`);
}

function sharing(mainClass: string, classPath: string): readonly string[] {
  if (classPath !== jars) return [];
  const archive = archiveOf(mainClass);
  if (process.env[archivingVariable] === "1") return [`-XX:ArchiveClassesAtExit=${archive}.part`];
  return existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : [];
}

/** Runs a Java program to its end. Throws ClusterStartError. */
export async function runJava(mainClass: string, args: readonly string[], logFile: string): Promise<void> {
  const child = spawnJava(mainClass, args, logFile, jars);
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new ClusterStartError(mainClass, logFile);
}

/** Resolves when `isReady` does so with true; what it throws counts as not yet. By default it is of Kafka's jars. Throws ClusterStartError. */
export async function startJava(
  mainClass: string,
  args: readonly string[],
  logFile: string,
  isReady: () => Promise<boolean>,
  classPath: string = jars,
): Promise<JavaServer> {
  const child = spawnJava(mainClass, args, logFile, classPath);
  const ended = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
  const hasEnded = (): boolean =>
    child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  const endBy = async (signal: NodeJS.Signals, patienceMs: number): Promise<void> => {
    child.kill(signal);
    const patience = new AbortController();
    await Promise.race([ended, sleep(patienceMs, undefined, { signal: patience.signal }).catch(() => {})]);
    patience.abort();
  };
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    if (!hasEnded()) await endBy("SIGTERM", stopPatienceMs);
    if (!hasEnded()) await endBy("SIGKILL", stopPatienceMs);
  };
  for (const startMs = performance.now(); !(await isReady().catch(() => false)); await sleep(lookEveryMs)) {
    if (!hasEnded() && performance.now() - startMs < startPatienceMs) continue;
    await stop();
    throw new ClusterStartError(mainClass, logFile);
  }
  return {
    pid: child.pid ?? 0,
    async kill(signal) {
      if (hasEnded()) return;
      child.kill(signal);
      if (signal === "SIGKILL" || signal === "SIGTERM") await ended;
    },
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** With `--pdeathsig` the kernel ends it when this process ends in whatever way. */
function spawnJava(
  mainClass: string,
  args: readonly string[],
  logFile: string,
  classPath: string,
): ChildProcess {
  const log = openSync(logFile, "a");
  try {
    // What it unpacks there stays when it is killed.
    const own = [...options, `-Djava.io.tmpdir=${dirname(logFile)}`];
    const java = ["java", ...own, ...sharing(mainClass, classPath), "-cp", classPath, mainClass, ...args];
    // In a session of its own: Ctrl-C is for its parent alone, which ends it when nobody needs it any more.
    return spawn("setpriv", ["--pdeathsig", "KILL", ...java], {
      ...{ stdio: ["ignore", log, log], detached: true },
    });
  } finally {
    closeSync(log);
  }
}

/** Below it are ports of the system and of well-known servers. */
const lowestPort = 10_000;
/** The kernel's own choice for whoever asks for any port (ip(7)). */
const chosenByKernel = "/proc/sys/net/ipv4/ip_local_port_range";

/**
 * A TCP port of 127.0.0.1 that was free a moment ago. It is none that the kernel gives to others until a server that starts
 * slowly has it, as long as the kernel leaves some over; and nobody else gets it here as long as this process lives.
 */
export async function freePort(): Promise<number> {
  const [firstChosen = 0] = readFileSync(chosenByKernel, "utf8").split("\t").map(Number);
  for (;;) {
    const wanted = firstChosen > lowestPort ? randomInt(lowestPort, firstChosen) : 0;
    if (wanted !== 0 && !(await claims(wanted))) continue;
    const server = await listenTo({ port: wanted, host: "127.0.0.1" });
    if (server === undefined) continue;
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    return port;
  }
}

/** By a socket whose name is no file's (unix(7)): it is gone with this process, and keeps nobody from ending. */
async function claims(port: number): Promise<boolean> {
  const claim = await listenTo({ path: `\0rewhisk-port-${port}` });
  claim?.unref();
  return claim !== undefined;
}

/** Undefined: somebody else does. */
async function listenTo(where: ListenOptions): Promise<Server | undefined> {
  const server = createServer().listen(where);
  return await once(server, "listening").then(
    () => server,
    () => undefined,
  );
}
