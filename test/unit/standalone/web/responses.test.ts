// Results of web actions as HTTP responses, by the extension of the action's name.

import { expect } from "chai";
import type { Json } from "../../../../invoker/index.ts";
import { type WebQuestion, WebServer } from "./web-server.ts";

const png =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

describe("the response of a web action", () => {
  let web: WebServer;
  before(async () => {
    web = await WebServer.start();
    await web.export("act");
  });
  after(async () => {
    await web.server.stop();
  });
  const of = (result: Json, extension = "", question: WebQuestion = {}) => {
    web.gives(result);
    return web.ask(`/guest/default/act${extension}`, question);
  };
  const typed = (type: string, body: Json) => of({ headers: { "Content-Type": type }, body });

  it("with .http, or no extension, is what the result says", async () => {
    for (const extension of [".http", "", ".http/any/path", "/any/path"]) {
      const headers = { location: "http://openwhisk.org", "Set-Cookie": ["a=b", "c=d"], n: 1, yes: true };
      const answer = await of({ statusCode: 302, headers, ignored: 1 }, extension);
      expect([answer.status, answer.text], extension).to.deep.equal([302, ""]);
      expect(answer.headers).to.deep.include({
        location: ["http://openwhisk.org"],
        "set-cookie": ["a=b", "c=d"],
        n: ["1"],
        yes: ["true"],
      });
      expect(answer.headers).to.not.have.property("content-type");
      expect(answer.headers["x-openwhisk-activation-id"]).to.deep.equal([
        web.server.messages.at(-1)?.activationId,
      ]);
    }
  });

  it("has 200 with a body and 204 without one, unless it says otherwise", async () => {
    expect((await of({ body: "x" })).status).to.equal(200);
    for (const empty of [{}, { body: "" }, { body: null }, { headers: { "content-type": "text/plain" } }]) {
      const answer = await of(empty);
      expect([answer.status, answer.text]).to.deep.equal([204, ""]);
      expect(answer.headers).to.not.have.property("content-type");
    }
    expect((await of({ statusCode: 201 })).status).to.equal(201);
    expect((await of({ statusCode: "418", body: "tea" })).status).to.equal(418);
  });

  it("that is no response is refused", async () => {
    const results: Json[] = [
      [1, 2],
      { statusCode: 999 },
      { statusCode: 100 },
      { statusCode: 200.5 },
      { statusCode: "x" },
      { statusCode: null },
      { headers: "x" },
      { headers: { a: {} } },
      { headers: { a: null } },
      { headers: { "no name": "x" } },
      { headers: { a: "x\r\nb: y" } },
    ];
    for (const result of results) {
      const { status, json, headers } = await of(result);
      expect([status, json.error], JSON.stringify(result)).to.deep.equal([
        400,
        "Response is not valid 'message/http'.",
      ]);
      expect(headers).to.have.property("x-openwhisk-activation-id");
    }
  });

  it("travels as the server decides", async () => {
    const headers = {
      ...{ "content-length": 1, "Transfer-Encoding": "chunked", connection: "close", trailer: "x" },
      ...{ date: "now", server: "mine", "keep-alive": "no", upgrade: "h2" },
    };
    const answer = await of({ headers, body: "text" });
    expect([answer.status, answer.text, answer.headers["content-length"]]).to.deep.equal([
      200,
      "text",
      ["4"],
    ]);
    expect(answer.headers).to.not.have.any.keys("transfer-encoding", "trailer", "server", "upgrade");
    expect(answer.headers.date).to.not.deep.equal(["now"]);
  });

  it("is HTML where a text has no type, and JSON where there is anything else", async () => {
    const text = await of({ body: "<b>é</b>" });
    expect([text.headers["content-type"], text.text]).to.deep.equal([
      ["text/html; charset=UTF-8"],
      "<b>é</b>",
    ]);
    for (const body of [{ a: [1, { b: 2 }] }, [1], 3, true]) {
      const { status, headers, json } = await of({ body });
      expect([status, headers["content-type"], json]).to.deep.equal([200, ["application/json"], body]);
    }
    const { text: pretty } = await of({ body: { a: [1, {}], b: { c: "d" } } });
    expect(pretty).to.equal('{\n  "a": [1, {\n\n  }],\n  "b": {\n    "c": "d"\n  }\n}');
  });

  it("is a text where its type is one, and made from base64 where it is none", async () => {
    const answers: [type: string, body: string, sent: string, bytes: string | Buffer][] = [
      ["text/plain", "é", "text/plain; charset=UTF-8", "é"],
      ["TEXT/CSS; charset=latin1; x=y", "a{}", "text/css; x=y; charset=UTF-8", "a{}"],
      ["application/javascript", "1", "application/javascript; charset=UTF-8", "1"],
      ["application/own; charset=utf-8", "own", "application/own; charset=UTF-8", "own"],
      ["application/json", "hello world", "application/json", "hello world"],
      ["application/json", '{"a":1}', "application/json", '{"a":1}'],
      ["application/json", "eyJhIjoxfQ==", "application/json", '{"a":1}'],
      ["application/json-patch+json", "eyJhIjoxfQ==", "application/json-patch+json", '{"a":1}'],
      ["image/png", png, "image/png", Buffer.from(png, "base64")],
      ["image/svg+xml", "PHN2Zy8+", "image/svg+xml", "<svg/>"],
      ["application/octet-stream", "AA", "application/octet-stream", Buffer.from([0])],
    ];
    for (const [type, body, sent, bytes] of answers) {
      const answer = await typed(type, body);
      expect([answer.status, answer.headers["content-type"]], type).to.deep.equal([200, [sent]]);
      expect(answer.bytes).to.deep.equal(Buffer.from(bytes as string));
    }
  });

  it("is JSON of any kind where that is its type", async () => {
    for (const type of ["application/json", "application/json-patch+json", "application/hal+json"]) {
      const { status, headers, json } = await typed(type, { a: 1 });
      expect([status, headers["content-type"], json]).to.deep.equal([200, [type], { a: 1 }]);
    }
  });

  it("whose type is unknown, or is not that of its body, is refused", async () => {
    const wrong = "Response type in header did not match generated content type.";
    const refusals: [type: string, body: Json, error: string][] = [
      ["xyzbar", "text", "Response did not specify a known content-type."],
      ["xyzbar", {}, wrong],
      ["text/html", { a: 1 }, wrong],
      ["image/png", "no base64!", wrong],
      ["application/hal+json", "{}", wrong],
    ];
    for (const [type, body, error] of refusals) {
      const { status, json } = await typed(type, body);
      expect([status, json.error], `${type} ${JSON.stringify(body)}`).to.deep.equal([400, error]);
    }
  });

  it("with .json is the whole result, whatever follows in the path", async () => {
    for (const extension of [".json", ".json/a/b"]) {
      const { status, text, headers } = await of({ a: { b: "c" }, body: 1 }, extension);
      expect([status, headers["content-type"]]).to.deep.equal([200, ["application/json"]]);
      expect(text).to.equal('{\n  "a": {\n    "b": "c"\n  },\n  "body": 1\n}');
    }
    expect((await of([1, "x"], ".json")).text).to.equal('[1, "x"]');
  });

  it("keeps numbers that a double would change", async () => {
    web.server.behave((message) => ({
      response: { statusCode: 0, result: { body: message.content ?? {} } },
    }));
    const { text } = await web.ask("/guest/default/act", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"n":12345678901234567890}',
    });
    expect(text).to.include('"n": 12345678901234567890');
  });

  it("with .html, .svg and .text is the body, else the field of that name", async () => {
    const types = {
      html: "text/html; charset=UTF-8",
      svg: "image/svg+xml",
      text: "text/plain; charset=UTF-8",
    };
    for (const [field, type] of Object.entries(types)) {
      for (const result of [{ [field]: "é" }, { body: "é", [field]: "x" }]) {
        const { status, headers, text } = await of(result, `.${field}`);
        expect([status, headers["content-type"], text]).to.deep.equal([200, [type], "é"]);
      }
    }
    for (const [extension, type] of [
      ["html", "text/html"],
      ["svg", "image/svg+xml"],
    ]) {
      for (const result of [{}, { body: { a: 1 } }, [1], { body: null, [extension as string]: "x" }]) {
        const { status, json } = await of(result, `.${extension}`);
        expect([status, json.error]).to.deep.equal([400, `Response is not valid '${type}'.`]);
      }
    }
  });

  it("with .text takes any value there is", async () => {
    const values: [Json, string][] = [
      ["a", "a"],
      [1, "1"],
      [true, "true"],
      [null, "null"],
      [["a"], '["a"]'],
      [{ a: "A" }, '{\n  "a": "A"\n}'],
    ];
    for (const [text, shown] of values) {
      expect((await of({ text }, ".text")).text).to.equal(shown);
    }
    const { status, json } = await of({ other: 1 }, ".text");
    expect([status, json.error]).to.deep.equal([404, "Response does not include requested property."]);
  });

  it("of an application error is made from its `error`", async () => {
    const failing = (error: Json, extension: string) => {
      web.gives({ error, body: "not this" }, 1);
      return web.ask(`/guest/default/act${extension}`);
    };
    const own = await failing({ statusCode: 404, body: "no hello for you" }, ".http");
    expect([own.status, own.text]).to.deep.equal([404, "no hello for you"]);
    const { json } = await failing({ code: 7 }, ".json/ignored");
    expect(json).to.deep.equal({ code: 7 });
    expect((await failing("sorry", ".text")).text).to.equal("sorry");
    const misfit = await failing("sorry", ".json");
    expect([misfit.status, misfit.json.error]).to.deep.equal([
      400,
      "Response is not valid 'application/json'.",
    ]);
    web.gives({}, 1);
    expect((await web.ask("/guest/default/act.json")).status).to.equal(404);
  });

  it("of any other failure says no more than that", async () => {
    for (const statusCode of [2, 3] as const) {
      for (const extension of ["", ".json", ".text"]) {
        web.gives({ error: "secrets of the action" }, statusCode);
        const { status, json } = await web.ask(`/guest/default/act${extension}`);
        expect([status, json.error]).to.deep.equal([400, "There was an error processing your request."]);
      }
    }
  });

  it("that its caller does not accept is refused, but for failures", async () => {
    const question = { headers: { accept: "application/json" } };
    const { status, json } = await of({ body: "Plain text" }, "", question);
    expect([status, json.error]).to.deep.equal([
      406,
      "Resource representation is only available with these types:\ntext/html; charset=UTF-8",
    ]);
    expect((await of({ body: "Plain text", statusCode: 404 }, "", question)).status).to.equal(404);
    expect((await of({ statusCode: 201 }, "", question)).status).to.equal(201);
    expect((await of({ body: { a: 1 } }, "", question)).status).to.equal(200);
    const range = { headers: { accept: "text/*;q=0.5, application/json;q=0" } };
    expect((await of({ body: "Plain text" }, "", range)).status).to.equal(200);
    expect((await of({ body: 1 }, "", range)).status).to.equal(406);
  });

  it("to HEAD has the headers alone", async () => {
    const answer = await of({ headers: { "Request-type": "head" }, body: "text" }, "", { method: "HEAD" });
    expect([answer.status, answer.text, answer.headers["request-type"]]).to.deep.equal([200, "", ["head"]]);
  });

  it("leaves no fault behind", () => {
    expect(web.server.faults).to.deep.equal([]);
  });
});
