// The executable part of actions: which code is binary, where it is kept, and how it comes back.

import { expect } from "chai";
import { readConfigFile } from "../../../invoker/settings.ts";
import { execForDocument, isBinaryCode, readExec } from "../../../standalone/exec.ts";
import { Manifest, type ManifestTemplate } from "../../../standalone/manifest.ts";

const template = readConfigFile("runtimes.template.json") as ManifestTemplate;
const manifest = new Manifest(template, ["nodejs:20", "nodejs:24", "python:3"]);
const context = { manifest, own: "guest", maxBytes: 1000 };
const inlineBelow = 16_384;

describe("code", () => {
  it("is binary when it looks like base64, whatever the request says", () => {
    expect(isBinaryCode("UEsDBBQAAAAIAA==")).to.equal(true);
    expect(isBinaryCode(" UEsDBBQA \n")).to.equal(true);
    for (const text of ["", "function main() {}", "UEsDB", "UEs=DBQA", "A===", "===="]) {
      expect(isBinaryCode(text), text).to.equal(false);
    }
  });

  it("below the limit is kept in the name, above it in an attachment named like one of CouchDB", () => {
    const small = execForDocument(
      readExec({ kind: "nodejs:20", code: "x;".repeat(450) }, context),
      inlineBelow,
    );
    expect(small.attachment).to.equal("none");
    expect(small.exec).to.deep.include({ kind: "nodejs:20", binary: false });
    const name =
      ("code" in small.exec && typeof small.exec.code === "object" && small.exec.code.attachmentName) || "";
    expect(Buffer.from(name.replace(/^mem:/, ""), "base64url").toString()).to.equal("x;".repeat(450));
    expect(name).to.match(/^mem:[\w-]+={0,2}$/);

    const source = "y;".repeat(inlineBelow / 2);
    const large = execForDocument(
      readExec({ kind: "nodejs:20", code: source }, { ...context, maxBytes: 1e6 }),
      inlineBelow,
    );
    expect(large.attachment).to.deep.include({
      contentType: "text/plain; charset=UTF-8",
      bytes: Buffer.from(source),
    });
    expect("code" in large.exec && large.exec.code).to.deep.equal({
      attachmentName: `couch:${large.attachment !== "none" && large.attachment.name}`,
      attachmentType: "text/plain; charset=UTF-8",
    });
  });

  it("that is an archive is kept as the archive itself", () => {
    const bytes = Buffer.from([0x50, 0x4b, 3, 4, 0xfb, 0xff, 0xfe, 0, 1]);
    const requested = readExec({ kind: "nodejs:20", code: bytes.toString("base64") }, context);
    const { exec } = execForDocument(requested, inlineBelow);
    expect(exec).to.deep.include({ binary: true });
    const code = ("code" in exec && typeof exec.code === "object" && exec.code) || undefined;
    expect(code?.attachmentType).to.equal("application/octet-stream");
    expect(Buffer.from(code?.attachmentName.slice(4) ?? "", "base64url").equals(bytes)).to.equal(true);
    expect(code?.length).to.equal(bytes.length);
    expect(code?.digest).to.match(/^sha256-[0-9a-f]{64}$/);
  });

  it("larger than allowed is refused with both sizes", () => {
    expect(() => readExec({ kind: "nodejs:20", code: "x".repeat(1001) }, context)).to.throw(
      "exec larger than allowed: 1001 > 1000 bytes.",
    );
  });
});

describe("kinds", () => {
  it("of the form family:default become the family's default", () => {
    expect(readExec({ kind: " NodeJS:default ", code: "x" }, context).kind).to.equal("nodejs:20");
    expect(readExec({ kind: "python:default", code: "x" }, context).kind).to.equal("python:3");
  });

  it("that are unknown are refused with those there are", () => {
    expect(() => readExec({ kind: "java:8", code: "x", main: "Hello" }, context)).to.throw(
      /kind 'java:8' not in Set\(.*nodejs:20, nodejs:24, .*python:3, sequence\)/,
    );
  });

  it("that are outdated are told apart from unknown ones", () => {
    expect(readExec({ kind: "nodejs:10", code: "x" }, context)).to.include({ deprecated: true });
  });

  it("that need an image are refused: nothing here could run them", () => {
    expect(() => readExec({ kind: "blackbox", image: "a/b", code: "x" }, context)).to.throw(
      "actions of an image of their own ('blackbox') are not supported yet",
    );
  });

  it("need the fields that belong to them", () => {
    expect(() => readExec({}, context)).to.throw("'kind' must be a string defined in 'exec'");
    expect(() => readExec({ kind: "nodejs:20" }, context)).to.throw(
      "'code' must be a string or attachment object",
    );
    expect(() => readExec({ kind: "nodejs:20", code: "x", main: 1 }, context)).to.throw("'main' be a string");
    expect(() => readExec({ kind: "sequence" }, context)).to.throw("'components' must be defined");
    expect(() => readExec({ kind: "sequence", components: "a" }, context)).to.throw(
      "'components' must be an array",
    );
  });

  it("sequence keep full names of their components", () => {
    const exec = readExec({ kind: "sequence", components: ["/_/a", "/other/pkg/b"] }, context);
    expect(execForDocument(exec, inlineBelow).exec).to.deep.equal({
      kind: "sequence",
      components: ["/guest/a", "/other/pkg/b"],
    });
  });
});

describe("the runtimes manifest", () => {
  it("takes the preferred kind as default, or the newest where that is missing", () => {
    expect(manifest.resolve("nodejs:default")?.kind).to.equal("nodejs:20");
    const newer = new Manifest(template, ["nodejs:22", "nodejs:8", "nodejs:24"]);
    expect(newer.resolve("nodejs:default")?.kind).to.equal("nodejs:24");
    expect(newer.resolve("python:3")).to.equal(undefined);
  });

  it("has exactly one default in each family", () => {
    for (const runtimes of Object.values(manifest.runtimes)) {
      expect(runtimes.filter((runtime) => runtime.default)).to.have.length(1);
    }
  });

  it("is refused when it would be empty", () => {
    expect(() => new Manifest(template, [])).to.throw("No language runtime is available");
  });
});
