// Calls of web actions: who may call what, and what the action sees of the request.

import { expect } from "chai";
import { WebServer } from "./web-server.ts";

const json = { "content-type": "application/json" };
const usualCors = {
  "access-control-allow-origin": ["*"],
  "access-control-allow-methods": ["OPTIONS, GET, DELETE, POST, PUT, HEAD, PATCH"],
  "access-control-allow-headers": [
    "Authorization, Origin, X-Requested-With, Content-Type, Accept, User-Agent",
  ],
};

describe("a web action", () => {
  let web: WebServer;
  before(async () => {
    web = await WebServer.start({ payloadBytes: 2_000 });
    await web.export("echo");
    await web.export("raw", { "raw-http": true });
  });
  beforeEach(() => web.echoes());
  after(async () => {
    await web.server.stop();
  });
  /** What the action saw. */
  const seen = async (...question: Parameters<WebServer["ask"]>) => (await web.ask(...question)).json;
  const authorization = (): string => `Basic ${Buffer.from(web.server.keyOf("guest")).toString("base64")}`;

  it("is told of the request beside its parameters", async () => {
    const { status, json: content } = await web.ask("/guest/default/echo.json/a%20b/?x=1&y=%C3%A9&x=2&flag", {
      headers: { "X-Own": "Yes" },
    });
    expect(status).to.equal(200);
    expect(content.__ow_headers).to.include({ "x-own": "Yes", host: new URL(web.server.url).host });
    expect(content).to.deep.equal({
      __ow_method: "get",
      __ow_headers: content.__ow_headers,
      __ow_path: "/a%20b/",
      x: "2",
      y: "é",
      flag: "",
    });
  });

  it("takes parameters of JSON and forms over those of the query, and those over its own", async () => {
    await web.export("bound", {}, { parameters: ["a", "b", "c"].map((key) => ({ key, value: "own" })) });
    const path = "/guest/default/bound.json?b=query&c=query";
    const put = { method: "PUT", headers: json, body: '{"c":{"deep":[1.0]}}' };
    expect(await seen(path, put)).to.deep.include({
      a: "own",
      b: "query",
      c: { deep: [1] },
      __ow_method: "put",
    });
    const headers = { "content-type": "application/x-www-form-urlencoded; charset=UTF-8" };
    const form = { method: "POST", headers, body: "c=a+b&d=%26&d=last" };
    expect(await seen(path, form)).to.deep.include({ b: "query", c: "a b", d: "last" });
    const cloudEvent = { method: "POST", headers: { "content-type": "application/x+json" }, body: '{"c":1}' };
    expect(await seen(path, cloudEvent)).to.include({ c: 1 });
  });

  it("gets any other body as __ow_body: JSON as it is, text as text, the rest in base64", async () => {
    const bodies: [type: string | undefined, body: string, seen: unknown][] = [
      ["application/json", "[1,2]", [1, 2]],
      ["application/json", '"text"', "text"],
      ["application/json", "null", null],
      ["text/plain", "1,2", "1,2"],
      ["text/html; charset=UTF-8", "é", "é"],
      ["application/xml", "<a/>", "<a/>"],
      ["application/own; charset=utf-8", "text", "text"],
      ["application/own", "text", "dGV4dA=="],
      ["image/png", "text", "dGV4dA=="],
      ["multipart/form-data; boundary=x", "text", "dGV4dA=="],
      [undefined, "text", "dGV4dA=="],
    ];
    for (const [type, body, expected] of bodies) {
      const headers = type === undefined ? {} : { "content-type": type };
      const content = await seen("/guest/default/echo.json", { method: "POST", headers, body });
      expect(content.__ow_body, type).to.deep.equal(expected);
    }
    for (const question of [{}, { method: "POST", headers: json, body: "" }]) {
      expect(await seen("/guest/default/echo.json", question)).to.not.have.property("__ow_body");
    }
  });

  it("that takes requests raw gets query and body as they came, in base64 if that is JSON", async () => {
    const path = "/guest/default/raw.json?a=%20b&__ow_user=x";
    const cases: [type: string, body: string, seen: string][] = [
      ["application/json", '{"a":1}', "eyJhIjoxfQ=="],
      ["application/x-www-form-urlencoded", "a=b", "a=b"],
      ["text/plain", "text", "text"],
      ["image/png", "\u0000", "AA=="],
    ];
    for (const [type, body, expected] of cases) {
      const content = await seen(path, { method: "POST", headers: { "content-type": type }, body });
      expect(content, type).to.deep.equal({
        __ow_method: "post",
        __ow_headers: content.__ow_headers,
        __ow_path: "",
        __ow_query: "a=%20b&__ow_user=x",
        __ow_body: expected,
      });
    }
    expect(await seen("/guest/default/raw.json")).to.include({ __ow_query: "", __ow_body: "" });
  });

  it("is called by seven methods and no other", async () => {
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
      expect((await seen("/guest/default/echo.json", { method })).__ow_method).to.equal(method.toLowerCase());
    }
    const head = await web.ask("/guest/default/echo.json", { method: "HEAD" });
    expect([head.status, head.text]).to.deep.equal([200, ""]);
    expect(web.server.messages.at(-1)?.content).to.include({ __ow_method: "head" });
    const { status, json: refusal, headers } = await web.ask("/guest/default/echo", { method: "SEARCH" });
    expect([status, refusal.error, headers.allow]).to.deep.equal([
      405,
      "HTTP method not allowed, supported methods: OPTIONS, GET, DELETE, POST, PUT, HEAD, PATCH",
      ["OPTIONS, GET, DELETE, POST, PUT, HEAD, PATCH"],
    ]);
  });

  it("may not be given what is reserved or final, but for the values that are not there yet", async () => {
    const parameters = [
      { key: "fixed", value: 1 },
      { key: "open", value: null },
    ];
    await web.export("final", { final: true }, { parameters });
    await web.export("finalraw", { final: true, "raw-http": true }, { parameters });
    const error = "Request defines parameters that are not allowed (e.g., reserved properties).";
    for (const name of ["method", "headers", "path", "user", "query", "body"].map((one) => `__ow_${one}`)) {
      const byQuery = await web.ask(`/guest/default/echo.json?${name}=x`);
      const body = JSON.stringify({ [name]: 1 });
      const byBody = await web.ask("/guest/default/echo.json", { method: "POST", headers: json, body });
      expect([byQuery.status, byBody.status, byQuery.json.error, byBody.json.error]).to.deep.equal([
        ...[400, 400, error, error],
      ]);
    }
    expect((await web.ask("/guest/default/final.json?fixed=2")).json.error).to.equal(error);
    const form = { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" } };
    expect((await web.ask("/guest/default/final.json", { ...form, body: "fixed=2" })).status).to.equal(400);
    expect(await seen("/guest/default/final.json?open=2&other=3")).to.include({
      open: "2",
      other: "3",
      fixed: 1,
    });
    expect(await seen("/guest/default/finalraw.json?fixed=2")).to.include({
      fixed: 1,
      __ow_query: "fixed=2",
    });
  });

  it("is one that is exported, in a namespace that somebody owns", async () => {
    await web.export("closed", { "web-export": false });
    await web.export("oddly", { "web-export": "true" });
    await web.server.send("PUT", "/api/v1/namespaces/_/packages/pack", {});
    for (const path of [
      ...["/guest/default/closed", "/guest/default/oddly.json", "/guest/default/missing.http"],
      ...["/nobody/default/echo", "/_/default/echo", "/guest/pack/echo.json", "/guest/nopack/echo"],
      "/guest/default/echo.xyz",
    ]) {
      const { status, json: refusal, text, headers } = await web.ask(path);
      expect([status, refusal.error], path).to.deep.equal([404, "The requested resource does not exist."]);
      expect(text).to.equal(`{\n  "error": "${refusal.error}",\n  "code": "${refusal.code}"\n}`);
      expect(headers["x-request-id"]).to.deep.equal([refusal.code]);
      expect(headers).to.not.have.property("access-control-allow-origin");
    }
  });

  it("has a path of three parts at least; others are nothing to anyone", async () => {
    for (const path of [
      "",
      "/",
      "/guest",
      "/guest/default",
      "/guest/default/",
      "/guest//echo",
      "/guest/a%23/b",
    ]) {
      const known = await web.ask(path, { headers: { authorization: authorization() } });
      expect([known.status, known.json.error], path).to.deep.equal([
        404,
        "The requested resource could not be found.",
      ]);
      expect((await web.ask(path)).status, path).to.equal(401);
    }
  });

  it("runs in the owner's name, with what its package and the binding give it", async () => {
    const { server } = web;
    const parameters = [
      { key: "from", value: "package" },
      { key: "of", value: "package" },
    ];
    await server.send("PUT", "/api/v1/namespaces/_/packages/shop", { parameters });
    await server.send("PUT", "/api/v1/namespaces/_/packages/mine", {
      binding: { namespace: "guest", name: "shop" },
      parameters: [{ key: "from", value: "binding" }],
    });
    await web.export("shop/echo");
    expect(await seen("/guest/shop/echo.json")).to.include({ from: "package", of: "package" });
    expect(await seen("/guest/mine/echo.json")).to.include({ from: "binding", of: "package" });
    const message = server.messages.at(-1);
    expect([message?.user.subject, message?.action.binding, message?.blocking]).to.deep.equal([
      ...["guest", "guest/mine", true],
    ]);
    const { headers } = await web.ask("/guest/mine/echo.json");
    const [id = ""] = headers["x-openwhisk-activation-id"] ?? [];
    expect((await server.found(`/api/v1/namespaces/_/activations/${id}`)).subject).to.equal("guest");
  });

  it("of a binding to a package that is not shared is refused", async () => {
    const { server } = web;
    const auth = server.keyOf("whisk.system");
    const own = "/api/v1/namespaces/_";
    const exec = { kind: "nodejs:20", code: ";" };
    const annotations = [{ key: "web-export", value: true }];
    await server.send("PUT", `${own}/packages/lent`, { publish: true }, { auth });
    await server.send("PUT", `${own}/actions/lent/echo`, { exec, annotations }, { auth });
    await server.send("PUT", `${own}/packages/borrowed`, {
      binding: { namespace: "whisk.system", name: "lent" },
    });
    expect((await web.ask("/guest/borrowed/echo.json")).status).to.equal(200);
    await server.send("PUT", `${own}/packages/lent?overwrite=true`, { publish: false }, { auth });
    const { status, json: refusal } = await web.ask("/guest/borrowed/echo.json");
    expect([status, refusal.error]).to.deep.equal([
      403,
      "The supplied authentication is not authorized to access 'whisk.system/lent/echo'.",
    ]);
  });

  it("knows a caller who has a key, and takes a wrong key for none", async () => {
    const path = "/guest/default/echo.json";
    expect(await seen(path, { headers: { authorization: authorization() } })).to.include({
      __ow_user: "guest",
    });
    const basic = Buffer.from("x:y").toString("base64");
    for (const wrong of [`Basic ${basic}`, "Bearer x", "Basic"]) {
      expect(await seen(path, { headers: { authorization: wrong } })).to.not.have.property("__ow_user");
    }
  });

  it("may ask for a key, or for a secret of its own", async () => {
    const status = async (headers: { readonly [name: string]: string } = {}): Promise<number> =>
      (await web.ask("/guest/default/guarded.json", { headers })).status;
    await web.export("guarded", { "require-whisk-auth": true });
    expect(await status()).to.equal(401);
    expect(await status({ authorization: "Basic eDp5" })).to.equal(401);
    expect(await status({ authorization: authorization() })).to.equal(200);
    const { json: refusal, headers } = await web.ask("/guest/default/guarded.json");
    expect(refusal.error).to.equal("Authentication is possible but has failed or not yet been provided.");
    expect(headers).to.deep.include(usualCors);
    for (const secret of ["s3cret", 4711]) {
      await web.export("guarded", { "require-whisk-auth": secret });
      expect(await status({ "X-Require-Whisk-Auth": String(secret) })).to.equal(200);
      expect(await status({ "X-Require-Whisk-Auth": `${secret}x` })).to.equal(401);
      expect(await status({ authorization: authorization() })).to.equal(401);
    }
    await web.export("guarded", { "require-whisk-auth": false });
    expect(await status()).to.equal(200);
    await web.export("guarded", { "require-whisk-auth": null });
    expect(await status({ authorization: authorization() })).to.equal(401);
  });

  it("lets pages of other sites call it, and answers OPTIONS without being run", async () => {
    const before = web.server.messages.length;
    const options = await web.ask("/guest/default/echo.http", { method: "OPTIONS" });
    expect([options.status, options.text]).to.deep.equal([200, ""]);
    expect(options.headers).to.deep.include(usualCors);
    expect(web.server.messages.length).to.equal(before);
    const headers = { "Access-Control-Request-Headers": "x-own" };
    const { headers: given } = await web.ask("/guest/default/echo.json", { headers });
    expect(given).to.deep.include({ ...usualCors, "access-control-allow-headers": ["x-own"] });
  });

  it("may answer OPTIONS itself, to everyone, and then says alone what other sites may do", async () => {
    await web.export("own", { "web-custom-options": true, "require-whisk-auth": true });
    web.gives({ headers: { "Access-Control-Allow-Methods": "PATCH" } });
    const { status, headers } = await web.ask("/guest/default/own", { method: "OPTIONS" });
    expect([status, headers["access-control-allow-methods"]]).to.deep.equal([204, ["PATCH"]]);
    expect(headers).to.not.have.property("access-control-allow-origin");
    expect((await web.ask("/guest/default/own")).status).to.equal(401);
  });

  it("with more than it may be sent is refused with both sizes, announced or not", async () => {
    const body = "x".repeat(2_001);
    const error = "Request larger than allowed: 2001 > 2000 bytes.";
    const question = { method: "POST", body };
    const announced = await web.ask("/guest/default/echo.json", question);
    const headers = { "transfer-encoding": "chunked" };
    const chunked = await web.ask("/guest/default/echo.json", { ...question, headers });
    for (const { status, json: refusal } of [announced, chunked]) {
      expect([status, refusal.error]).to.deep.equal([413, error]);
    }
  });

  it("whose JSON is none is refused", async () => {
    for (const body of ["{", `${"[".repeat(951)}${"]".repeat(951)}`]) {
      const { status, json: refusal } = await web.ask("/guest/default/echo", {
        method: "POST",
        headers: json,
        body,
      });
      expect(status).to.equal(400);
      expect(refusal.error).to.match(/^The request content was malformed:\n/);
    }
  });

  it("that takes too long is answered with its id alone", async () => {
    const hasty = await WebServer.start({ blockingWaitMs: 50 });
    await hasty.export("slow");
    hasty.server.behave(() => "silence");
    const { status, json: refusal, headers } = await hasty.ask("/guest/default/slow.json");
    expect([status, refusal.error]).to.deep.equal([202, "Response not yet ready."]);
    expect(headers["x-openwhisk-activation-id"]).to.deep.equal([hasty.server.messages.at(-1)?.activationId]);
    await hasty.server.stop();
  });

  it("may be a sequence or a composition", async () => {
    const components = ["/_/echo", "/_/echo"];
    const fields = { exec: { kind: "sequence", components } };
    await web.export("line", { final: true }, fields);
    expect(await seen("/guest/default/line.json?a=1")).to.include({ a: "1", __ow_method: "get" });
    await web.export("composed", { conductor: true });
    expect(await seen("/guest/default/composed.json?action=echo&params=1")).to.include({ value: "1" });
  });

  it("leaves no fault behind", () => {
    expect(web.server.faults).to.deep.equal([]);
  });
});
