// A real Zipkin with its memory as storage, for tests.

import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../../invoker/config/entries.ts";
import type { Span } from "../../invoker/tracing.ts";
import { freePort, type JavaServer, startJava } from "../../standalone/cluster/java.ts";
import { within } from "../within.ts";

const mainClass = "org.springframework.boot.loader.launch.JarLauncher";
const patienceMs = 60_000;

export interface Zipkin extends JavaServer {
  readonly port: number;
  /** As in `whisk.tracing.zipkin.url`. */
  readonly url: string;
  /** The trace, as soon as Zipkin has `count` spans of it, in the order of their ends. Throws when that takes too long. */
  trace(id: string, count: number): Promise<readonly Span[]>;
  /** Its spans as soon as it has any, 10 traces at most. */
  traces(): Promise<readonly (readonly Span[])[]>;
}

/** Resolves when it answers. Throws ClusterStartError. */
export async function startZipkin(folder: string, onPort?: number): Promise<Zipkin> {
  mkdirSync(folder, { recursive: true });
  const jars = join(projectFolder(), "build", "zipkin");
  const [jar = ""] = readdirSync(jars);
  const port = onPort ?? (await freePort());
  const url = `http://127.0.0.1:${port}`;
  const log = join(folder, "zipkin.log");
  const logBytes = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  const hasStarted = (): boolean => readFileSync(log).subarray(logBytes).includes("Serving HTTP");
  const args = [`--server.port=${port}`, "--server.address=127.0.0.1"];
  const isReady = async (): Promise<boolean> => hasStarted() && (await fetch(`${url}/health`)).ok;
  const server = await startJava(mainClass, args, log, isReady, join(jars, jar));
  const ask = async (path: string): Promise<unknown> => {
    const response = await fetch(`${url}/api/v2/${path}`);
    return response.ok ? await response.json() : undefined;
  };
  return {
    ...{ ...server, port, url },
    trace: (id, count) =>
      within(patienceMs, async () => {
        const spans = ((await ask(`trace/${id}`)) ?? []) as Span[];
        return spans.length >= count ? spans.sort((a, b) => endOf(a) - endOf(b)) : undefined;
      }),
    traces: () =>
      within(patienceMs, async () => {
        const traces = ((await ask("traces")) ?? []) as Span[][];
        return traces.length > 0 ? traces : undefined;
      }),
  };
}

const endOf = ({ timestamp, duration }: Span): number => timestamp + duration;
