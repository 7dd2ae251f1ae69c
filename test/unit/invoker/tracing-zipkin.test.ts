// Spans on their way: in batches, bounded, dropped and counted where Zipkin does not take them. A server of the test's stands in for Zipkin.

import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import type { Span } from "../../../invoker/tracing.ts";
import { type SpanTeller, ZipkinSender } from "../../../invoker/tracing-zipkin.ts";
import { within } from "../../within.ts";

const patienceMs = 60_000;
const waitingMax = 10_000;
const batchMax = 1000;
const hourMs = 3_600_000;

const spanOf = (n: number): Span => ({
  ...{ traceId: "463ac35c9f6413ad", id: n.toString(16).padStart(16, "0"), name: "activation" },
  ...{ timestamp: 1_754_479_200_150_000, duration: 1, localEndpoint: { serviceName: "Invoker" }, tags: {} },
});

describe("spans for Zipkin", () => {
  let server: Server;
  let received: { readonly path: string; readonly spans: readonly Span[] }[];
  let answer: (response: ServerResponse) => void;
  let sent: number;
  let dropped: number;
  /** `away` or `back`. */
  let changes: string[];
  let sender: ZipkinSender;

  beforeEach(async () => {
    received = [];
    changes = [];
    [sent, dropped] = [0, 0];
    answer = (response) => response.writeHead(202).end();
    server = createServer(async (request, response) => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const spans = JSON.parse(Buffer.concat(pieces).toString()) as Span[];
      received.push({ path: `${request.method} ${request.url} ${request.headers["content-type"]}`, spans });
      answer(response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    sender = senderFor((server.address() as AddressInfo).port);
  });
  afterEach(async () => {
    await sender.close(0);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const senderFor = (port: number, everyMs?: number): ZipkinSender => {
    const teller: SpanTeller = {
      sent: (spans) => {
        sent += spans;
      },
      dropped: (spans) => {
        dropped += spans;
      },
      zipkinChanged: (failure) => changes.push(failure === undefined ? "back" : `away: ${String(failure)}`),
    };
    return new ZipkinSender(`http://127.0.0.1:${port}/`, teller, everyMs);
  };

  const addAll = (count: number): void => {
    for (let n = 0; n < count; n++) sender.add(spanOf(n));
  };

  it("go together after a moment, as Zipkin wants them", async () => {
    addAll(3);
    expect(received).to.deep.equal([]);
    await within(patienceMs, () => sent === 3 || undefined);
    addAll(1);
    await within(patienceMs, () => sent === 4 || undefined);
    expect(received).to.deep.equal([
      { path: "POST /api/v2/spans application/json", spans: [spanOf(0), spanOf(1), spanOf(2)] },
      { path: "POST /api/v2/spans application/json", spans: [spanOf(0)] },
    ]);
    expect([dropped, changes]).to.deep.equal([0, []]);
  });

  it("go at once where the sender is closed, in batches, all of them", async () => {
    await sender.close(0);
    sender = senderFor((server.address() as AddressInfo).port, hourMs);
    addAll(2 * batchMax + 1);
    await sender.close(patienceMs);
    expect(received.map(({ spans }) => spans.length)).to.deep.equal([batchMax, batchMax, 1]);
    expect(received.flatMap(({ spans }) => spans.map(({ id }) => Number.parseInt(id, 16)))).to.deep.equal(
      Array.from({ length: 2 * batchMax + 1 }, (_, n) => n),
    );
    expect([sent, dropped]).to.deep.equal([2 * batchMax + 1, 0]);
  });

  it("are dropped and counted where Zipkin refuses them, which is told once, and its end too", async () => {
    answer = (response) => response.writeHead(400).end("not such ones");
    for (const total of [2, 4]) {
      addAll(2);
      await within(patienceMs, () => dropped === total || undefined);
    }
    answer = (response) => response.writeHead(202).end();
    addAll(1);
    await within(patienceMs, () => sent === 1 || undefined);
    const { port } = server.address() as AddressInfo;
    const away = `away: Error: http://127.0.0.1:${port}/api/v2/spans: 400 not such ones`;
    expect([dropped, changes]).to.deep.equal([4, [away, "back"]]);
  });

  it("are dropped where nobody listens", async () => {
    await sender.close(0);
    sender = senderFor(1);
    addAll(5);
    await within(patienceMs, () => dropped === 5 || undefined);
    expect(changes.length).to.equal(1);
    expect(changes[0]).to.contain("ECONNREFUSED");
  });

  it("wait while Zipkin hangs, up to a limit; the rest is dropped, and they too where it is closed", async () => {
    answer = () => undefined;
    addAll(1);
    await within(patienceMs, () => received.length === 1 || undefined);
    addAll(waitingMax + 7);
    expect([sent, dropped]).to.deep.equal([0, 7]);
    await sender.close(50);
    expect([sent, dropped]).to.deep.equal([0, waitingMax + 8]);
    addAll(1);
    await within(patienceMs, () => dropped === waitingMax + 9 || undefined);
  });
});
