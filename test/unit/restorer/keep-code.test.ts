// What is kept of a folder that a container has filled: plain files, folders and links, and nothing that leads elsewhere.

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { keepCode, remove } from "../../../restorer/index.ts";

const plenty = 1_000_000;
const deepest = 64;

describe("code that a container has unpacked", () => {
  let place: string;
  let fd: number;
  const of = (name: string): string => join(place, "home/code", name);
  const kept = (name = ""): string => join(place, "kept", name);
  const refusal = async (atMost = plenty): Promise<string> =>
    await keepCode(fd, kept(), atMost).then(
      () => "none",
      (error: unknown) => (error as Error).message,
    );

  const deep = (folders: number): string => Array.from({ length: folders }, () => "d").join("/");

  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), "rewhisk-keep-"));
    mkdirSync(of("folder"), { recursive: true });
    fd = openSync(place, "r");
  });
  afterEach(() => {
    closeSync(fd);
    rmSync(place, { recursive: true, force: true });
  });

  it("is kept with its times and modes, but for what its owner may, which all may", async () => {
    writeFileSync(of("folder/tool"), "x".repeat(5000));
    chmodSync(of("folder/tool"), 0o4711);
    writeFileSync(of("private"), "y");
    chmodSync(of("private"), 0o600);
    symlinkSync("folder/tool", of("link"));
    utimesSync(of("folder"), 1000, 2000);
    utimesSync(of("private"), 1000, 3000);
    // Four entries and the folder itself, a block each; of the files two blocks and one.
    expect(await keepCode(fd, kept(), plenty)).to.equal((5 + 2 + 1) * 4096);
    const modes = ["", "folder", "folder/tool", "private"].map((name) => lstatSync(kept(name)).mode & 0o7777);
    expect(modes).to.deep.equal([0o755, 0o755, 0o755, 0o644]);
    expect([lstatSync(kept("folder")).mtimeMs, lstatSync(kept("private")).mtimeMs]).to.deep.equal([2e6, 3e6]);
    expect([readlinkSync(kept("link")), readFileSync(kept("private"), "utf8")]).to.deep.equal([
      "folder/tool",
      "y",
    ]);
    expect(readFileSync(kept("folder/tool"))).to.deep.equal(readFileSync(of("folder/tool")));
  });

  it("can be written by nobody but its owner, whoever could write where it was unpacked", async () => {
    writeFileSync(of("open"), "x");
    const were = { "": 0o777, folder: 0o2777, open: 0o666 };
    for (const [name, mode] of Object.entries(were)) chmodSync(of(name), mode);
    await keepCode(fd, kept(), plenty);
    const modes = Object.keys(were).map((name) => lstatSync(kept(name)).mode & 0o7777);
    expect(modes).to.deep.equal([0o755, 0o755, 0o644]);
  });

  it("is not kept where it would take more than it may, however often it refers to one file", async () => {
    writeFileSync(of("large"), "x".repeat(100_000));
    expect(await refusal(50_000)).to.match(/keep large/);
    rmSync(kept(), { recursive: true });
    for (let i = 0; i < 20; i++) linkSync(of("large"), of(`link${i}`));
    expect(await refusal()).to.match(/keep (?:large|link)/);
  });

  it("is not kept where it holds what is no file, nor through a link", async () => {
    execFileSync("mkfifo", [of("folder/fifo")]);
    expect(await refusal()).to.match(/neither a file nor a folder nor a link: fifo/);
    rmSync(kept(), { recursive: true });
    rmSync(of(""), { recursive: true });
    mkdirSync(join(place, "elsewhere"));
    symlinkSync(join(place, "elsewhere"), join(place, "home/code"));
    expect(await refusal()).to.match(/open home\/code/);
    expect(existsSync(kept())).to.equal(false);
  });

  it("is not kept where it is too deep to be removed, or where something is already", async () => {
    mkdirSync(of(deep(deepest)), { recursive: true });
    expect(await refusal()).to.match(/too deep/);
    expect(await refusal()).to.match(/make .*kept/);
  });

  it("is removed with all that is in it, also where no path leads to that, and nothing else is", async () => {
    const [long, into] = ["d".repeat(200), join(place, "k".repeat(200))];
    mkdirSync(of(`${long}/`.repeat(20)), { recursive: true });
    mkdirSync(of(deep(deepest - 1)), { recursive: true });
    symlinkSync(of("folder"), of("link"));
    await keepCode(fd, into, plenty);
    await remove(into);
    expect([existsSync(into), existsSync(of("folder"))]).to.deep.equal([false, true]);
    symlinkSync(of("folder"), into);
    for (let round = 0; round < 2; round++) await remove(into);
    expect([existsSync(into), existsSync(of("folder"))]).to.deep.equal([false, true]);
    await remove(of(""));
    expect(existsSync(of(""))).to.equal(false);
  });

  it("is not removed where it is too deep", async () => {
    mkdirSync(of(deep(deepest + 2)), { recursive: true });
    expect(
      await remove(of("")).then(
        () => "none",
        (error: unknown) => (error as Error).message,
      ),
    ).to.match(/remove: folders more than 64 deep/);
  });
});
