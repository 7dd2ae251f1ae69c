// A process that reads a topic and notes each message in a file before it does anything else: for tests that kill it.
//
//   node kafka-reading-process.js HOST:PORT TOPIC FILE [MEMBER_FOLDER [short]]

import { appendFileSync } from "node:fs";
import { openKafkaBus, readKafkaSettings } from "../../invoker/bus/kafka.ts";

const [hosts = "", topic = "", file = "", memberFolder, session = "long"] = process.argv.slice(2);
const shortSession = { "session-timeout-ms": 6000, "heartbeat-interval-ms": 1000 };
const consumer = memberFolder === undefined || session === "short" ? shortSession : {};
const { settings, problems } = readKafkaSettings({ hosts, common: {}, producer: {}, consumer });
if (settings === undefined) throw new Error(problems.join("\n"));
const quiet = (): void => {};
const observer = {
  log: quiet,
  connectionChanged: quiet,
  readingInterrupted: quiet,
  handlerFailed: quiet,
  sentAgain: quiet,
};
const folder = memberFolder === undefined ? {} : { memberFolder };
const bus = openKafkaBus({ settings, clientId: "test", maxPeek: 4, observer, ...folder });
bus.subscribe(topic, (message) => appendFileSync(file, `${message}\n`));
