// The server around the collections: who is let in, what every answer carries, and how refusals read.

import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { MockInvoker } from "../../mock-invoker.ts";
import { holdsWithin } from "../../within.ts";
import { startTestServer, type TestServer } from "./server.ts";

const collection = "/api/v1/namespaces/_/actions";

describe("the API", () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(async () => {
    await server.stop();
  });

  it("tells anyone about itself, and answers pings", async () => {
    for (const path of ["/api/v1", "/api/v1/", "/"]) {
      const { status, body } = await server.send("GET", path, undefined, { auth: null });
      expect(status, path).to.equal(200);
      expect(body.api_paths).to.deep.equal(["/api/v1"]);
      expect(body.limits).to.include({
        max_action_memory: 512 << 20,
        max_action_duration: 300_000,
        sequence_length: 50,
      });
      expect(body.runtimes.nodejs.find((runtime: { default: boolean }) => runtime.default).kind).to.equal(
        "nodejs:20",
      );
    }
    expect((await server.send("GET", "/ping", undefined, { auth: null })).text).to.equal("pong");
  });

  it("tells anyone of the invokers: their states, how many are healthy, and whether those are enough", async () => {
    const { bus, services } = server;
    const get = async (path: string) => {
      const { status, text } = await server.send("GET", path, undefined, { auth: null });
      return [status, text];
    };
    expect(await get("/invokers")).to.deep.equal([200, '{"invoker0":"up"}']);
    expect(await get("/invokers/")).to.deep.equal([200, '{"invoker0":"up"}']);
    expect(await get("/invokers/healthy/count")).to.deep.equal([200, "1"]);
    expect(await get("/invokers/ready")).to.deep.equal([200, '{"healthy":"1/1"}']);
    const silent = new MockInvoker(bus, { instance: 2 });
    silent.answersTests = "nothing";
    await silent.ping();
    expect(await holdsWithin(60_000, () => services.balancer.invokers.length === 3)).to.equal(true);
    expect(await get("/invokers")).to.deep.equal([
      200,
      '{"invoker0":"up","invoker1":"down","invoker2/2":"unhealthy"}',
    ]);
    expect(await get("/invokers/healthy/count")).to.deep.equal([200, "1"]);
    expect(await get("/invokers/ready")).to.deep.equal([500, '{"unhealthy":"2/3"}']);
    expect((await get("/invokers/x"))[0]).to.equal(404);
    expect((await server.send("POST", "/invokers", {})).status).to.equal(405);
    await silent.close();
  });

  it("names no charset of its JSON: wskdeploy would take the kinds it was built with for those of the server", async () => {
    for (const path of ["/", "/api/v1", "/invokers", collection, `${collection}/none`, "/nope"]) {
      const { headers } = await server.send("GET", path);
      expect(headers.get("content-type"), path).to.equal("application/json");
    }
  });

  it("asks for credentials, with a challenge", async () => {
    const { status, body, headers } = await server.send("GET", collection, undefined, { auth: null });
    expect(status).to.equal(401);
    expect(body.error).to.equal(
      "The resource requires authentication, which was not supplied with the request",
    );
    expect(headers.get("www-authenticate")).to.equal('Basic realm="OpenWhisk secure realm"');
  });

  it("refuses wrong, malformed and foreign keys", async () => {
    const [uuid, key] = server.keyOf("guest").split(":");
    const [, otherKey] = server.keyOf("whisk.system").split(":");
    for (const auth of [
      `${uuid}:x`,
      `${uuid}:`,
      `${uuid}:${otherKey}`,
      `x:${key}`,
      "nonsense",
      "",
      `${uuid}:${key}x`,
      `${uuid}:${key}:`,
      `${uuid}:${key}:x`,
    ]) {
      const { status, body } = await server.send("GET", collection, undefined, { auth });
      expect(status, auth).to.equal(401);
      expect(body.error).to.equal("The supplied authentication is invalid");
    }
    const bearer = await server.send("GET", collection, undefined, {
      auth: null,
      headers: { authorization: "Bearer x" },
    });
    expect(bearer.status).to.equal(401);
  });

  it("gives each identity its own namespace", async () => {
    const own = await server.send("GET", "/api/v1/namespaces");
    const system = await server.send("GET", "/api/v1/namespaces/", undefined, {
      auth: server.keyOf("whisk.system"),
    });
    expect([own.body, system.body]).to.deep.equal([["guest"], ["whisk.system"]]);
  });

  it("keeps one out of the namespaces of others", async () => {
    for (const path of ["actions", "triggers", "rules", "activations"]) {
      const { status, body } = await server.send("GET", `/api/v1/namespaces/whisk.system/${path}`);
      expect(status, path).to.equal(403);
      expect(body.error).to.equal("The supplied authentication is not authorized to access 'whisk.system'.");
    }
    const put = await server.send("PUT", "/api/v1/namespaces/whisk.system/actions/x", {
      exec: { kind: "nodejs:20", code: ";" },
    });
    expect(put.body.error).to.equal(
      "The supplied authentication is not authorized to access 'whisk.system/x'.",
    );
  });

  it("repeats the caller's request id, makes one of 32 letters and digits, and gives it in errors", async () => {
    const given = await server.send("GET", `${collection}/none`, undefined, {
      headers: { "X-Request-Id": "abc123" },
    });
    expect(given.headers.get("x-request-id")).to.equal("abc123");
    expect(given.body).to.deep.equal({ error: "The requested resource does not exist.", code: "abc123" });
    const system = await server.send("GET", "/ping", undefined, {
      headers: { "X-Request-Id": "sid_invoker" },
    });
    expect(system.headers.get("x-request-id")).to.match(/^[A-Za-z0-9]{32}$/);
  });

  it("lets pages of other origins in, and answers their preflight without credentials", async () => {
    const preflight = await server.send("OPTIONS", collection, undefined, { auth: null });
    expect(preflight.status).to.equal(200);
    for (const { headers } of [
      preflight,
      await server.send("GET", collection),
      await server.send("GET", collection, undefined, { auth: null }),
    ]) {
      expect(headers.get("access-control-allow-origin")).to.equal("*");
      expect(headers.get("access-control-allow-methods")).to.equal("GET, DELETE, POST, PUT, HEAD");
      expect(headers.get("access-control-allow-headers")).to.match(/^Authorization, Origin, /);
    }
  });

  it("answers HEAD like GET without the body", async () => {
    const { status, text } = await server.send("HEAD", collection);
    expect([status, text]).to.deep.equal([200, ""]);
    expect((await server.send("HEAD", `${collection}/none`)).status).to.equal(404);
  });

  it("answers unknown routes with JSON", async () => {
    for (const path of [
      "/nope",
      "/api/v1/nope",
      "/api/v1/namespaces/_/nope",
      "/api/v1/namespaces/guest",
      `${collection}/a/b/c`,
    ]) {
      const { status, body } = await server.send("GET", path);
      expect(status, path).to.equal(404);
      expect(body.error).to.equal("The requested resource could not be found.");
      expect(body.code).to.be.a("string");
    }
  });

  it("names the methods that would be allowed", async () => {
    const list = await server.send("POST", collection, {});
    expect([list.status, list.body.error]).to.deep.equal([
      405,
      "HTTP method not allowed, supported methods: GET",
    ]);
    expect((await server.send("PATCH", `${collection}/a`, {})).status).to.equal(405);
  });

  it("refuses broken JSON, JSON of the wrong shape, other content and no content", async () => {
    const path = `${collection}/broken`;
    for (const body of ['{"exec":', "nonsense", "[1]", '"text"', "17"]) {
      const answer = await server.send("PUT", path, body);
      expect(answer.status, body).to.equal(400);
      expect(answer.body.error, body).to.match(/^The request content was malformed:\n./);
    }
    const empty = await server.send("PUT", path);
    expect([empty.status, empty.body.error]).to.deep.equal([400, "Request entity expected but not supplied"]);
    const form = await server.send("PUT", path, "a=b", {
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    expect(form.status).to.equal(415);
    expect(form.body.error).to.match(/Expected:\napplication\/json$/);
  });

  it("reads compressed content, and refuses what cannot be decompressed", async () => {
    const put = (body: Buffer, encoding: string) =>
      server.send("PUT", `${collection}/zipped?overwrite=true`, body, {
        headers: { "content-encoding": encoding },
      });
    const sound = gzipSync('{"exec":{"kind":"nodejs:20","code":";"}}');
    expect((await put(sound, "gzip")).status).to.equal(200);
    for (const broken of [Buffer.from("{}"), sound.subarray(0, -9)]) {
      const { status, body } = await put(broken, "gzip");
      expect(status).to.equal(400);
      expect(body.error).to.match(/malformed:\nthe body cannot be decompressed \(.+\)$/);
    }
    const { status, body } = await put(sound, "zip");
    expect([status, body.error]).to.deep.equal([
      400,
      'The request content was malformed:\nunsupported content encoding "zip"',
    ]);
  });

  it("refuses JSON nested deeper than 950 levels, without losing its breath", async () => {
    const deep = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;
    const body = (levels: number): string =>
      `{"exec":{"kind":"nodejs:20","code":";"},"parameters":[{"key":"a","value":${deep(levels)}}]}`;
    expect((await server.send("PUT", `${collection}/deep`, body(947))).status).to.equal(200);
    for (const levels of [948, 200_000]) {
      const { status, body: refusal } = await server.send(
        "PUT",
        `${collection}/deep?overwrite=true`,
        body(levels),
      );
      expect(status).to.equal(400);
      expect(refusal.error).to.match(/nested too deeply/);
    }
  });

  it("refuses names that are none, encoded or not", async () => {
    for (const name of ["a%2Fb", "%21", "-a", "%ff", "a%00"]) {
      const { status, body } = await server.send("GET", `${collection}/${name}`);
      expect([status, body.error], name).to.deep.equal([
        400,
        "The name of the entity contains illegal characters.",
      ]);
    }
    const namespace = await server.send("GET", "/api/v1/namespaces/a%21/actions");
    expect([namespace.status, namespace.body.error]).to.deep.equal([
      400,
      "The namespace contains illegal characters.",
    ]);
  });

  it("takes names with blanks and other odd letters", async () => {
    const put = await server.send("PUT", `${collection}/my%20action%40home`, {
      exec: { kind: "nodejs:20", code: ";" },
    });
    expect(put.body.name).to.equal("my action@home");
    expect((await server.send("GET", `${collection}/my%20action%40home`)).status).to.equal(200);
  });

  it("refuses list parameters out of range", async () => {
    const error = async (query: string): Promise<string> => {
      const { status, body } = await server.send("GET", `${collection}?${query}`);
      expect(status, query).to.equal(400);
      return body.error;
    };
    expect(await error("limit=201")).to.match(
      /The value '201' is not in the range of 0 to 200 for actions\./,
    );
    expect(await error("limit=-1")).to.match(/The value '-1' is not in the range/);
    expect(await error("limit=x")).to.match(/The value 'x' is not an integer for actions\./);
    expect(await error("skip=-1")).to.match(/The value '-1' is not greater than or equal to 0 for actions\./);
    expect(await error("count=perhaps")).to.match(/The query parameter 'count' was malformed/);
  });

  it("has reported no fault in all this", () => {
    expect(server.faults).to.deep.equal([]);
  });
});
