// Two controllers and two invokers: who gets what, what becomes of it when an invoker is killed, and how another takes its place.

import { join } from "node:path";
import { expect } from "chai";
import type { AckMessage } from "../../invoker/index.ts";
import { startZooKeeper, type ZooKeeper } from "../../standalone/cluster/zookeeper.ts";
import { within } from "../within.ts";
import { ClusterSetting, pythonKind } from "./cluster-setting.ts";
import type { InvokerProcess } from "./invoker-process.ts";

const limitMs = 180_000;
const names = Array.from({ length: 8 }, (_, i) => `spread${i}`);
const code = "def main(args):\n  return {'n': args['n'] + 1}\n";

describe("two controllers and two invokers", function () {
  this.timeout(limitMs);
  let cluster: ClusterSetting;
  let zookeeper: ZooKeeper;
  const invokers = new Map<string, InvokerProcess>();

  before(async () => {
    cluster = await ClusterSetting.start({ controllers: 2 });
    zookeeper = await startZooKeeper({ folder: join(cluster.folder, "zookeeper") });
    for (const name of ["first", "second"]) {
      await startNamed(name);
      await cluster.areSeenAs([...invokers.keys()].map(() => "up"));
    }
    for (const name of names) await cluster.controller.put(name, { exec: { kind: pythonKind, code } });
  });
  after(async () => {
    await cluster.close();
    await zookeeper.stop();
  });

  async function startNamed(name: string, id?: number): Promise<InvokerProcess> {
    const variables = { ZOOKEEPER_HOSTS: id === undefined ? zookeeper.bootstrap : "" };
    const started = await cluster.invoker({ name, variables, ...(id !== undefined && { id }) });
    invokers.set(name, started);
    return started;
  }

  /** Invokes every action through a controller. Gives the activations' ids. */
  async function invokeAll(controller: number): Promise<readonly string[]> {
    const answers = await Promise.all(
      names.map((name, n) => cluster.controllers[controller]?.invoke(name, { n })),
    );
    return answers.map((answer, n) => {
      expect([answer?.status, answer?.body.response.result]).to.deep.equal([200, { n: n + 1 }]);
      return answer?.body.activationId as string;
    });
  }

  /** Which invokers freed the slots of these activations, by the acks to the controller. */
  async function ranBy(controller: number, ids: readonly string[]): Promise<readonly number[]> {
    return await within(limitMs, async () => {
      const acks = (await cluster.kafka.messages(`completed${controller}`)).map(
        (text) => JSON.parse(text) as AckMessage,
      );
      const freeing = acks.filter(({ activationId = "" }) => ids.includes(activationId));
      return freeing.length >= ids.length
        ? freeing.map(({ instance }) => instance?.instance ?? -1)
        : undefined;
    });
  }

  it("share the load, and each controller is told of its own activations alone", async () => {
    for (const [controller, other] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const ids = await invokeAll(controller);
      expect(new Set(await ranBy(controller, ids))).to.deep.equal(new Set([0, 1]));
      const others = (await cluster.kafka.messages(`completed${other}`)).join();
      expect(ids.filter((id) => others.includes(id))).to.deep.equal([]);
    }
  });

  it("go on as they are when one of them is started a second time, which is refused", async () => {
    const variables = { ZOOKEEPER_HOSTS: zookeeper.bootstrap };
    const again = await cluster.invoker({ name: "second", variables });
    expect(await again.ended).to.deep.equal([2, null]);
    expect(again.lastLines()).to.match(/This machine runs invoker 1 .*already/);
    const ids = await invokeAll(0);
    expect(new Set(await ranBy(0, ids))).to.deep.equal(new Set([0, 1]));
    expect(invokers.get("second")?.log.map(({ event }) => event)).not.to.include("container-tainted");
  });

  it("go on with one when the other is killed", async () => {
    await invokers.get("second")?.end("SIGKILL");
    await cluster.areSeenAs(["up", "down"]);
    for (const controller of [0, 1]) {
      const ids = await invokeAll(controller);
      expect(new Set(await ranBy(controller, ids))).to.deep.equal(new Set([0]));
    }
  });

  it("give who comes back under its name its id again, and what waited for it", async () => {
    await invokers.get("second")?.end("SIGKILL");
    const [name = ""] = names;
    const message = cluster.message(name, { content: { n: 41 } });
    await cluster.kafka.open().bus.send("invoker1", JSON.stringify(message));
    await startNamed("second");
    await cluster.areSeenAs(["up", "up"]);
    expect(await ranBy(0, [message.activationId])).to.deep.equal([1]);
    const { response } = await cluster.controller.record(message.activationId);
    expect(response.result).to.deep.equal({ n: 42 });
    const ids = await invokeAll(0);
    expect(new Set(await ranBy(0, ids))).to.deep.equal(new Set([0, 1]));
  });

  it("take one with a fixed id in the place of one that was drained", async () => {
    expect(await invokers.get("second")?.end()).to.deep.equal([0, null]);
    await startNamed("third", 1);
    await cluster.areSeenAs(["up", "up"]);
    const seen = Object.keys(await cluster.controller.invokers());
    expect(seen.map((one) => one.replace(/\/.*-/, "/"))).to.deep.equal(["invoker0/first", "invoker1/third"]);
    const ids = await invokeAll(1);
    expect(new Set(await ranBy(1, ids))).to.deep.equal(new Set([0, 1]));
  });
});
