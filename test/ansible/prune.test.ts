// What is removed from a host with the last invoker there, and what is others'.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { role } from "./playbook.ts";

describe("what is removed with the last invoker of a host", () => {
  let folder: string;

  const below = (path: string): string => join(folder, path);
  const images = (): string[] => (existsSync(below("images")) ? readdirSync(below("images")) : []);
  function prune(): string {
    const args = [join(role, "files", "prune.sh"), below("opt"), below("images"), below("spool")];
    return execFileSync("sh", args, { encoding: "utf8" });
  }
  const make = (path: string): void => {
    mkdirSync(below(path), { recursive: true });
    writeFileSync(join(below(path), "file"), "");
  };

  const unpacked = (digit: string): string => `${digit.repeat(64)}-1`;
  const [fresh, old] = [".new-0123456789abcdef", ".old-0123456789abcdef"];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-prune-"));
    for (const path of ["opt/releases/0123", "spool", "images"]) mkdirSync(below(path), { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("is all that invokers have brought", () => {
    for (const name of [unpacked("a"), unpacked("0"), fresh, old]) make(`images/${name}`);
    expect(prune()).to.include(`removed ${below("opt")}\n`);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it("is nothing else that lies in the folders given for it", () => {
    const others = ["precious", `${"a".repeat(63)}-1`, `${unpacked("a")}.mine`, ".new-photos", ".old-0123"];
    for (const name of [unpacked("a"), ...others]) make(`images/${name}`);
    make("away");
    symlinkSync(below("away"), below(`images/${unpacked("b")}`));
    make("spool/invoker0");
    prune();
    expect(images()).to.have.members([...others, unpacked("b")]);
    for (const path of ["away/file", "spool/invoker0/file", "images/precious/file"])
      expect(existsSync(below(path)), path).to.equal(true);
    expect(existsSync(below("opt"))).to.equal(false);
  });

  it("is no image that another cluster's invoker runs containers over", async () => {
    for (const name of [unpacked("a"), unpacked("b"), fresh]) make(`images/${name}`);
    const held = [unpacked("a"), fresh];
    const holders = held.map((name) =>
      spawn("flock", ["-s", "-n", below(`images/${name}`), "sh", "-c", "echo held; cat"], {
        stdio: ["pipe", "pipe", "inherit"],
      }),
    );
    await Promise.all(holders.map(({ stdout }) => once(stdout, "data")));
    const closed = holders.map((holder) => once(holder, "close"));
    try {
      prune();
      expect(images()).to.have.members(held);
    } finally {
      for (const holder of holders) holder.stdin.end();
      await Promise.all(closed);
    }
    for (const name of held) expect(existsSync(below(`images/${name}/file`)), name).to.equal(true);
  });

  it("is nothing while an invoker is left", () => {
    make("opt/invokers/invoker0");
    make(`images/${unpacked("a")}`);
    prune();
    expect(images()).to.deep.equal([unpacked("a")]);
  });
});
