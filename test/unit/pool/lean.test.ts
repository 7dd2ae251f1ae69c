// The small decisions around lean containers: numbers, interpreters, what is shown, what is missing, how it ended.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { LeanError } from "../../../pool/lean/errors.ts";
import { familyOf } from "../../../pool/lean/images.ts";
import { chooseByKind, findInterpreters, kindsOf } from "../../../pool/lean/interpreters.ts";
import { parseEnd } from "../../../pool/lean/launcher.ts";
import { NumberRange } from "../../../pool/lean/numbers.ts";
import {
  closedToOthers,
  isKernelRecent,
  missingCapabilities,
  preflight,
} from "../../../pool/lean/preflight.ts";
import {
  identityOptions,
  interpreterInside,
  runtimeOptions,
  shownBelow,
  systemOptions,
} from "../../../pool/lean/rootfs.ts";

describe("a range of numbers", () => {
  it("gives each to one holder, and lets one that came back rest", () => {
    const numbers = new NumberRange(10, 3, (count) => new LeanError("no-uid", `all ${count} are taken`));
    expect([numbers.take(), numbers.take()]).to.deep.equal([10, 11]);
    numbers.giveBack(10);
    expect([numbers.take(), numbers.take()]).to.deep.equal([12, 10]);
    expect(() => numbers.take())
      .to.throw(LeanError, "all 3 are taken")
      .with.property("code", "no-uid");
    numbers.giveBack(11);
    expect(numbers.take()).to.equal(11);
  });
});

describe("the interpreters of a machine", () => {
  it("serve kinds by their version", () => {
    expect(kindsOf("nodejs", "20.20.2")).to.deep.equal(["nodejs:20"]);
    expect(kindsOf("ruby", "3.1.2")).to.deep.equal(["ruby:3", "ruby:3.1"]);
    expect(kindsOf("python", "3.11.2")).to.deep.equal(["python:3", "python:3.11"]);
  });

  it("serve no kind where they are older than their family's proxy takes", () => {
    for (const version of ["2.7.4", "3.0.2"]) expect(kindsOf("ruby", version)).to.deep.equal([]);
    expect(kindsOf("ruby", "3.10.0")).to.deep.equal(["ruby:3", "ruby:3.10"]);
    expect(kindsOf("ruby", "4.0.0")).to.deep.equal(["ruby:4", "ruby:4.0"]);
  });

  it("of images are looked for where a proxy of ours may take them: all others are Docker's", () => {
    const families = ["nodejs:20", "python:3", "python:3.11", "ruby:3", "ruby:3.1", "ruby:4"].map(familyOf);
    expect(families).to.deep.equal(["nodejs", "python", "python", "ruby", "ruby", "ruby"]);
    for (const kind of [
      "nodejs:20.1",
      "ruby:2",
      "ruby:2.5",
      "ruby:3.0",
      "ruby:default",
      "rubyx:3",
      "php:8.2",
    ])
      expect(familyOf(kind), kind).to.equal(undefined);
  });

  it("serve each kind once, the first found first", () => {
    const found = chooseByKind([
      { family: "nodejs", version: "20.1.0", path: "/a" },
      { family: "nodejs", version: "20.2.0", path: "/b" },
      { family: "python", version: "3.11.2", path: "/c" },
      { family: "python", version: "3.12.0", path: "/d" },
    ]);
    expect(found.map(({ kind, path }) => [kind, path])).to.deep.equal([
      ["nodejs:20", "/a"],
      ["python:3", "/c"],
      ["python:3.11", "/c"],
      ["python:3.12", "/d"],
    ]);
  });

  it("include the Node that runs this", async () => {
    const major = process.versions.node.split(".")[0];
    const found = (await findInterpreters()).find(({ kind }) => kind === `nodejs:${major}`);
    expect(found?.version).to.equal(process.versions.node);
  });
});

describe("what a lean container is shown", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-shown-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("is /usr and nothing of what would tell about the host's users and services", () => {
    const options = systemOptions();
    expect(options).to.include("/usr:/usr");
    const shown = options.filter((option) => option.startsWith("/")).map((option) => option.split(":")[0]);
    for (const path of shown) expect(path).to.match(/^\/(usr|bin|sbin|lib|lib32|lib64|etc\/.+)$/);
    for (const secret of ["/etc", "/etc/passwd", "/etc/shadow", "/etc/ssl", "/etc/ssl/private", "/etc/hosts"])
      expect(shown).to.not.include(secret);
  });

  it("is told by the place, where it is this machine's own and no link", () => {
    const options = [
      ...["--ro-bind", "/usr:/usr", "--ro-bind", "/etc/ssl/openssl.cnf:/etc/ssl/openssl.cnf"],
      ...["--link", "/etc/localtime:/usr/share/zoneinfo/UTC", "--file", "/etc/hosts:127.0.0.1 localhost"],
      ...["--ro-bind", "/x/runtimes/python:/runtime/python"],
    ];
    expect(shownBelow(options, "/etc/")).to.deep.equal(["/etc/ssl/openssl.cnf"]);
    expect(shownBelow(options, "/runtime/")).to.deep.equal(["/x/runtimes/python"]);
  });

  it("is an identity of its own", () => {
    const options = identityOptions({ uid: 600_007, hostname: "box" });
    const [passwd = ""] = options.filter((option) => option.startsWith("/etc/passwd:"));
    expect(passwd).to.contain("action:x:600007:600007:action:/home/action:");
    expect(options.some((option) => option === "/etc/hostname:box\n")).to.equal(true);
  });

  it("is the interpreter at its place below /usr, or as a single file", () => {
    const path = join(folder, "node-link");
    writeFileSync(join(folder, "node"), "");
    symlinkSync(join(folder, "node"), path);
    expect(interpreterInside(path)).to.deep.equal({ from: join(folder, "node"), to: "/runtime/bin/node" });
    expect(interpreterInside("/usr/bin/env")).to.deep.equal({ from: "/usr/bin/env", to: "/usr/bin/env" });
  });

  it("is the runtime's folder and what its description adds, and what of it is missing is told", () => {
    mkdirSync(join(folder, "runtimes/python"), { recursive: true });
    const { options, missing } = runtimeOptions(
      folder,
      "python",
      [{ from: "node_modules/none", to: "/runtime/none" }],
      { from: "/usr/bin/python3.11", to: "/usr/bin/python3.11" },
    );
    expect(options).to.deep.equal([
      ...["--ro-bind", `${folder}/runtimes/python:/runtime/python`],
      ...["--ro-bind", `${folder}/node_modules/none:/runtime/none`],
    ]);
    expect(missing).to.deep.equal([`${folder}/node_modules/none`]);
  });
});

describe("the launcher's report", () => {
  it("tells an end by exit, by signal, and a start that failed", () => {
    expect(parseEnd("exit 3")).to.deep.equal({ cause: "exit", status: 3, message: "" });
    expect(parseEnd("signal 9")).to.deep.equal({ cause: "signal", status: 9, message: "" });
    expect(parseEnd("failed mount /usr on /usr: No such file")).to.deep.equal({
      cause: "failed",
      status: 127,
      message: "mount /usr on /usr: No such file",
    });
    expect(parseEnd("started")).to.equal(undefined);
  });
});

describe("the preflight check", () => {
  it("names the capabilities that are missing, and does without CAP_SYS_RESOURCE", () => {
    expect(missingCapabilities("000001fffeffffff")).to.deep.equal([]);
    expect(missingCapabilities("0000000000000000")).to.include.members([
      "CAP_SYS_ADMIN",
      "CAP_SYS_PTRACE",
      "CAP_NET_ADMIN",
    ]);
    expect(missingCapabilities("000001ffffdfffff")).to.deep.equal(["CAP_SYS_ADMIN"]);
  });

  it("knows the oldest kernel that will do", () => {
    const recent = ["5.12.0", "5.15.0-91-generic", "6.1.0-13-amd64", "10.0.0"];
    expect(recent.map(isKernelRecent)).to.deep.equal([true, true, true, true]);
    expect(["5.11.22", "4.18.0-553.el8"].map(isKernelRecent)).to.deep.equal([false, false]);
  });

  it("names what the users of containers cannot read, as in a checkout that is its owner's alone", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rewhisk-closed-"));
    const [file, inner] = [join(folder, "proxy.js"), join(folder, "inner")];
    writeFileSync(file, "");
    mkdirSync(inner);
    chmodSync(folder, 0o700);
    chmodSync(file, 0o600);
    chmodSync(inner, 0o754);
    expect(closedToOthers([folder])).to.have.members([folder, file, inner]);
    chmodSync(folder, 0o755);
    chmodSync(file, 0o644);
    chmodSync(inner, 0o755);
    expect(closedToOthers([folder])).to.deep.equal([]);
    expect((await preflight()).filter(({ missing }) => missing.includes("right to read"))).to.deep.equal([]);
    rmSync(folder, { recursive: true });
  });
});
