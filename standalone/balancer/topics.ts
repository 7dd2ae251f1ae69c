// The topics that a controller makes sure of before it reads or writes them.

import type { KafkaBus, TopicSettings } from "../../invoker/index.ts";
import type { ControllerSettings } from "../settings.ts";

const mebibyte = 1 << 20;

/** OpenWhisk's own sizes and times; the broker's limit of one message unless another is given. */
function settingsOf(retentionMs: number, maxMessageBytes?: number): TopicSettings {
  return {
    partitions: 1,
    replicationFactor: 1,
    config: {
      "segment.bytes": String(512 * mebibyte),
      "retention.bytes": String(1024 * mebibyte),
      "retention.ms": String(retentionMs),
      ...(maxMessageBytes === undefined ? {} : { "max.message.bytes": String(maxMessageBytes) }),
    },
  };
}

const hourMs = 3_600_000;
const fiveMinutesMs = 300_000;

/** Creates those that are missing. */
export async function ensureTopics(
  bus: Pick<KafkaBus, "ensureTopic">,
  { topicPrefix, controller, payloadBytes, serdesOverheadBytes, userEvents }: ControllerSettings,
): Promise<void> {
  await bus.ensureTopic(
    `${topicPrefix}completed${controller}`,
    settingsOf(hourMs, payloadBytes + serdesOverheadBytes),
  );
  await bus.ensureTopic(`${topicPrefix}health`, settingsOf(hourMs));
  await bus.ensureTopic(`${topicPrefix}cacheInvalidation`, settingsOf(fiveMinutesMs));
  await bus.ensureTopic(`${userEvents?.topicPrefix ?? topicPrefix}events`, settingsOf(hourMs));
}
