// The bare loop: a message to another process and one back, by kafkajs alone, beside which the invoker is measured.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { connectCaller } from "./caller.ts";
import type { ClusterMachine } from "./cluster-machine.ts";

export interface KafkaLoop {
  readonly echoPid: number;
  /** Resolves with the milliseconds until the answer is here. */
  exchange(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Messages of `messageBytes`, answers of `replyBytes`, on topics of its own. The other end answers all that it reads at once, or
 * reads on when the broker has its answer.
 */
export async function startKafkaLoop(
  { kafka, bootstrap }: ClusterMachine,
  messageBytes: number,
  replyBytes: number,
  manner: "at-once" | "one-by-one",
): Promise<KafkaLoop> {
  const [there, back] = [await kafka.topic(), await kafka.topic()];
  const program = join(import.meta.dirname, "kafka-echo.js");
  const echo = spawn(process.execPath, [program, bootstrap, there, back, String(replyBytes), manner], {
    ...{ stdio: ["pipe", "pipe", "inherit"], detached: true },
  });
  const { caller, close } = await connectCaller(bootstrap, back);
  await once(echo.stdout, "data");
  return {
    echoPid: echo.pid ?? 0,
    exchange() {
      const id = caller.newId();
      return caller.exchange(there, id, id.padEnd(messageBytes, "x"));
    },
    async stop() {
      echo.stdin.end();
      await close();
    },
  };
}
