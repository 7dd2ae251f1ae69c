// The admin pages over real HTTP, in front of an invoker that only notes what it is asked.

import { Server } from "node:net";
import { expect } from "chai";
import { type AdminServer, type AdminSettings, serveAdmin } from "../../../invoker/http.ts";
import { StandIn, status } from "./stand-in.ts";

const settings: AdminSettings = {
  ...{ host: "127.0.0.1", port: 0, username: "invoker.user", password: "invoker.pass" },
  ...{ transactionHeader: "X-Request-ID", showsMetrics: true, tls: undefined },
};
const basic = (credentials: string): { readonly Authorization: string } => ({
  Authorization: `Basic ${Buffer.from(credentials).toString("base64")}`,
});
const operator = basic("invoker.user:invoker.pass");

describe("the admin pages", () => {
  const servers: AdminServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });

  type Ask = (
    route: string,
    headers?: { readonly [name: string]: string },
  ) => Promise<{
    readonly status: number;
    readonly body: string;
    readonly headers: Headers;
    readonly url: string;
  }>;

  async function serving(
    changed: Partial<AdminSettings> = {},
  ): Promise<{ readonly ask: Ask; readonly invoker: StandIn }> {
    const invoker = new StandIn();
    const server = await serveAdmin(invoker, { ...settings, ...changed });
    servers.push(server);
    const ask: Ask = async (route, headers = {}) => {
      const [method = "", path] = route.split(" ");
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method, headers });
      const { status, headers: told, url } = response;
      return { status, body: await response.text(), headers: told, url };
    };
    return { ask, invoker };
  }

  it("answer a ping to everybody", async () => {
    const { ask } = await serving();
    const { status, body, headers } = await ask("GET /ping");
    expect([status, body]).to.deep.equal([200, "pong"]);
    expect(headers.get("content-type")).to.match(/^text\/plain/);
    expect((await ask("GET /ping?at=once")).body).to.equal("pong");
  });

  it("answer HEAD as GET, without the body", async () => {
    const { ask } = await serving();
    for (const [path, headers, status] of [
      ["/ping", {}, 200],
      ["/ready", {}, 200],
      ["/isEnabled", operator, 200],
      ["/isEnabled", {}, 401],
    ] as const) {
      const got = await ask(`GET ${path}`, headers);
      const head = await ask(`HEAD ${path}`, headers);
      expect([got.status, head.status, head.body], path).to.deep.equal([status, status, ""]);
      for (const name of ["content-type", "content-length"])
        expect(head.headers.get(name), name).to.equal(got.headers.get(name));
    }
  });

  it("tell of each answer by method and status", async () => {
    const answers: unknown[] = [];
    const server = await serveAdmin(new StandIn(), settings, {
      answered: (method, status, tookMs) => answers.push([method, status, tookMs >= 0]),
      acceptFailed: (error) => answers.push(error),
      lookFailed: (error) => answers.push(error),
    });
    servers.push(server);
    for (const [method, path] of [
      ["GET", "/ping"],
      ["POST", "/disable"],
    ] as const) {
      await (await fetch(`http://127.0.0.1:${server.port}${path}`, { method })).text();
    }
    expect(answers).to.deep.equal([
      ["GET", 200, true],
      ["POST", 401, true],
    ]);
  });

  it("refuse what a page of another site asks by a browser that has been let in", async () => {
    const { ask, invoker } = await serving();
    for (const origin of ["http://127.0.0.1:1", "http://elsewhere.example", "null"]) {
      const { status, body } = await ask("POST /disable", { ...operator, origin });
      expect([status, JSON.parse(body).error]).to.deep.equal([
        403,
        "Pages of other sites may change nothing here.",
      ]);
    }
    expect(invoker.isEnabled).to.equal(true);
    expect(
      (await ask("GET /isEnabled", { ...operator, origin: "http://elsewhere.example" })).status,
    ).to.equal(200);
    const { port } = new URL((await ask("GET /ping")).url);
    expect((await ask("POST /disable", { ...operator, origin: `http://127.0.0.1:${port}` })).status).to.equal(
      200,
    );
  });

  it("enable and disable in stock's words", async () => {
    const { ask, invoker } = await serving();
    const said: string[] = [];
    for (const verb of ["enable", "disable", "disable", "enable", "enable"]) {
      const { status, body, headers } = await ask(`POST /${verb}`, operator);
      expect(status).to.equal(200);
      expect(headers.get("content-type")).to.match(/^text\/plain/);
      said.push(body);
    }
    expect(said).to.deep.equal([
      "invoker0/0 is already enabled.",
      "invoker0/0 is now disabled.",
      "invoker0/0 is already disabled.",
      "invoker0/0 is now enabled.",
      "invoker0/0 is already enabled.",
    ]);
    invoker.disable();
    const { body, headers } = await ask("GET /isEnabled", operator);
    expect(body).to.equal('{"enabled":false}');
    expect(headers.get("content-type")).to.match(/^text\/plain/);
  });

  const strangers: readonly (readonly [string, { readonly [name: string]: string }])[] = [
    ["without credentials", {}],
    ["with another password", basic("invoker.user:invoker.pas")],
    ["with another name", basic("invoker.use:invoker.pass")],
    ["with nothing in the credentials", basic("")],
    ["with credentials that are none", { Authorization: "Basic" }],
    ["with another scheme", { Authorization: operator.Authorization.replace("Basic", "Bearer") }],
  ];
  for (const [who, headers] of strangers) {
    it(`turn away who comes ${who}, whatever the path`, async () => {
      const { ask, invoker } = await serving();
      for (const route of [
        "POST /disable",
        "GET /isEnabled",
        "GET /pool/count",
        "GET /nothing",
        "POST /ping",
      ]) {
        const answer = await ask(route, { ...headers, "X-Request-ID": "tid" });
        expect(answer.status, route).to.equal(401);
        expect(answer.headers.get("content-type")).to.equal("application/json");
        expect(answer.body).to.equal(
          '{\n  "code": "tid",\n  "error": "The authentication is possible but has failed or not yet been provided."\n}',
        );
      }
      expect(invoker.isEnabled).to.equal(true);
    });
  }

  it("tell an operator what is not there, and how else to ask", async () => {
    const { ask } = await serving();
    const missing = await ask("GET /nothing", { ...operator, "X-Request-ID": "tid" });
    expect([missing.status, JSON.parse(missing.body)]).to.deep.equal([
      404,
      { code: "tid", error: "The requested resource could not be found." },
    ]);
    const other = await ask("GET /disable", operator);
    expect(other.status).to.equal(405);
    expect(JSON.parse(other.body).error).to.equal("HTTP method not allowed, supported methods: POST");
  });

  it("carry the caller's transaction id, or one of their own where that is missing or the system's", async () => {
    const { ask } = await serving();
    const idOf = async (headers: { readonly [name: string]: string }): Promise<string | null> =>
      (await ask("GET /ping", headers)).headers.get("x-request-id");
    expect(await idOf({ "x-request-id": "mine" })).to.equal("mine");
    const made = [await idOf({}), await idOf({}), await idOf({ "X-Request-ID": "sid_invoker" })];
    for (const id of made) expect(id).to.match(/^[A-Za-z0-9]{32}$/);
    expect(new Set(made).size).to.equal(3);
    const { ask: askOther } = await serving({ transactionHeader: "X-Trace" });
    const { headers } = await askOther("GET /ping", { "X-Trace": "mine", "X-Request-ID": "not this" });
    expect(headers.get("x-trace")).to.equal("mine");
    expect(headers.get("x-request-id")).to.equal(null);
  });

  it("show metrics to everybody where they are wanted, and to nobody else", async () => {
    const { ask } = await serving();
    expect((await ask("GET /metrics")).body).to.equal("some_metric 1\n");
    const { ask: askWithout } = await serving({ showsMetrics: false });
    expect((await askWithout("GET /metrics")).status).to.equal(401);
    expect((await askWithout("GET /metrics", operator)).status).to.equal(404);
  });

  it("say what is not ready", async () => {
    const { ask, invoker } = await serving();
    const ready = await ask("GET /ready");
    expect([ready.status, JSON.parse(ready.body).notReady]).to.deep.equal([200, []]);
    invoker.shown = { ...status, phase: "starting", notReady: ["database", "pool"] };
    const waiting = await ask("GET /ready");
    expect([waiting.status, JSON.parse(waiting.body)]).to.deep.equal([
      503,
      {
        ...{ phase: "starting", notReady: ["database", "pool"] },
        ...{ underWay: 3, done: 7, waiting: 1, memoryMB: 1024, reservedMB: 1280 },
      },
    ]);
  });

  it("show the pool, and how much is under way", async () => {
    const { ask, invoker } = await serving();
    expect(JSON.parse((await ask("GET /pool", operator)).body)).to.deep.equal({
      totalContainers: 5,
      inProgressCount: 1,
      prewarmedPool: { total: 2, countsByKind: { "nodejs:20": 1, "python:3": 1 } },
      busyPool: { total: 1, containers: ["3 nodejs:20"] },
      pausedPool: { total: 1, containers: ["4 nodejs:20"] },
    });
    expect((await ask("GET /pool/count", operator)).body).to.equal("3");
    invoker.shown = { ...status, underWay: 0 };
    expect((await ask("GET /pool/count", operator)).body).to.equal("0");
  });

  it("report a fault of the invoker as one", async () => {
    const { ask, invoker } = await serving();
    invoker.metrics = () => Promise.reject(new Error("a fault of ours"));
    const { status, body } = await ask("GET /metrics");
    expect([status, JSON.parse(body).error]).to.deep.equal([500, "a fault of ours"]);
    expect((await ask("GET /ping")).status).to.equal(200);
  });

  it("are not served on a port that is taken", async () => {
    await serving();
    const [{ port } = { port: 0 }] = servers;
    const failure = await serveAdmin(new StandIn(), { ...settings, port }).catch((error: unknown) => error);
    expect(failure).to.have.property("code", "listen");
    expect(failure).to.have.nested.property("cause.code", "EADDRINUSE");
    expect(String(failure)).to.match(new RegExp(`127.0.0.1:${port} .*: set PORT to a free one$`));
  });

  it("go on when somebody could not be let in", async () => {
    const { listen } = Server.prototype;
    let listening: Server | undefined;
    Server.prototype.listen = function (this: Server, ...how: unknown[]) {
      listening = this;
      return Reflect.apply(listen, this, how);
    };
    const failures: string[] = [];
    try {
      const acceptFailed = ({ message }: Error): unknown => failures.push(message);
      const unheard = { answered: () => undefined, lookFailed: () => undefined };
      servers.push(await serveAdmin(new StandIn(), settings, { ...unheard, acceptFailed }));
    } finally {
      Server.prototype.listen = listen;
    }
    // As Node tells of what the kernel answers when it is out of memory.
    listening?.emit("error", new Error("accept ENOBUFS"));
    expect(failures).to.deep.equal(["accept ENOBUFS"]);
    expect(await (await fetch(`http://127.0.0.1:${servers[0]?.port}/ping`)).text()).to.equal("pong");
  });
});
