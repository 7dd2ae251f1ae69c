// The folder of stored templates: whose it must be, and what of it stays.

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { describeIn, mappedFiles, ownDigest, treeDigest } from "../../../pool/fingerprint.ts";
import { librariesBelow } from "../../../pool/lean/rootfs.ts";
import { StoredError } from "../../../pool/template-file.ts";
import { requireSame, TemplateStore } from "../../../pool/template-store.ts";
import { RestorerError } from "../../../restorer/index.ts";

const kind = "python:3";

describe("a store of templates", () => {
  let parent: string;
  let folder: string;

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), "template-store-"));
    folder = join(parent, "templates");
  });
  afterEach(() => rmSync(parent, { recursive: true }));

  const open = (): TemplateStore =>
    new TemplateStore({ folder, kinds: [kind], facts: () => ({ kernel: "one" }), nowMs: () => 0 });
  const fileOf = (base: string): string => join(folder, `${encodeURIComponent(base)}.template`);

  it("makes its folder, which nobody else can enter, and refuses one that others can", () => {
    open();
    expect(statSync(folder).mode & 0o777).to.equal(0o700);
    chmodSync(folder, 0o750);
    expect(open).to.throw(/open to others/);
    chmodSync(folder, 0o770);
    expect(open).to.throw(/others can write/);
  });

  it("keeps one file of each kind, and removes of its own what is neither", () => {
    mkdirSync(folder, { mode: 0o700 });
    for (const path of [fileOf(kind), fileOf("python:2"), `${fileOf(kind)}.new`, join(folder, "notes")])
      writeFileSync(path, "");
    mkdirSync(fileOf("ruby:3"));
    expect(open().stored()).to.deep.equal([kind]);
    expect(readdirSync(folder).sort()).to.deep.equal(["notes", "python%3A3.template"]);
  });

  it("refuses, and removes, whatever is no template of its own", async () => {
    const store = open();
    const refusal = async (): Promise<string> => {
      const error = await store.load(kind, 1000).catch((failure: unknown) => failure);
      expect(error).to.be.instanceOf(StoredError);
      expect(store.stored()).to.deep.equal([]);
      return `${(error as StoredError).code}: ${(error as StoredError).message}`;
    };
    writeFileSync(fileOf(kind), "x".repeat(1000), { mode: 0o600 });
    expect(await refusal()).to.match(/^changed: .*version/);
    writeFileSync(fileOf(kind), "", { mode: 0o600 });
    expect(await refusal()).to.match(/^corrupt: it has 0 bytes/);
    writeFileSync(join(parent, "elsewhere"), "x".repeat(1000), { mode: 0o600 });
    symlinkSync(join(parent, "elsewhere"), fileOf(kind));
    expect(await refusal()).to.match(/^corrupt: ELOOP/);
    // Nobody writes to it.
    expect(spawnSync("mkfifo", ["--mode=600", fileOf(kind)]).status).to.equal(0);
    expect(await refusal()).to.match(/^corrupt: it is no file/);
    mkdirSync(fileOf(kind), { mode: 0o700 });
    writeFileSync(join(fileOf(kind), "inside"), "");
    expect(await refusal()).to.match(/^corrupt: it is no file/);
    expect(readdirSync(parent).sort()).to.deep.equal(["elsewhere", "templates"]);
  });
});

describe("what is looked at of files", () => {
  it("is another where anything of them is", () => {
    const folder = mkdtempSync(join(tmpdir(), "fingerprint-"));
    try {
      const [path, packages] = [join(folder, "a"), join(folder, "node_modules")];
      writeFileSync(path, "1");
      const digests = [treeDigest(folder)];
      writeFileSync(path, "2");
      digests.push(treeDigest(folder));
      chmodSync(path, 0o755);
      digests.push(treeDigest(folder));
      mkdirSync(packages);
      digests.push(treeDigest(folder));
      mkdirSync(join(packages, "one"));
      digests.push(treeDigest(folder));
      expect(new Set(digests).size).to.equal(5);
      mkdirSync(join(packages, "one", "inside"));
      expect(treeDigest(folder)).to.equal(digests[4]);
      const own = ownDigest(packages);
      writeFileSync(join(packages, "one", "two"), "");
      expect(ownDigest(packages)).to.equal(own);
      mkdirSync(join(packages, "three"));
      expect(ownDigest(packages)).to.not.equal(own);
      const before = describeIn(folder, ["/a"]);
      writeFileSync(join(folder, "b"), "2");
      expect(describeIn(folder, ["/a"])).to.deep.equal(before);
      rmSync(path);
      expect(() => describeIn(folder, ["/a"])).to.throw(/ENOENT/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("are the libraries of an interpreter, wherever a distribution has them: a module that is only read is another once it is replaced", () => {
    const usr = mkdtempSync(join(tmpdir(), "fingerprint-"));
    try {
      const folders = [
        "lib/python3.11/encodings",
        "lib64/python3.11",
        "local/lib/python3",
        "lib/ruby",
        "share/python3",
      ];
      for (const one of folders) mkdirSync(join(usr, one), { recursive: true });
      const libraries = librariesBelow(usr, "python");
      const found = ["lib/python3.11", "lib64/python3.11", "local/lib/python3"].map((one) => join(usr, one));
      expect(libraries).to.deep.equal(found);
      expect(librariesBelow(usr, "nodejs")).to.deep.equal([]);
      const [module, fresh] = ["utf_8.py", "fresh"].map((name) => join(found[0] ?? "", "encodings", name));
      if (module === undefined || fresh === undefined) throw new Error("there are two");
      const digests: string[] = [];
      for (const text of ["1", "2"]) {
        writeFileSync(fresh, text);
        renameSync(fresh, module);
        digests.push(libraries.map(treeDigest).join());
      }
      expect(digests[0]).to.not.equal(digests[1]);
    } finally {
      rmSync(usr, { recursive: true });
    }
  });

  it("are the program of a process, its libraries and the folders above them", () => {
    const paths = Object.keys(mappedFiles(process.pid));
    expect(paths).to.include(process.execPath);
    expect(paths.some((path) => path.includes("/libc"))).to.equal(true);
    expect(paths.some((path) => path.startsWith("/memfd:"))).to.equal(false);
    expect(paths).to.include(join(process.execPath, ".."));
  });

  it("are said to be others only where the process is there that should see them", () => {
    const files = mappedFiles(process.pid);
    requireSame(files, process.pid);
    const gone = spawnSync("/bin/true").pid;
    expect(() => requireSame(files, gone))
      .to.throw(RestorerError)
      .with.property("code", "process-gone");
    expect(() => requireSame({ "/not/there": "" }, process.pid))
      .to.throw(StoredError)
      .with.property("code", "changed");
  });
});
