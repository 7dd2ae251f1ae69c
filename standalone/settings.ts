// The settings that the standalone controller works by.

import { defaultLimits, numberDefaults, type SharedLimits } from "../invoker/index.ts";

/** What the standalone controller enforces. */
export interface ControllerSettings extends SharedLimits {
  readonly execBytes: number;
  readonly parameterBytes: number;
  readonly serdesOverheadBytes: number;
  readonly inlineCodeBytes: number;
  readonly sequenceLength: number;
  readonly concurrentInvocations: number;
  readonly blockingWaitMs: number;
  readonly loadBalancerTimeoutFactor: number;
  readonly loadBalancerTimeoutAddonMs: number;
}

/** The defaults of openwhisk-config/settings.json. */
export function defaultSettings(): ControllerSettings {
  const number = numberDefaults();
  return {
    ...defaultLimits(),
    execBytes: number("whisk.exec-size-limit"),
    parameterBytes: number("whisk.parameter-size-limit"),
    serdesOverheadBytes: number("whisk.activation.serdes-overhead"),
    inlineCodeBytes: number("whisk.db.max-inline-size"),
    sequenceLength: number("limits.actions.sequence.maxLength"),
    concurrentInvocations: number("limits.actions.invokes.concurrent"),
    blockingWaitMs: number("whisk.controller.activation.max-wait-for-blocking-activation"),
    loadBalancerTimeoutFactor: number("whisk.loadbalancer.timeout-factor"),
    loadBalancerTimeoutAddonMs: number("whisk.loadbalancer.timeout-addon"),
  };
}
