// What the `--web` flags of the OpenWhisk command line make of an action, at the address that `wsk action get --url` prints.

import { expect } from "chai";
import { startTestServer, type TestServer } from "../unit/standalone/server.ts";
import { recorded } from "./wsk-replay.ts";

const base = "/api/v1/namespaces/_/actions";
const parameters = [{ key: "greeting", value: "hi" }];

describe("an action after wsk's", () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
    await server.send("PUT", `${base}/hello`, { exec: { kind: "nodejs:20", code: ";" }, parameters });
  });
  after(async () => {
    await server.stop();
  });

  /** Sends what wsk sends. */
  async function wsk(command: string): Promise<void> {
    const { requests } = recorded.find((one) => one.command === command) ?? { requests: [] };
    expect(requests, command).to.not.deep.equal([]);
    for (const { method, path, body } of requests) {
      expect((await server.send(method, path, body)).status).to.equal(200);
    }
  }

  /** As wsk makes it of what it gets: the name's own package, or `default`. */
  async function urlOf(name: string): Promise<string> {
    const { namespace } = (await server.send("GET", `${base}/${name}?code=false`)).body;
    return `${server.url}/api/v1/web/${namespace.includes("/") ? namespace : `${namespace}/default`}/${name}`;
  }

  async function ask(url: string, headers: { readonly [name: string]: string } = {}) {
    const response = await fetch(url, { headers });
    const body = (await response.json()) as { readonly [field: string]: unknown };
    return { status: response.status, body };
  }

  it("`--web raw` gets requests as they are, and after `--web false` is nobody's but its owner's", async () => {
    await wsk("wsk action update hello --web raw");
    const url = await urlOf("hello");
    const { status, body } = await ask(`${url}.json?greeting=you`);
    expect([status, body.greeting, body.__ow_query]).to.deep.equal([200, "hi", "greeting=you"]);
    await wsk("wsk action update hello --web false");
    expect((await ask(`${url}.json`)).status).to.equal(404);
    const invoked = await server.send("POST", `${base}/hello?blocking=true&result=true`, { greeting: "you" });
    expect([invoked.status, invoked.body]).to.deep.equal([200, { greeting: "you" }]);
  });

  it("`--web true --web-secure` takes whoever knows the secret", async () => {
    await wsk("wsk action create secure hello.js --web true --web-secure s3cr3t");
    const url = await urlOf("secure");
    expect((await ask(`${url}.json`)).status).to.equal(401);
    const { status, body } = await ask(`${url}.json?name=x`, { "X-Require-Whisk-Auth": "s3cr3t" });
    expect([status, body.name]).to.deep.equal([200, "x"]);
  });
});
