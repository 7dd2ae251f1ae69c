// Messages as long as they may be, with results as long, that wait when the invoker starts: each is run once, in bounded memory.

import { expect } from "chai";
import type { AckMessage } from "../../invoker/index.ts";
import { holdsWithin, within } from "../within.ts";
import { ClusterSetting, nodeKind } from "./cluster-setting.ts";

const limitMs = 600_000;
const patienceMs = 200_000;
const waiting = 200;
const argumentBytes = 1_000_000;
/** Of them 100 MiB are there without any message. Whoever kept what comes and goes would have 400 MB more of it. */
const mostBytes = 400 * 2 ** 20;
/** A controller that does not run: its acks are read by the test. */
const controller = { asString: "9", instanceType: "controller" } as const;

/** Of an ack that frees a slot: whose. */
function freedBy(text: string): string | undefined {
  const { instance, activationId, response } = JSON.parse(text) as AckMessage & {
    readonly instance?: object;
    readonly response?: string | { readonly activationId: string };
  };
  if (instance === undefined) return undefined;
  return activationId ?? (typeof response === "string" ? response : response?.activationId);
}

describe("an invoker with messages of a megabyte waiting at its start", function () {
  this.timeout(limitMs);
  let cluster: ClusterSetting;

  before(async () => {
    cluster = await ClusterSetting.start();
  });
  after(() => cluster.close());

  it("answers and stores each of them once, and has never more memory than 400 MiB", async () => {
    const { bus } = cluster.kafka.open();
    const topic = { partitions: 1, replicationFactor: 1, config: {} };
    for (const name of ["invoker0", "completed9"]) await bus.ensureTopic(name, topic);
    const code = "function main(args) { return args; }";
    await cluster.controller.put("echo", {
      exec: { kind: nodeKind, code },
      limits: { memory: 128, logs: 0 },
    });
    const content = { text: "x".repeat(argumentBytes) };
    const sent: string[] = [];
    for (let i = 0; i < waiting; i++) {
      const message = cluster.message("echo", { rootControllerIndex: controller, blocking: true, content });
      sent.push(message.activationId);
      await bus.send("invoker0", JSON.stringify(message));
    }
    const freed: string[] = [];
    bus.subscribe("completed9", (text) => {
      const id = freedBy(text);
      if (id !== undefined) freed.push(id);
    });
    const invoker = await cluster.invoker({ name: "long", id: 0, rewind: "on-change" });
    // Before the test's own end: what is missing is told by what follows.
    await holdsWithin(patienceMs, () => freed.length >= waiting || invoker.hasEnded);
    await within(patienceMs, async () => (await recordsOf("guest")).length >= waiting || undefined).catch(
      () => undefined,
    );
    expect(freed).to.have.members(sent);
    expect(await recordsOf("guest")).to.have.members(sent.map((id) => `guest/${id}`));
    const peakBytes = invoker.peakBytes();
    console.log(`      peak of the resident memory: ${Math.round(peakBytes / 2 ** 20)} MiB`);
    expect(peakBytes).to.be.below(mostBytes);
  });

  /** Their ids; those of the health tests are in another namespace. */
  async function recordsOf(namespace: string): Promise<readonly string[]> {
    const { username, password, origin } = new URL(cluster.databaseUrl);
    const credentials = Buffer.from(`${username}:${decodeURIComponent(password)}`).toString("base64");
    const range = new URLSearchParams({ startkey: `"${namespace}/"`, endkey: `"${namespace}0"` });
    const response = await fetch(`${origin}/whisk_local_activations/_all_docs?${range}`, {
      headers: { authorization: `Basic ${credentials}` },
    });
    const { rows } = (await response.json()) as { rows: readonly { readonly id: string }[] };
    return rows.map(({ id }) => id);
  }
});
