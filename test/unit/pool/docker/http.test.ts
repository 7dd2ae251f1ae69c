// The action proxy's client against a scripted server: every way in which init and run can end.

import { createServer, type Socket } from "node:net";
import { expect } from "chai";
import { initOutcome, runOutcome, texts } from "../../../../invoker/outcome.ts";
import type { Exchange } from "../../../../pool/index.ts";
import { type HttpReply, postInit, postRun } from "../../../../pool/proxy/http.ts";
import type { InitFrame } from "../../../../pool/types.ts";
import { type Script, ScriptedServer, say } from "./scripted-server.ts";

const frame: InitFrame = {
  ...{ name: "hello", main: "handler", binary: false, env: { STAGE: "prod" }, code: Buffer.from("é = 1") },
};
const limits = { timeoutMs: 5000, maxBodyBytes: 20, keptBodyBytes: 10 };
/** Does not tell how long its answer is. */
const sayInPieces: Script = (response) => {
  response.write("{");
  response.end("}");
};
const answer = (status: number, body: string): HttpReply => ({
  ...{ outcome: "answer", status, body, bodyBytes: Buffer.byteLength(body), cut: false },
});

describe("the client of the action proxy", () => {
  let server: ScriptedServer;

  beforeEach(async () => {
    server = await ScriptedServer.start();
  });

  afterEach(() => server.stop());

  function run(script: Script, changed: Partial<typeof limits> = {}): Promise<HttpReply> {
    server.script = script;
    return postRun(server.endpoint, '{"value":{}}', { ...limits, ...changed });
  }

  it("posts init as stock does", async () => {
    expect(await postInit(server.endpoint, frame, limits)).to.deep.equal(answer(200, "{}"));
    const [asked] = server.asked;
    expect(asked?.path).to.equal("/init");
    expect(asked?.headers["content-type"]).to.equal("application/json");
    expect(asked?.headers.accept).to.equal("application/json");
    expect(asked?.headers["content-length"]).to.equal(String(Buffer.byteLength(asked?.body ?? "")));
    const env = { STAGE: "prod" };
    const value = { name: "hello", main: "handler", binary: false, code: "é = 1", env };
    expect(JSON.parse(asked?.body ?? "")).to.deep.equal({ value });
  });

  it("sends an archive in base64, and no code where there is none", async () => {
    const archive = Buffer.from([0x50, 0x4b, 0x03, 0x04, 0xff]);
    await postInit(server.endpoint, { ...frame, binary: true, code: archive }, limits);
    await postInit(server.endpoint, { ...frame, code: undefined }, limits);
    const [first, second] = server.asked.map(({ body }) => JSON.parse(body).value);
    expect([first.binary, first.code]).to.deep.equal([true, archive.toString("base64")]);
    expect(second).to.not.have.property("code");
  });

  it("posts run's text as it is, over a connection of its own each time", async () => {
    const text = '{"value":{"n":1.0}}';
    await postRun(server.endpoint, text, limits);
    await postRun(server.endpoint, text, limits);
    expect(server.asked.map(({ body }) => body)).to.deep.equal([text, text]);
    expect(server.asked.map(({ headers }) => headers.connection)).to.deep.equal(["close", "close"]);
    const [one, two] = server.asked.map(({ port }) => port);
    expect(one).to.not.equal(two);
  });

  for (const status of [200, 201, 403, 500, 502])
    it(`gives an answer with status ${status}, whatever its body`, async () => {
      expect(await run(say(status, '{"error":"é"}'))).to.deep.equal(answer(status, '{"error":"é"}'));
      expect(await run(say(status, ""))).to.deep.equal(answer(status, ""));
    });

  it("takes a 503 for a container that is shutting down", async () => {
    expect(await run(say(503, "{}"))).to.deep.equal({ outcome: "unavailable" });
    expect(await postInit(server.endpoint, frame, limits)).to.deep.equal({ outcome: "unavailable" });
  });

  it("keeps the beginning of a body that is too long, and reads the rest", async () => {
    let isSent = false;
    const reply = await run((response) => {
      response.writeHead(200, { "content-length": 1_000_000 });
      response.end(Buffer.alloc(1_000_000, "abc"), () => {
        isSent = true;
      });
    });
    expect(reply).to.deep.equal({
      ...{ outcome: "answer", status: 200, body: "abcabcabca", bodyBytes: 1_000_000, cut: true },
    });
    expect(isSent).to.equal(true);
  });

  it("keeps all of a body that is too long but shorter than what would be kept", async () => {
    const reply = await run(say(200, "x".repeat(21)), { keptBodyBytes: 1000 });
    expect(reply).to.deep.equal({
      ...{ outcome: "answer", status: 200, body: "x".repeat(21), bodyBytes: 21, cut: true },
    });
  });

  it("keeps a body that is as long as it may be", async () => {
    expect(await run(say(200, "x".repeat(20)))).to.deep.equal(answer(200, "x".repeat(20)));
  });

  it("has no use for an answer that does not tell its length", async () => {
    expect((await run(sayInPieces)).outcome).to.equal("garbled");
    const empty = await run((response) => {
      response.writeHead(204);
      response.end();
    });
    expect(empty.outcome).to.equal("garbled");
  });

  it("has no use for what is no HTTP", async () => {
    const reply = await run((response) => response.socket?.end("hello\r\n\r\n"));
    expect(reply.outcome).to.equal("garbled");
  });

  it("sees a connection that ends without an answer, or within it", async () => {
    expect(await run((response) => response.socket?.destroy())).to.deep.equal({ outcome: "broken" });
    const within = await run((response) => {
      response.writeHead(200, { "content-length": 10 });
      response.write("12345", () => response.socket?.destroy());
    });
    expect(within).to.deep.equal({ outcome: "broken" });
  });

  it("gives up when the time is over, wherever the answer is", async () => {
    expect(await run(() => undefined, { timeoutMs: 50 })).to.deep.equal({ outcome: "timeout" });
    const within = await run(
      (response) => {
        response.writeHead(200, { "content-length": 10 });
        response.write("12345");
      },
      { timeoutMs: 50 },
    );
    expect(within).to.deep.equal({ outcome: "timeout" });
  });

  it("asks for init until somebody listens, for run only once", async () => {
    const { endpoint } = server;
    await server.stop();
    const initialised = postInit(endpoint, frame, limits);
    // Asked after init: when this one is refused, that one has been.
    expect(await postRun(endpoint, "{}", limits)).to.deep.equal({ outcome: "refused" });
    server = await ScriptedServer.start(endpoint.port);
    expect(await initialised).to.deep.equal(answer(200, "{}"));
    expect(server.asked.length).to.equal(1);
  });

  it("gives init up when nobody listens until the time is over", async () => {
    const { endpoint } = server;
    await server.stop();
    expect(await postInit(endpoint, frame, { ...limits, timeoutMs: 120 })).to.deep.equal({
      outcome: "timeout",
    });
  });

  it("does not ask for init again after anything but a refusal", async () => {
    server.script = (response) => response.socket?.destroy();
    expect(await postInit(server.endpoint, frame, limits)).to.deep.equal({ outcome: "broken" });
    expect(server.asked.length).to.equal(1);
  });

  it("is not held up by a server that does not take all it is sent", async () => {
    const taken: Socket[] = [];
    const deaf = createServer((socket) => void taken.push(socket.pause()));
    await new Promise<void>((resolve) => deaf.listen(0, "127.0.0.1", resolve));
    const { port } = deaf.address() as { port: number };
    const big = JSON.stringify({ value: "x".repeat(8_000_000) });
    const reply = await postRun({ host: "127.0.0.1", port }, big, { ...limits, timeoutMs: 100 });
    expect(reply).to.deep.equal({ outcome: "timeout" });
    for (const socket of taken) socket.destroy();
    await new Promise((resolve) => deaf.close(resolve));
  });

  describe("leads to stock's texts", () => {
    const outcomeLimits = { timeoutMs: 5000, maxBodyBytes: 20 };
    const timed = (reply: HttpReply) => ({ startMs: 0, endMs: 5, exchange: reply as Exchange });

    async function told(script: Script): Promise<[number, unknown]> {
      const { statusCode, result } = runOutcome(timed(await run(script)), outcomeLimits);
      return [statusCode, result];
    }

    it("of a run", async () => {
      expect(await told(say(200, '{"a":1}'))).to.deep.equal([0, { a: 1 }]);
      expect(await told(say(200, "[1]"))).to.deep.equal([0, [1]]);
      expect(await told(say(200, '{"error":1,"b":2}'))).to.deep.equal([1, { error: 1 }]);
      expect(await told(say(500, '{"error":"no"}'))).to.deep.equal([2, { error: "no" }]);
      expect(await told(say(500, '{"a":1}'))).to.deep.equal([
        2,
        { error: `${texts.invalidResult}: {"a":1}` },
      ]);
      expect(await told(say(200, "no JSON"))).to.deep.equal([
        2,
        { error: `${texts.invalidResult}: no JSON` },
      ]);
      expect(await told(say(200, ""))).to.deep.equal([2, { error: `${texts.invalidResult}.` }]);
      expect(await told(say(200, "x".repeat(21)))).to.deep.equal([
        1,
        { error: texts.tooLong(21, 20, "x".repeat(10)) },
      ]);
      expect(await told((response) => response.socket?.destroy())).to.deep.equal([
        2,
        { error: texts.runExited },
      ]);
      expect(await told(sayInPieces)).to.deep.equal([2, { error: texts.runExited }]);
    });

    it("of an init", async () => {
      const told = async (script: Script): Promise<unknown> => {
        server.script = script;
        return initOutcome(timed(await postInit(server.endpoint, frame, limits)), outcomeLimits)?.result;
      };
      expect(await told(say(200, "anything"))).to.equal(undefined);
      expect(await told(say(502, '{"error":"no"}'))).to.deep.equal({ error: "no" });
      expect(await told(say(403, "no"))).to.deep.equal({ error: `${texts.initFailed}: no` });
      expect(await told(say(403, ""))).to.deep.equal({ error: `${texts.initFailed}.` });
      expect(await told(say(200, "x".repeat(21)))).to.deep.equal({
        error: texts.tooLong(21, 20, "x".repeat(10)),
      });
      expect(await told((response) => response.socket?.destroy())).to.deep.equal({ error: texts.initExited });
    });
  });
});
