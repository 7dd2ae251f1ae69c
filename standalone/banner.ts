// What a person sees once the server is ready: what it offers, and lines to paste.

import type { Interpreter, Probe } from "../invoker/index.ts";

export interface BannerFacts {
  readonly version: string;
  readonly interpreters: readonly Interpreter[];
  readonly probe: Probe;
  readonly userMemoryMB: number;
  readonly dataFolder: string;
  readonly url: string;
  /** `uuid:key` of the guest. */
  readonly auth: string;
}

/** The lines, without the last one that says ready. */
export function bannerLines(facts: BannerFacts): readonly string[] {
  const { interpreters, url, auth } = facts;
  const kinds = interpreters.map(({ kind, version }) => `${kind} (${version})`);
  return [
    `rewhisk ${facts.version} on Node ${process.versions.node}`,
    `  kinds      ${kinds.join(", ")}`,
    `  rewinding  ${rewindingText(facts.probe)}`,
    `  memory     ${facts.userMemoryMB} MB for all containers together`,
    `  data       ${facts.dataFolder}`,
    `  wsk        wsk property set --apihost ${url} --auth ${auth}`,
    `  curl       curl -s -u ${auth} -H 'Content-Type: application/json' -d '{"name":"you"}' '${url}/api/v1/namespaces/whisk.system/actions/samples/greeting?blocking=true&result=true'`,
  ];
}

function rewindingText(probe: Probe): string {
  const { rung, rungs } = probe;
  if (rung === undefined) {
    const reasons = rungs.map((proof) => `${proof.rung}: ${proof.why}`).join("; ");
    return `not possible on this machine, every container is used once (${reasons})`;
  }
  const measuredUs = rungs.find((proof) => proof.rung === rung)?.rewindUs ?? 0;
  return `${rung}, a rewind took ${Math.round(measuredUs)} us in the probe just now`;
}

/** How to reach the server from this machine; an address that means all of them becomes the local one. */
export function urlOf(host: string, port: number): string {
  const isAny = host === "0.0.0.0" || host === "::";
  const name = isAny ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
