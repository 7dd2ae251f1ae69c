// Actions as controllers store them, read from a CouchDB-compatible server over HTTP: where their code is, and what is wrong with them.

import { randomUUID } from "node:crypto";
import { expect } from "chai";
import type { ActionFetchError, StoredAction } from "../../invoker/store/stores.ts";
import { databases } from "./couch.ts";
import { type Attachment, StoredActions, source } from "./stored-actions.ts";

const archive = Buffer.from([0x50, 0x4b, 3, 4, 0xff, 0xfe, 0, 0x80, 0xc3, 0x28]);

describe("an action in CouchDB", () => {
  let setting: StoredActions;
  before(async () => {
    setting = await StoredActions.start();
  });
  after(() => setting.close());
  beforeEach(() => {
    setting.couch.gate.seen = [];
  });

  async function fetch(exec: unknown, attachment?: Attachment): Promise<StoredAction> {
    const { id, rev } = await setting.store(exec, attachment === undefined ? {} : { attachment });
    return await setting.stores.actions.fetch(id, rev);
  }

  async function refusal(
    exec: unknown,
    attachment?: Attachment,
    more: object = {},
  ): Promise<ActionFetchError> {
    const { id, rev } = await setting.store(exec, attachment === undefined ? { more } : { attachment, more });
    return await setting.failure(id, rev);
  }

  describe("has its code", () => {
    const uuid = randomUUID();
    const attached = { attachmentName: `couch:${uuid}`, attachmentType: "text/plain; charset=UTF-8" };
    const mem = (bytes: Buffer): object => ({
      attachmentName: `mem:${bytes.toString("base64").replaceAll("+", "-").replaceAll("/", "_")}`,
      attachmentType: "application/octet-stream",
      digest: "sha256-00",
    });
    const text = { type: "text/plain; charset=UTF-8", bytes: Buffer.from(`\ufeff${source} // ü`) };

    const forms: readonly (readonly [string, object, Attachment | undefined, Buffer | undefined, boolean])[] =
      [
        ["as text in the document", { code: source }, undefined, Buffer.from(source), false],
        [
          "as text there, though the document says archive",
          { code: source, binary: true },
          undefined,
          Buffer.from(source),
          false,
        ],
        [
          "as an archive in the document",
          { code: ` ${archive.toString("base64")}\n` },
          undefined,
          archive,
          true,
        ],
        [
          "as an archive there, though the document says text",
          { code: archive.toString("base64"), binary: false },
          undefined,
          archive,
          true,
        ],
        ["under its old name", { jar: archive.toString("base64") }, undefined, archive, true],
        ["as text in the name", { code: mem(Buffer.from(source)) }, undefined, Buffer.from(source), false],
        ["as an archive in the name", { code: mem(archive), binary: true }, undefined, archive, true],
        ["as text beside the document", { code: attached }, { name: uuid, ...text }, text.bytes, false],
        [
          "as an archive that calls itself text",
          { code: attached, binary: true },
          { name: uuid, type: "text/plain", bytes: archive },
          archive,
          true,
        ],
        [
          "as text that calls itself JSON",
          { code: attached },
          { name: uuid, type: "application/json", bytes: Buffer.from("[1.0") },
          Buffer.from("[1.0"),
          false,
        ],
        [
          "beside the document under a name without a scheme",
          { code: { ...attached, attachmentName: "codefile" } },
          { name: "codefile", ...text },
          text.bytes,
          false,
        ],
        [
          "beside the document under the old name",
          { jar: { ...attached, attachmentName: "jarfile" }, binary: true },
          { name: "jarfile", type: "application/java-archive", bytes: archive },
          archive,
          true,
        ],
      ];
    for (const [what, exec, attachment, code, binary] of forms) {
      it(what, async () => {
        const action = await fetch({ kind: "nodejs:20", ...exec }, attachment);
        expect(action.code?.toString("hex")).to.equal(code?.toString("hex"));
        expect(action.binary).to.equal(binary);
        expect(action.document.version).to.equal("0.0.3");
      });
    }

    for (const code of [undefined, "", " \n"]) {
      it(`or none, of an image with ${JSON.stringify(code)}`, async () => {
        const action = await fetch({ kind: "blackbox", image: "me/mine", code, binary: true });
        expect(action.code).to.equal(undefined);
        expect(action.binary).to.equal(false);
        expect(action.document.exec).to.deep.equal({ kind: "blackbox", image: "me/mine" });
      });
    }
  });

  it("is found by a name with every sign that names may have", async () => {
    const id = "a b@c&d.e-f/p q+r/n_ä 100%~!'()*";
    const { rev } = await setting.store({ kind: "nodejs:20", code: source }, { id });
    const { document } = await setting.stores.actions.fetch(id, rev);
    expect(document._id).to.equal(id);
    expect(setting.couch.gate.seen.map(({ what }) => what)).to.deep.equal([
      `GET /${databases.whisks}/a+b%40c%26d.e-f%2Fp+q%2Br%2Fn_%C3%A4+100%25%7E%21%27%28%29*`,
    ]);
  });

  it("has the kind that runs it, in lower case", async () => {
    const { document } = await fetch({ kind: " NodeJS:20 ", code: source, main: "go" });
    expect(document.exec).to.include({ kind: "nodejs:20", main: "go" });
  });

  it("of another age is read all the same", async () => {
    const { id, rev } = await setting.store(
      { kind: "nodejs:20", code: source, main: null },
      {
        more: { entityType: undefined, updated: undefined, limits: { timeout: 1000, memory: 128 } },
      },
    );
    const { document } = await setting.stores.actions.fetch(id, rev);
    expect(document.limits).to.deep.equal({ timeout: 1000, memory: 128 });
    expect(document.exec).not.to.have.property("main");
  });

  describe("is unreadable", () => {
    const exec = { kind: "nodejs:20", code: source };
    const good = { type: "text/plain", bytes: Buffer.from(source) };
    const cases: readonly (readonly [string, object, object, RegExp])[] = [
      ["when it is a trigger", exec, { entityType: "trigger" }, /entityType is trigger/],
      ["when its kind is not in the manifest", { ...exec, kind: "cobol:1" }, {}, /no kind cobol:1/],
      ["without a kind", { code: source }, {}, /exec.kind/],
      ["without limits", exec, { limits: undefined }, /limits are missing/],
      ["without a time limit", exec, { limits: { memory: 256 } }, /limits.timeout/],
      [
        "with a memory limit that is no number",
        exec,
        { limits: { timeout: 1, memory: "256" } },
        /limits.memory/,
      ],
      [
        "with a log limit that is no number",
        exec,
        { limits: { timeout: 1, memory: 1, logs: "1" } },
        /limits.logs/,
      ],
      ["without a version", exec, { version: undefined }, /version/],
      ["without a name", exec, { name: undefined }, /name is no string/],
      ["without a namespace", exec, { namespace: 7 }, /namespace/],
      ["without publish", exec, { publish: "no" }, /publish/],
      ["with annotations that are an object", exec, { annotations: { a: 1 } }, /annotations/],
      ["with a parameter without a value", exec, { parameters: [{ key: "a" }] }, /parameters/],
      ["without code", { kind: "nodejs:20" }, {}, /exec.code/],
      ["with code that is a number", { kind: "nodejs:20", code: 7 }, {}, /exec.code/],
      [
        "with attached code of a kind that has none",
        { kind: "plain:1", code: { attachmentName: "mem:", attachmentType: "t" } },
        {},
        /exec.code/,
      ],
      [
        "without the type of its attachment",
        { kind: "nodejs:20", code: { attachmentName: "mem:" } },
        {},
        /exec.code/,
      ],
      ["without the main that its kind needs", { kind: "java:8", code: source }, {}, /exec.main/],
      ["with a main that is no text", { ...exec, main: 7 }, {}, /exec.main/],
      ["as an image without a name", { kind: "blackbox" }, {}, /exec.image/],
      ["as a sequence without components", { kind: "sequence" }, {}, /exec.components/],
      ["without exec", "none", {}, /exec is missing/] as never,
    ];
    for (const [what, badExec, more, text] of cases) {
      it(what, async () => {
        const error = await refusal(badExec, undefined, more);
        expect(error.code).to.equal("unreadable");
        expect(error.message).to.match(text).and.contain(`guest/tools/hello-${setting.made}`);
      });
    }

    it("with two attachments", async () => {
      const { id, rev } = await setting.store(exec, { attachment: { name: "one", ...good } });
      const path = `${databases.whisks}/${encodeURIComponent(id)}/two?rev=${rev}`;
      const { body } = await setting.couch.send("PUT", path, good.bytes, good.type);
      const error = await setting.failure(id, body.rev);
      expect(error.code).to.equal("unreadable");
      expect(error.message).to.contain("2 attachments");
    });
  });

  it("that is not there is not found", async () => {
    const error = await setting.failure("guest/nowhere", "1-0");
    expect(error.code).to.equal("not-found");
  });

  it("whose attachment is not there is not found", async () => {
    const code = { attachmentName: `couch:${randomUUID()}`, attachmentType: "text/plain" };
    expect((await refusal({ kind: "nodejs:20", code })).code).to.equal("not-found");
  });

  it("whose attachment has another name is not fetched", async () => {
    const code = { attachmentName: `couch:${randomUUID()}`, attachmentType: "text/plain" };
    const attachment = { name: randomUUID(), type: "text/plain", bytes: archive };
    const error = await refusal({ kind: "nodejs:20", code }, attachment);
    expect(error.code).to.equal("unavailable");
    expect(error.message).to.contain(code.attachmentName).and.contain(attachment.name);
  });

  it("whose name is the code itself, while there is an attachment, is not fetched, nor shown to operators", async () => {
    const inName = archive.toString("base64url");
    const code = { attachmentName: `mem:${inName}`, attachmentType: "text/plain" };
    const attachment = { name: randomUUID(), type: "text/plain", bytes: archive };
    const error = await refusal({ kind: "nodejs:20", code }, attachment);
    expect(error.code).to.equal("unavailable");
    expect(error.message).to.contain(attachment.name).and.not.contain(inName);
  });

  for (const [scheme, remedy] of [
    ["s3", "Give this invoker the controllers' whisk.spi.AttachmentStoreProvider and whisk.s3"],
    ["az", "Let the cluster keep code in CouchDB or S3"],
    ["mems", "Let the cluster keep code in CouchDB or S3"],
  ] as const) {
    it(`whose code is in a store of the scheme ${scheme}: is not fetched, and the remedy is said`, async () => {
      const code = { attachmentName: `${scheme}:x/y`, attachmentType: "text/plain" };
      const error = await refusal({ kind: "nodejs:20", code });
      expect(error.code).to.equal("unavailable");
      expect(error.message).to.contain(`the scheme ${scheme}:`).and.contain(remedy);
    });
  }

  it("that is a sequence is handed over as one", async () => {
    const { document, code } = await fetch({ kind: "sequence", components: ["/guest/a"] });
    expect(document.exec).to.deep.equal({ kind: "sequence", components: ["/guest/a"] });
    expect(code).to.equal(undefined);
  });
});
