// Spans of a cluster's invoker in a real Zipkin: below those of a controller, while Zipkin is there, and while it is not.

import { join } from "node:path";
import { expect } from "chai";
import type { ActivationMessage, KafkaBus } from "../../invoker/index.ts";
import type { Span } from "../../invoker/tracing.ts";
import { freePort } from "../../standalone/cluster/java.ts";
import { within } from "../within.ts";
import { ClusterSetting, nodeKind } from "./cluster-setting.ts";
import type { InvokerProcess } from "./invoker-process.ts";
import { startZipkin, type Zipkin } from "./zipkin-server.ts";

const limitMs = 120_000;
const code = "function main({ n }) { return { n: n + 1 }; }";
const parts = ["getdocument", "containerstart", "activationinit", "activationrun", "collectlogs", "release"];

describe("an invoker that sends spans to Zipkin", function () {
  this.timeout(limitMs);
  let cluster: ClusterSetting;
  let zipkin: Zipkin;
  let invoker: InvokerProcess;
  let bus: KafkaBus;
  let port: number;

  const zipkinFolder = (): string => join(cluster.folder, "zipkin");

  before(async () => {
    cluster = await ClusterSetting.start();
    zipkin = await startZipkin(zipkinFolder());
    port = await freePort();
    invoker = await cluster.invoker({
      ...{ name: "traced", id: 0 },
      variables: {
        PORT: String(port),
        CONFIG_whisk_tracing_zipkin_url: zipkin.url,
        CONFIG_whisk_tracing_zipkin_sampleRate: "0",
        CONFIG_whisk_metrics_prometheusEnabled: "true",
        CONFIG_whisk_metrics_kamonEnabled: "true",
      },
    });
    await cluster.areSeenAs(["up"]);
    await cluster.controller.put("counted", { exec: { kind: nodeKind, code } });
    bus = cluster.kafka.open().bus;
  });
  after(async () => {
    await zipkin.stop();
    await cluster.close();
  });

  /** As a controller with tracing sends it: below a span of its own. Resolves when it has its record. */
  async function activate(traceContext: { readonly [name: string]: string }): Promise<ActivationMessage> {
    const message = cluster.message("counted", { traceContext, content: { n: 1 } });
    await bus.send("invoker0", JSON.stringify(message));
    const { response } = await cluster.controller.record(message.activationId);
    expect(response.result).to.deep.equal({ n: 2 });
    return message;
  }

  const context = (traceId: string, isSampled = "1"): { readonly [name: string]: string } => ({
    ...{ "X-B3-TraceId": traceId, "X-B3-SpanId": "a2fb4a1d1a96d312", "X-B3-Sampled": isSampled },
  });

  const metrics = async (): Promise<string> => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const names = (spans: readonly Span[]): readonly string[] => spans.map(({ name }) => name);

  it("adds each activation to its controller's trace", async () => {
    const { transid, activationId } = await activate(context("463ac35c9f6413ad"));
    const spans = await zipkin.trace("463ac35c9f6413ad", parts.length + 1);
    expect(names(spans)).to.have.members([...parts, "activation"]);
    const activation = spans.find(({ name }) => name === "activation");
    expect(activation).to.deep.include({
      ...{ traceId: "463ac35c9f6413ad", parentId: "a2fb4a1d1a96d312" },
      localEndpoint: { serviceName: "invoker" },
      tags: { transactionId: transid[0], activationId, invoker: "invoker0" },
    });
    const children = spans.filter(({ parentId }) => parentId === activation?.id);
    expect(names(children)).to.have.members(parts);
  });

  it("adds nothing where the controller does not keep the trace", async () => {
    await activate(context("00000000000000aa", "0"));
    await activate(context("00000000000000bb"));
    await zipkin.trace("00000000000000bb", parts.length + 1);
    const traces = await zipkin.traces();
    expect(traces.map(([span]) => span?.traceId)).to.have.members(["463ac35c9f6413ad", "00000000000000bb"]);
  });

  it("goes on without Zipkin, says so once, counts what is lost, and sends again when it is back", async () => {
    await zipkin.kill("SIGKILL");
    await activate(context("00000000000000cc"));
    const told = (event: string): number => invoker.log.filter((line) => line.event === event).length;
    const lost = new RegExp(`^rewhisk_spans_total\\{result="dropped"\\} ${parts.length + 1}$`, "m");
    await within(limitMs, async () => lost.test(await metrics()) || undefined);
    zipkin = await startZipkin(zipkinFolder(), zipkin.port);
    await activate(context("00000000000000dd"));
    expect((await zipkin.trace("00000000000000dd", parts.length + 1)).length).to.equal(parts.length + 1);
    await within(limitMs, () => told("zipkin-back") === 1 || undefined);
    expect(told("zipkin-away")).to.equal(1);
  });

  it("sends the last ones before it ends", async () => {
    await activate(context("00000000000000ee"));
    expect(await invoker.end()).to.deep.equal([0, null]);
    expect((await zipkin.trace("00000000000000ee", parts.length + 1)).length).to.equal(parts.length + 1);
  });
});
