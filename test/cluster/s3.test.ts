// Code of actions that the cluster keeps in S3: from a real server of that protocol, which checks signatures; its bad days from a mock.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { S3Attachments, type S3Settings } from "../../invoker/store/attachments/s3.ts";
import { ActionFetchError } from "../../invoker/store/stores.ts";
import { TestCouch } from "./couch.ts";
import { type S3Server, s3Keys, s3Region, startS3 } from "./s3-server.ts";
import { type Scripted, ScriptedCouch } from "./scripted-couch.ts";

const name = "0d6b6b4a-7cf1-4d54-ab6b-4a7cf1bd5427";
const archive = Buffer.from([0x50, 0x4b, 3, 4, 0xff, 0xfe, 0, 0x80, 0xc3, 0x28]);
const bucket = "openwhisk";

/** The error that it rejects with. */
async function refusal(read: Promise<unknown>): Promise<ActionFetchError> {
  const error = await read.catch((caught: unknown) => caught);
  expect(error).to.be.instanceOf(ActionFetchError);
  return error as ActionFetchError;
}

describe("code in S3", function () {
  this.timeout(120_000);
  let folder: string;
  let server: S3Server;
  const opened: S3Attachments[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-s3-"));
    server = await startS3(folder);
    await server.put(bucket);
  });
  afterEach(() => Promise.all(opened.splice(0).map((one) => one.close())));
  after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  const settingsOf = (more: Partial<S3Settings> = {}): S3Settings => ({
    ...{ bucket, region: s3Region, endpoint: server.url, pathStyle: true, credentials: s3Keys },
    ...more,
  });
  const open = (settings = settingsOf()): S3Attachments => {
    const attachments = new S3Attachments(settings);
    opened.push(attachments);
    return attachments;
  };

  for (const [what, id, prefix] of [
    ["of an action", "guest/hello", undefined],
    ["of an action in a package", "guest/tools/hello", undefined],
    ["below a prefix of several parts", "guest/hello", "west/cluster 1"],
    ["whose names have all letters that names may have", "guest/my tools/a@b & c-d.e_f", "ü(1)!*'+~"],
  ] as const) {
    it(`${what} is read byte for byte`, async () => {
      const key = `${prefix === undefined ? "" : `${prefix}/`}whiskentity/${id}/${name}`;
      await server.put(bucket, key, archive);
      const read = await open(settingsOf(prefix === undefined ? {} : { prefix })).read(id, name);
      expect(read).to.deep.equal(archive);
    });
  }

  it("that is not there is gone", async () => {
    const error = await refusal(open().read("guest/nobody", name));
    expect(error.code).to.equal("not-found");
    expect(error.message).to.contain("guest/nobody").and.contain("NoSuchKey");
  });

  const unsigned = (): S3Settings => {
    const { credentials: _, ...others } = settingsOf();
    return others;
  };
  const forged = { ...s3Keys, secretAccessKey: "s3cret" };
  for (const [what, settings, said] of [
    ["with another key", () => settingsOf({ credentials: forged }), "SignatureDoesNotMatch"],
    ["without a signature", unsigned, "AccessDenied"],
    ["from a bucket that is not there", () => settingsOf({ bucket: "elsewhere" }), "NoSuchBucket"],
  ] as const) {
    it(`that is asked for ${what} is not fetched, which is no word on whether it is there`, async () => {
      const error = await refusal(open(settings()).read("guest/hello", name));
      expect(error.code).to.equal("unavailable");
      expect(error.message).to.contain(said).and.not.contain("s3cret");
    });
  }

  it("is read with the credentials of a session", async () => {
    const mock = await ScriptedCouch.start(() => ({ body: "code" }));
    const credentials = { ...s3Keys, sessionToken: "of a session" };
    const read = await open(settingsOf({ endpoint: `http://127.0.0.1:${mock.port}`, credentials })).read(
      "guest/a",
      name,
    );
    await mock.stop();
    expect(String(read)).to.equal("code");
    const [asked] = mock.asked;
    expect(asked?.what).to.equal(`GET /openwhisk/whiskentity/guest/a/${name}`);
    expect(asked?.headers["x-amz-security-token"]).to.equal("of a session");
    expect(asked?.headers.authorization).to.contain("x-amz-security-token");
  });

  for (const [what, first] of [
    ["is busy", { status: 503, body: "<Error><Code>SlowDown</Code></Error>" }],
    ["breaks off", { how: "half", body: "0123456789" }],
    ["resets the connection", { how: "reset" }],
  ] as const) {
    it(`is asked for again where S3 ${what}, and not for ever`, async () => {
      let bad = 2;
      const mock = await ScriptedCouch.start((): Scripted => (bad-- > 0 ? first : { body: "code" }));
      const attachments = open(settingsOf({ endpoint: `http://127.0.0.1:${mock.port}` }));
      expect(String(await attachments.read("guest/a", name))).to.equal("code");
      expect(mock.asked.length).to.equal(3);
      bad = Number.POSITIVE_INFINITY;
      expect((await refusal(attachments.read("guest/a", name))).code).to.equal("unavailable");
      expect(mock.asked.length).to.equal(7);
      await mock.stop();
    });
  }

  it("is asked for once where S3 refuses", async () => {
    const mock = await ScriptedCouch.start(() => ({ status: 403, body: "<Error><Code>No</Code></Error>" }));
    await refusal(open(settingsOf({ endpoint: `http://127.0.0.1:${mock.port}` })).read("guest/a", name));
    await mock.stop();
    expect(mock.asked.length).to.equal(1);
  });

  it("is found through the action's document, and kept at hand with it", async () => {
    const couch = await TestCouch.start();
    const stores = await couch.open({ s3: settingsOf() });
    const document = {
      ...{ _id: "guest/stored", namespace: "guest", name: "stored", version: "0.0.1", publish: false },
      ...{ parameters: [], annotations: [], limits: { timeout: 60_000, memory: 256 }, entityType: "action" },
      exec: {
        ...{ kind: "nodejs:20", binary: true },
        code: { attachmentName: `s3:${name}`, attachmentType: "application/octet-stream", length: 10 },
      },
    };
    try {
      const revision = await couch.put("whisks", document);
      expect((await refusal(stores.actions.fetch("guest/stored", revision))).code).to.equal("not-found");
      await server.put(bucket, `whiskentity/guest/stored/${name}`, archive);
      const action = await stores.actions.fetch("guest/stored", revision);
      expect([action.code, action.binary]).to.deep.equal([archive, true]);
      expect(await stores.actions.fetch("guest/stored", revision)).to.equal(action);
    } finally {
      await stores.close(0);
      await couch.stop();
    }
  });
});
