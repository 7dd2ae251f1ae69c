// Actions through the API: what is kept, what an update changes, and what is refused.

import { expect } from "chai";
import { actionStore } from "../../../standalone/store/actions.ts";
import { startTestServer, type TestServer } from "./server.ts";

const base = "/api/v1/namespaces/_/actions";
const js = (code: string) => ({ exec: { kind: "nodejs:default", code } });

describe("actions", () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(async () => {
    await server.stop();
  });
  const put = (name: string, body: unknown, overwrite = true) =>
    server.send("PUT", `${base}/${name}?overwrite=${overwrite}`, body);
  const get = async (name: string, query = "") => (await server.send("GET", `${base}/${name}${query}`)).body;

  it("get defaults, the kind's annotation and no API key when they are new", async () => {
    const { status, body } = await put("fresh", js("function main() {}"), false);
    expect(status).to.equal(200);
    expect(body).to.deep.include({
      namespace: "guest",
      name: "fresh",
      version: "0.0.1",
      publish: false,
      parameters: [],
      limits: { timeout: 60_000, memory: 256, logs: 10, concurrency: 1 },
      exec: { kind: "nodejs:20", binary: false, code: "function main() {}" },
      annotations: [
        { key: "provide-api-key", value: false },
        { key: "exec", value: "nodejs:20" },
      ],
    });
    expect(body.updated).to.be.closeTo(Date.now(), 5_000);
    expect(body).to.not.have.any.keys("_id", "_rev", "entityType");
  });

  it("keep a wish for the API key", async () => {
    const { body } = await put("keyed", {
      ...js(";"),
      annotations: [{ key: "provide-api-key", value: true }],
    });
    expect(body.annotations).to.deep.include({ key: "provide-api-key", value: true });
  });

  it("that exist are a conflict unless they may be overwritten", async () => {
    await put("twice", js("1"));
    const { status, body } = await put("twice", js("2"), false);
    expect([status, body.error]).to.deep.equal([409, "resource already exists"]);
    expect((await get("twice")).exec.code).to.equal("1");
  });

  it("change only where an update says so, and count versions", async () => {
    await put("step", {
      ...js("1"),
      parameters: [{ key: "a", value: 1 }],
      limits: { memory: 512 },
      annotations: [{ key: "n", value: "x" }],
    });
    const { body } = await put("step", { limits: { timeout: 1000 } });
    expect(body.version).to.equal("0.0.2");
    expect(body.limits).to.deep.equal({ timeout: 1000, memory: 512, logs: 10, concurrency: 1 });
    expect(body.parameters).to.deep.equal([{ key: "a", value: 1 }]);
    expect(body.exec.code).to.equal("1");
    const annotated = await put("step", { annotations: [{ key: "web-export", value: true }] });
    expect(annotated.body.annotations).to.deep.equal([
      { key: "web-export", value: true },
      { key: "exec", value: "nodejs:20" },
    ]);
    const removed = await put("step", { delAnnotations: ["web-export"], version: "2.0.0" });
    expect(removed.body.annotations).to.deep.equal([{ key: "exec", value: "nodejs:20" }]);
    expect(removed.body.version).to.equal("2.0.0");
  });

  it("show their code unless told not to", async () => {
    await put("shown", js("code;"));
    expect((await get("shown")).exec).to.deep.equal({ kind: "nodejs:20", binary: false, code: "code;" });
    expect((await get("shown", "?code=false")).exec).to.deep.equal({ kind: "nodejs:20", binary: false });
  });

  it("give back text and archives of any size byte for byte", async () => {
    const text = `// ä ☃ 𝄞\n${"x = 1;\n".repeat(10_000)}`;
    const archive = Buffer.alloc(100_001, 7).toString("base64");
    for (const [name, code, binary] of [
      ["text", text, false],
      ["archive", archive, true],
      ["tiny", "UEsDBBQA", true],
    ] as const) {
      const { body } = await put(name, js(code));
      expect(body.exec).to.deep.equal({ kind: "nodejs:20", binary, code });
      expect((await get(name)).exec.code).to.equal(code);
      const stored = await actionStore(server.services.entities).fetch(`guest/${name}`, null);
      expect(stored.binary).to.equal(binary);
      expect(stored.code?.equals(Buffer.from(code, binary ? "base64" : "utf8"))).to.equal(true);
    }
  });

  it("keep an attachment through updates of other fields, and lose it with smaller code", async () => {
    const code = "// ".repeat(10_000);
    await put("large", js(code));
    const { body } = await put("large", { publish: true });
    expect(body.exec.code).to.equal(code);
    await put("large", js("small;"));
    const document = await server.services.entities.get("action", "guest/large");
    expect(document).to.not.have.property("_attachments");
    expect((await get("large")).exec.code).to.equal("small;");
  });

  it("stand in the database as OpenWhisk writes them", async () => {
    await put("documented", {
      ...js("// ".repeat(10_000)),
      parameters: [{ key: "STAGE", value: "prod", init: true }],
    });
    const document = await server.services.entities.get("action", "guest/documented");
    expect(document).to.have.all.keys(
      ...["_id", "_rev", "namespace", "name", "exec", "parameters", "limits", "version", "publish"],
      ...["annotations", "updated", "entityType", "_attachments"],
    );
    const [name] = Object.keys(document?._attachments ?? {});
    expect(document?.exec).to.deep.equal({
      kind: "nodejs:20",
      binary: false,
      code: { attachmentName: `couch:${name}`, attachmentType: "text/plain; charset=UTF-8" },
    });
    expect(document?._attachments?.[name ?? ""]).to.deep.include({
      content_type: "text/plain; charset=UTF-8",
      length: 30_000,
      stub: true,
    });
  });

  it("are listed latest first without code, in parts, and counted", async () => {
    const all = await server.send("GET", `${base}?limit=0`);
    const updated = all.body.map((action: { updated: number }) => action.updated);
    expect(updated).to.deep.equal([...updated].sort((a, b) => b - a));
    expect(all.body[0].exec).to.have.all.keys("binary");
    const part = await server.send("GET", `${base}?limit=2&skip=1`);
    expect(part.body).to.deep.equal(all.body.slice(1, 3));
    expect((await server.send("GET", `${base}?count=true&skip=1`)).body).to.deep.equal({
      actions: all.body.length - 1,
    });
  });

  it("are gone once deleted, and can come back", async () => {
    await put("gone", js("1"));
    const { status, body } = await server.send("DELETE", `${base}/gone`);
    expect([status, body.name]).to.deep.equal([200, "gone"]);
    expect((await server.send("GET", `${base}/gone`)).status).to.equal(404);
    expect((await server.send("DELETE", `${base}/gone`)).status).to.equal(404);
    expect((await put("gone", js("2"), false)).body.version).to.equal("0.0.1");
  });

  it("outside the limits are refused with the limit", async () => {
    const refusals: [limits: unknown, text: string][] = [
      [{ timeout: 99 }, "duration 99 milliseconds below allowed threshold of 100 milliseconds"],
      [{ timeout: 300_001 }, "duration 300001 milliseconds exceeds allowed threshold of 300000 milliseconds"],
      [{ memory: 127 }, "memory size 127 MB below allowed threshold of 128 MB"],
      [{ memory: 513 }, "memory size 513 MB exceeds allowed threshold of 512 MB"],
      [{ logs: 11 }, "log size 11 MB exceeds allowed threshold of 10 MB"],
      [{ concurrency: 2 }, "concurrency 2 exceeds allowed threshold of 1"],
      [{ memory: "big" }, "The request content was malformed:\nmemory limit malformed"],
      [{ timeout: 1.5 }, "The request content was malformed:\ntime limit must be whole number"],
    ];
    for (const [limits, text] of refusals) {
      const { status, body } = await put("limited", { ...js(";"), limits });
      expect([status, body.error]).to.deep.equal([400, text]);
    }
    expect((await server.send("GET", `${base}/limited`)).status).to.equal(404);
  });

  it("need code when they are new", async () => {
    const { status, body } = await put("empty", { limits: { memory: 256 } });
    expect([status, body.error]).to.deep.equal([400, "exec undefined"]);
  });

  it("of an outdated runtime are refused", async () => {
    const { status, body } = await put("old", { exec: { kind: "nodejs:10", code: ";" } });
    expect(status).to.equal(400);
    expect(body.error).to.match(/^The 'nodejs:10' runtime is no longer supported\./);
  });

  it("too large in code, parameters or annotations are refused with both sizes", async () => {
    const megabyte = "x ".repeat(1 << 19);
    const code = await put("fat", js(" ".repeat((48 << 20) + 1)));
    expect([code.status, code.body.error]).to.deep.equal([
      413,
      "exec larger than allowed: 50331649 > 50331648 bytes.",
    ]);
    for (const field of ["parameters", "annotations"]) {
      const { status, body } = await put("fat", { ...js(";"), [field]: [{ key: "a", value: megabyte }] });
      expect([status, body.error]).to.deep.equal([
        413,
        `${field} larger than allowed: 1048579 > 1048576 bytes.`,
      ]);
    }
    const body = await put("fat", " ".repeat((50 << 20) + 1));
    expect(body.status).to.equal(413);
  });

  it("changed by two at once are changed by one, and the other is told", async () => {
    await put("raced", js("0"));
    const answers = await Promise.all([1, 2, 3, 4].map((n) => put("raced", js(String(n)))));
    const statuses = answers.map((answer) => answer.status);
    expect(statuses.filter((status) => status === 200)).to.have.length.of.at.least(1);
    expect(statuses.every((status) => status === 200 || status === 409)).to.equal(true);
    const refused = answers.find((answer) => answer.status === 409);
    expect(refused?.body.error ?? "Concurrent modification to resource detected.").to.equal(
      "Concurrent modification to resource detected.",
    );
    expect((await get("raced")).version).to.equal(
      `0.0.${1 + statuses.filter((status) => status === 200).length}`,
    );
  });

  it("cannot be reached under the name of something else", async () => {
    await server.send("PUT", "/api/v1/namespaces/_/triggers/trig", {});
    const { status, body } = await server.send("GET", `${base}/trig`);
    expect([status, body.error]).to.deep.equal([
      409,
      "Resource by this name exists but is not in this collection.",
    ]);
  });
});
