// The settings that the standalone controller works by.

import {
  defaultLimits,
  numberDefaults,
  type SharedLimits,
  settingEntries,
  type WireSettings,
} from "../invoker/index.ts";

/** What the standalone controller enforces. */
export interface ControllerSettings extends SharedLimits {
  /** The id in `completed<C>`. */
  readonly controller: string;
  /** `whisk.kafka.topics.prefix` */
  readonly topicPrefix: string;
  /** Controllers that share the invokers, this one included. */
  readonly clusterSize: number;
  readonly execBytes: number;
  readonly parameterBytes: number;
  readonly serdesOverheadBytes: number;
  readonly inlineCodeBytes: number;
  readonly sequenceLength: number;
  readonly concurrentInvocations: number;
  readonly blockingWaitMs: number;
  readonly loadBalancerTimeoutFactor: number;
  readonly loadBalancerTimeoutAddonMs: number;
  /** In OpenWhisk no setting, but a minute. */
  readonly invokerTestEveryMs: number;
  /** Shares of the invokers, 0 to 1: the first ones are for kinds of the manifest, the last ones for images of users. */
  readonly managedFraction: number;
  readonly blackboxFraction: number;
  /** The controller is ready when this share of the invokers is healthy. */
  readonly readinessFraction: number;
  /** Looks for results in the database that no ack brings. */
  readonly pollingFromDatabase: boolean;
  /** Undefined: none are sent. */
  readonly userEvents: WireSettings["userEvents"];
}

/** The defaults of openwhisk-config/settings.json. */
export function defaultSettings(): ControllerSettings {
  const number = numberDefaults();
  return {
    ...defaultLimits(),
    controller: "0",
    topicPrefix: "",
    clusterSize: 1,
    execBytes: number("whisk.exec-size-limit"),
    parameterBytes: number("whisk.parameter-size-limit"),
    serdesOverheadBytes: number("whisk.activation.serdes-overhead"),
    inlineCodeBytes: number("whisk.db.max-inline-size"),
    sequenceLength: number("limits.actions.sequence.maxLength"),
    concurrentInvocations: number("limits.actions.invokes.concurrent"),
    blockingWaitMs: number("whisk.controller.activation.max-wait-for-blocking-activation"),
    loadBalancerTimeoutFactor: number("whisk.loadbalancer.timeout-factor"),
    loadBalancerTimeoutAddonMs: number("whisk.loadbalancer.timeout-addon"),
    invokerTestEveryMs: 60_000,
    managedFraction: number("whisk.loadbalancer.managed-fraction"),
    blackboxFraction: number("whisk.loadbalancer.blackbox-fraction"),
    readinessFraction: number("whisk.controller.readiness-fraction"),
    pollingFromDatabase:
      settingEntries().get("whisk.controller.activation.polling-from-db")?.default === true,
    userEvents: undefined,
  };
}
