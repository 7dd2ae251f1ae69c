// The standalone server after set-up: reads the options, starts what they ask for, says so, and ends in order.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  defaultInvokerSettings,
  type Environment,
  type InvokerSettings,
  projectFolder,
  readUserEvents,
  SettingsError,
} from "../invoker/index.ts";
import { startAlone } from "./alone.ts";
import { startCluster } from "./cluster/machine.ts";
import { startController } from "./controller.ts";
import { StartError } from "./errors.ts";
import { type Options, readOptions } from "./options.ts";
import type { ControllerSettings } from "./settings.ts";
import { type Running, stop } from "./stop.ts";

const graceMs = 30_000;
/** npm passes on the signal that the terminal has sent us as well: two within this time are one wish. */
const sameWishMs = 1000;

/** Runs the server until a signal ends it. The one place that ends the process. */
export async function main(argv: readonly string[], environment: Environment): Promise<void> {
  const startedMs = performance.now();
  try {
    const usual = defaultInvokerSettings();
    const options = readOptions(argv, usual);
    if ("errors" in options) {
      throw new StartError([...options.errors, "Try npm start -- --help"].join("\n"));
    }
    if (options.help) {
      process.stdout.write(readFileSync(join(projectFolder(), "standalone", "usage.txt"), "utf8"));
      return;
    }
    const wish = wishToEnd();
    const running = await start(options, usual, environment);
    console.log(`ready after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
    await wish;
    const neverRun = await stop(running, graceMs);
    if (neverRun > 0) {
      console.error(`${neverRun} activations had not begun after ${graceMs / 1000} s and are lost`);
    }
    process.exit(0);
  } catch (error) {
    if (!(error instanceof StartError)) {
      throw error;
    }
    console.error(error.message);
    process.exit(2);
  }
}

async function start(options: Options, usual: InvokerSettings, environment: Environment): Promise<Running> {
  const { place } = options;
  switch (place.kind) {
    case "alone":
      return await startAlone(options, usual);
    case "cluster":
      return await startCluster(options, controllerSettings(environment));
    case "controller":
      return await startController(options, place, controllerSettings(environment));
  }
}

/** What the environment sets of a cluster's controller. Throws StartError. */
function controllerSettings(environment: Environment): Pick<ControllerSettings, "userEvents"> {
  try {
    return { userEvents: readUserEvents(environment) };
  } catch (error) {
    throw error instanceof SettingsError ? new StartError(error.message) : error;
  }
}

/** Resolves at the first signal that asks for the end, which may come while all is still being started. */
function wishToEnd(): Promise<void> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    const hear = (signal: NodeJS.Signals): void => {
      if (firstMs === undefined) {
        firstMs = performance.now();
        console.log(`${signal}: ending after what was accepted (again: at once)`);
        resolve();
      } else if (performance.now() - firstMs > sameWishMs) {
        process.exit(1);
      }
    };
    process.on("SIGINT", hear);
    process.on("SIGTERM", hear);
  });
}
