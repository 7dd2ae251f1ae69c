// The executable part of actions: which code is binary, where it is kept, and how it comes back.

import { expect } from "chai";
import { readConfigFile } from "../../../invoker/config/entries.ts";
import { execForDocument, isBinaryCode, readExec } from "../../../standalone/exec.ts";
import { localManifest, type ManifestTemplate } from "../../../standalone/local-manifest.ts";
import { Manifest, readManifest } from "../../../standalone/manifest.ts";

const template = readConfigFile("runtimes.template.json") as ManifestTemplate;
const manifest = localManifest(template, ["nodejs:20", "nodejs:24", "python:3"]);
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

  it("that need an image are refused where no invoker could run them", () => {
    expect(() => readExec({ kind: "blackbox", image: "a/b", code: "x" }, context)).to.throw(
      "actions of an image of their own ('blackbox') need invokers with Docker: none of these has it",
    );
  });

  it("that need an image are taken where invokers have Docker, with code and without", () => {
    const withImages = { ...context, manifest: new Manifest(manifest.runtimes, []) };
    const bare = readExec({ kind: "blackbox", image: " me/image:1 " }, withImages);
    expect(execForDocument(bare, inlineBelow)).to.deep.equal({
      exec: { kind: "blackbox", binary: false, image: "me/image:1" },
      attachment: "none",
    });
    const exec = { kind: "blackbox", image: "me/image", code: "x", main: "m" };
    const coded = execForDocument(readExec(exec, withImages), inlineBelow);
    expect(coded.exec).to.deep.include({ kind: "blackbox", binary: false, image: "me/image", main: "m" });
    expect("code" in coded.exec && coded.exec.code).to.deep.include({ attachmentName: "mem:eA==" });
    expect(() => readExec({ kind: "blackbox", code: "x" }, withImages)).to.throw("'image' must be a string");
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
    const newer = localManifest(template, ["nodejs:22", "nodejs:8", "nodejs:24"]);
    expect(newer.resolve("nodejs:default")?.kind).to.equal("nodejs:24");
    expect(newer.resolve("python:3")).to.equal(undefined);
  });

  it("has exactly one default in each family", () => {
    for (const runtimes of Object.values(manifest.runtimes)) {
      expect(runtimes.filter((runtime) => runtime.default)).to.have.length(1);
    }
  });

  it("is refused when it would be empty", () => {
    expect(() => localManifest(template, [])).to.throw("No language runtime is available");
  });
});

describe("an operator's runtimes manifest", () => {
  const image = { prefix: "openwhisk", name: "action-x", tag: "nightly" };
  const attached = { attachmentName: "codefile", attachmentType: "text/plain" };
  const read = (value: unknown) => readManifest(JSON.stringify(value), "runtimes.json");

  it("gives its kinds, defaults and the images that count as runtimes", () => {
    const operators = read({
      description: "ours",
      runtimes: {
        nodejs: [
          { kind: "nodejs:18", image, attached, deprecated: true },
          { kind: "nodejs:20", default: true, image, attached },
        ],
        java: [{ kind: "java:8", image, attached, requireMain: true }],
        old: [{ kind: "old:1", image }],
      },
      blackboxes: [{ prefix: "openwhisk", name: "dockerskeleton", tag: "nightly" }, { name: "bare" }],
    });
    const context = { manifest: operators, own: "guest", maxBytes: 1000 };
    expect(operators.resolve("nodejs:default")?.kind).to.equal("nodejs:20");
    expect(operators.resolve("java:default")?.kind).to.equal("java:8");
    expect(readExec({ kind: "nodejs:18", code: "x" }, context)).to.include({ deprecated: true });
    expect(() => readExec({ kind: "java:8", code: "x" }, context)).to.throw("'main' must be a string");
    const trusted = ["openwhisk/dockerskeleton:nightly", "bare", "bare:latest"];
    const others = ["openwhisk/dockerskeleton", "me/bare", "bare:1"];
    expect([...trusted, ...others].filter((one) => operators.isTrusted(one))).to.deep.equal(trusted);
    // Without `attached` the code stays a string in the document.
    const { exec, attachment } = execForDocument(
      readExec({ kind: "old:1", code: "x" }, context),
      inlineBelow,
    );
    expect([exec, attachment]).to.deep.equal([{ kind: "old:1", binary: false, code: "x" }, "none"]);
  });

  it("is refused with its name when it is none", () => {
    expect(() => readManifest("{", "runtimes.json")).to.throw(/^runtimes.json, it is no JSON/);
    expect(() => read({})).to.throw("No language runtime is available");
    expect(() => read({ runtimes: { a: {} }, blackboxes: {} })).to.throw(
      /^runtimes.json, runtimes.a: .*\nruntimes.json, blackboxes: /,
    );
  });
});
