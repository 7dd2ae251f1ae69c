// What the server says of itself to anyone who asks: paths, build, limits and runtimes.

import { imageText } from "./manifest.ts";
import type { Services } from "./services.ts";

/** The version and date of this build, as package.json has the first and the compiled file the second. */
export interface Build {
  readonly version: string;
  readonly date: string;
}

/** The document at `/` and `/api/v1`: OpenWhisk has one for each, this is both in one. */
export function infoDocument(services: Services, build: Build): { readonly [field: string]: unknown } {
  const { settings, manifest } = services;
  const megabyte = 1 << 20;
  return {
    description: "OpenWhisk",
    api_version: "1.0.0",
    api_version_path: "v1",
    api_paths: ["/api/v1"],
    build: build.date,
    buildno: build.version,
    support: {
      github: "https://github.com/apache/openwhisk/issues",
      slack: "http://slack.openwhisk.org",
    },
    limits: {
      concurrent_actions: settings.concurrentInvocations,
      sequence_length: settings.sequenceLength,
      default_min_action_duration: settings.timeoutMs.min,
      default_max_action_duration: settings.timeoutMs.max,
      default_min_action_memory: settings.memoryMB.min * megabyte,
      default_max_action_memory: settings.memoryMB.max * megabyte,
      default_min_action_logs: settings.logsMB.min * megabyte,
      default_max_action_logs: settings.logsMB.max * megabyte,
      min_action_duration: settings.timeoutMs.min,
      max_action_duration: settings.timeoutMs.max,
      min_action_memory: settings.memoryMB.min * megabyte,
      max_action_memory: settings.memoryMB.max * megabyte,
      min_action_logs: settings.logsMB.min * megabyte,
      max_action_logs: settings.logsMB.max * megabyte,
    },
    runtimes: Object.fromEntries(
      Object.entries(manifest.runtimes).map(([family, runtimes]) => [
        family,
        runtimes.map((runtime) => ({
          kind: runtime.kind,
          image: imageText(runtime.image),
          default: runtime.default,
          deprecated: runtime.deprecated,
          requireMain: runtime.requireMain,
          attached: true,
          stemCells: [],
        })),
      ]),
    ),
  };
}
