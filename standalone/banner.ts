// What a person sees once the server is ready: what it offers, and lines to paste.

import type { Interpreter, Probe, RewindPolicy } from "../invoker/index.ts";

export interface BannerFacts {
  readonly version: string;
  readonly interpreters: readonly Interpreter[];
  readonly probe: Probe;
  readonly userMemoryMB: number;
  readonly rewind: RewindPolicy;
  readonly dataFolder: string;
  readonly url: string;
  /** `uuid:key` of the guest. */
  readonly auth: string;
  /** Of the live page, where there is one. */
  readonly watchUrl?: string | undefined;
}

/** The lines, without the last one that says ready. */
export function bannerLines(facts: BannerFacts): readonly string[] {
  const { interpreters, url, auth, watchUrl } = facts;
  const kinds = interpreters.map(({ kind, version }) => `${kind} (${version})`);
  return [
    `rewhisk ${facts.version} on Node ${process.versions.node}`,
    `  kinds      ${kinds.join(", ")}`,
    `  rewinding  ${rewindingText(facts.probe, facts.rewind)}`,
    `  memory     ${facts.userMemoryMB} MB for all containers together`,
    `  data       ${facts.dataFolder}`,
    ...commandLines(url, auth),
    ...watchLines(watchUrl),
  ];
}

function watchLines(watchUrl: string | undefined): readonly string[] {
  return watchUrl === undefined ? [] : [`  watch      ${watchUrl}`];
}

function commandLines(url: string, auth: string): readonly string[] {
  return [
    `  wsk        wsk property set --apihost ${url} --auth ${auth}`,
    `  curl       curl -s -u ${auth} -H 'Content-Type: application/json' -d '{"name":"you"}' '${url}/api/v1/namespaces/whisk.system/actions/samples/greeting?blocking=true&result=true'`,
  ];
}

export interface ClusterBannerFacts {
  readonly version: string;
  readonly kinds: readonly string[];
  readonly kafkaHosts: string;
  readonly database: string;
  readonly dataFolder: string;
  readonly url: string;
  /** `uuid:key` of the guest, undefined where the database is somebody else's. */
  readonly auth: string | undefined;
  /** Of the live page, where the invoker belongs to this controller. */
  readonly watchUrl?: string | undefined;
}

/** The same of a controller whose broker, database and invokers are processes of their own. */
export function clusterBannerLines(facts: ClusterBannerFacts): readonly string[] {
  const { version, kinds, kafkaHosts, database, dataFolder, url, auth, watchUrl } = facts;
  return [
    `rewhisk ${version}, a controller, on Node ${process.versions.node}`,
    `  kinds      ${kinds.join(", ")}`,
    `  kafka      ${kafkaHosts}`,
    `  couchdb    ${database}`,
    `  data       ${dataFolder}`,
    ...(auth === undefined
      ? [`  wsk        wsk property set --apihost ${url} --auth UUID:KEY`]
      : commandLines(url, auth)),
    ...watchLines(watchUrl),
  ];
}

const occasions = {
  always: "after every activation",
  "on-change": "when a container changes hands",
  fresh: "never, each container is used once",
} as const satisfies Record<RewindPolicy, string>;

function rewindingText(probe: Probe, policy: RewindPolicy): string {
  const { rung, rungs, obstacles } = probe;
  if (rung === undefined) {
    const reasons = obstacles.length > 0 ? obstacles : rungs.map((proof) => `${proof.rung}: ${proof.why}`);
    return `not possible on this machine, every container is used once (${reasons.join("; ")})`;
  }
  const measuredUs = rungs.find((proof) => proof.rung === rung)?.rewindUs ?? 0;
  return `${occasions[policy]}; ${rung}, a rewind took ${Math.round(measuredUs)} us in the probe just now`;
}

/** How to reach the server from this machine; an address that means all of them becomes the local one. */
export function urlOf(host: string, port: number): string {
  const isAny = host === "0.0.0.0" || host === "::";
  const name = isAny ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
