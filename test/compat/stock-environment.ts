// The environments and arguments that OpenWhisk's playbook renders for its invoker, and which of them ours has to say something of.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../../invoker/config/entries.ts";

export const versions = ["2.0.0", "1.0.0"] as const;
export type Version = (typeof versions)[number];

interface RenderedFile extends Readonly<Record<Version, { readonly [name: string]: string }>> {
  readonly arguments: readonly string[];
}

/** What the invoker of a version is given. */
export function rendered(version: string): {
  readonly environment: { readonly [name: string]: string };
  readonly args: readonly string[];
} {
  const path = join(projectFolder(), "test", "compat", "stock-environment.json");
  const file = JSON.parse(readFileSync(path, "utf8")) as RenderedFile;
  const known = versions.find((one) => one === version);
  if (known === undefined) throw new Error(`no such version: ${version}`);
  return { environment: file[known], args: file.arguments };
}

const always = [
  "CONFIG_kamon_statsd_port",
  "CONFIG_whisk_docker_containerFactory_useRunc",
  "DB_WHISK_ACTIONS",
  "DB_WHISK_ACTIVATIONS",
  "DB_WHISK_AUTHS",
  "INVOKER_OPTS",
  "JAVA_OPTS",
  "JMX_REMOTE",
  "METRICS_LOG",
  "WHISK_LOGS_DIR",
];

/** The variables that are set and have no effect on an invoker of ours. */
export const withoutEffect: Readonly<Record<Version, readonly string[]>> = {
  "2.0.0": [
    ...always,
    "CONFIG_whisk_cluster_name",
    "CONFIG_whisk_containerPool_batchDeletionSize",
    "CONFIG_whisk_containerPool_memorySyncInterval",
    "CONFIG_whisk_containerPool_pekkoClient",
    "CONFIG_whisk_containerPool_prewarmMaxRetryLimit",
    "CONFIG_whisk_containerPool_prewarmPromotion",
    "CONFIG_whisk_containerProxy_timeouts_keepingDuration",
  ],
  "1.0.0": [...always, "CONFIG_whisk_containerPool_akkaClient"],
};
