// An image's file system out of its layers: what is kept, what is hidden, and that nothing reaches beyond its folder.

import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ImageError } from "../../../pool/lean/image-errors.ts";
import { resolveInside } from "../../../pool/lean/image-path.ts";
import { ImageTree } from "../../../pool/lean/image-tree.ts";
import { gzipped, inPieces, type LayerEntry, layer } from "./layers.ts";

/** A folder `etc` with two files in it as `zstd -19` writes it: the first 100,000 bytes of the archive are a frame, the rest is another. */
const byZstd =
  "KLUv/aSghgEAVQMAUkUQEaDt9CevqfC/tVtCZBWVMEMGoB1rC1sqtO1Yu64w5cyGWZd7LSTZ+itEMk4tuofN+fUnR1wMHqz7cngJMf81yQ4OIEAzrRYDGgVnvsBU7h4N4IBwOpIo0ALMGSDpAKbRdoMMmJ4oESmGDTIotS/9pGBnAwDEAACAbGluZSBhZnRlciBsaW5lCgEA2v8nn0utAgBCAwsQsGsMZCCbhklrJWtlK0wBZfinClvtxpLzeyXhIFLk4b4kUXX8x1RCCxh2Ag0A98GH/4UBCVBYqYMgHG0kBm7KDgUOkAWMvAKYeyfs+pr/zzUQMKjXjA==";

describe("the file system of an image", () => {
  let folder: string;
  let root: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-tree-"));
    root = join(folder, "root");
    mkdirSync(root);
    writeFileSync(join(folder, "outside"), "of the host");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function add(...layers: readonly Buffer[]): Promise<void> {
    const tree = new ImageTree(root);
    for (const one of layers) await tree.add(inPieces(one));
  }

  async function failureOf(...layers: readonly Buffer[]): Promise<string> {
    try {
      await add(...layers);
    } catch (error) {
      if (error instanceof ImageError) return `${error.code}: ${error.message}`;
      throw error;
    }
    return "none";
  }

  const read = (path: string): string => readFileSync(join(root, path), "utf8");
  const folderEntry = (path: string): LayerEntry => ({ path, type: "Directory" });

  it("has files, programs, links and times as the layers have them, readable by everybody and nobody's but root's", async () => {
    await add(
      gzipped(
        layer(
          { path: "usr/", type: "Directory", mode: 0o700 },
          { path: "usr/secret", content: "open", mode: 0o600 },
          { path: "usr/program", content: "run", mode: 0o4750 },
          { path: "usr/again", type: "Link", linkpath: "usr/program" },
          { path: "bin", type: "SymbolicLink", linkpath: "/usr" },
          { path: "usr/null", type: "CharacterDevice" },
          { path: "usr/pipe", type: "FIFO" },
        ),
      ),
    );
    expect(readdirSync(join(root, "usr")).sort()).to.deep.equal(["again", "program", "secret"]);
    expect([read("usr/secret"), read("usr/again"), readlinkSync(join(root, "bin"))]).to.deep.equal([
      ...["open", "run", "/usr"],
    ]);
    const modes = ["usr", "usr/secret", "usr/program"].map((path) => statSync(join(root, path)));
    expect(modes.map(({ mode }) => mode & 0o7777)).to.deep.equal([0o755, 0o644, 0o755]);
    expect(modes.map(({ uid, gid }) => [uid, gid])).to.deep.equal(Array(3).fill([0, 0]));
    expect(statSync(join(root, "usr/secret")).mtimeMs).to.equal(1_500_000_000_000);
    expect(statSync(join(root, "usr/again")).ino).to.equal(statSync(join(root, "usr/program")).ino);
  });

  it("has of each path what the highest layer says", async () => {
    await add(
      layer(
        { path: "a", content: "1" },
        { path: "b", type: "Link", linkpath: "a" },
        { path: "c/d", content: "x" },
      ),
      layer({ path: "a", content: "2" }, { path: "c", content: "a file now" }),
      layer(),
    );
    expect([read("a"), read("b"), read("c")]).to.deep.equal(["2", "1", "a file now"]);
  });

  it("lacks what a higher layer hides, and only that", async () => {
    const below = layer(
      ...[
        { path: "x/gone", content: "" },
        { path: "x/kept", content: "" },
      ],
      ...[
        { path: "y/old", content: "" },
        { path: "y/z/old", content: "" },
        { path: "y/w/old", content: "" },
      ],
    );
    const above = layer(
      { path: "x/.wh.gone" },
      { path: "x/.wh.never-there" },
      ...[folderEntry("y/"), folderEntry("y/z/"), { path: "y/z/new", content: "" }],
      ...[{ path: "y/.wh..wh..opq" }, { path: "y/new", content: "" }, { path: ".wh..wh.plnk" }],
    );
    await add(below, above);
    expect(readdirSync(root, { recursive: true }).map(String).sort()).to.deep.equal([
      ...["x", "x/kept", "y", "y/new", "y/z", "y/z/new"],
    ]);
  });

  it("takes links of a lower layer for what they are in the image", async () => {
    await add(
      layer({ path: "lib", type: "SymbolicLink", linkpath: "/usr/lib" }, folderEntry("usr/lib/")),
      layer({ path: "lib/a", content: "a" }, { path: "up", type: "SymbolicLink", linkpath: "../../.." }),
      layer({ path: "up/b", content: "b" }, { path: "lib/.wh.a" }),
    );
    expect(readdirSync(join(root, "usr/lib"))).to.deep.equal([]);
    expect(read("b")).to.equal("b");
    expect(readdirSync(folder).sort()).to.deep.equal(["outside", "root"]);
  });

  it("never reaches beyond its folder", async () => {
    const upwards = layer({ path: "../outside", content: "taken" });
    expect(await failureOf(upwards)).to.equal("malformed: ../outside: leads up");
    expect(await failureOf(layer({ path: "x/.wh...", content: "" }))).to.equal("none");
    const through = [
      layer({ path: "out", type: "SymbolicLink", linkpath: folder }),
      layer({ path: "out/outside", content: "taken" }, { path: "out/.wh.outside" }),
    ];
    expect(await failureOf(...through)).to.equal("none");
    expect(await failureOf(layer({ path: "name", type: "Link", linkpath: "../outside" }))).to.match(
      /no file$/,
    );
    expect(await failureOf(layer({ path: "name", type: "Link", linkpath: `${folder}/outside` }))).to.match(
      /no file$/,
    );
    expect(readFileSync(join(folder, "outside"), "utf8")).to.equal("of the host");
    expect(existsSync(join(root, "name"))).to.equal(false);
  });

  it("takes a layer by zstd, of several frames and blocks", async () => {
    const text = "line after line\n".repeat(20_000);
    const files = [
      { path: "etc/long", content: text },
      { path: "etc/short", content: "short" },
    ];
    const compressed = Buffer.from(byZstd, "base64");
    for (const bytes of [1, 3, 700]) {
      await new ImageTree(root).add(inPieces(compressed, bytes));
      for (const { path, content } of files) expect(read(path) === content, path).to.equal(true);
      rmSync(join(root, "etc"), { recursive: true });
    }
    expect(await failureOf(compressed.subarray(0, -20))).to.match(/^malformed: a layer cannot be read/);
    const broken = Buffer.from(compressed);
    broken.fill(7, 20, 60);
    expect(await failureOf(broken)).to.match(/^malformed/);
  });

  it("refuses what cannot be read to its end", async () => {
    const whole = layer({ path: "a", content: "a".repeat(2000) });
    expect(await failureOf(whole.subarray(0, 1500))).to.match(
      /^malformed: a layer cannot be read: Truncated/,
    );
    expect(await failureOf(Buffer.from("no archive at all ".repeat(100)))).to.match(/^malformed/);
    const broken = gzipped(whole);
    broken.fill(7, broken.length / 2);
    expect(await failureOf(broken)).to.match(/^malformed/);
    expect(await failureOf(layer({ path: "f", content: "" }, { path: "f/g", content: "" }))).to.match(
      /no folder$/,
    );
  });

  it("follows links as a process inside would, and no further than the kernel", async () => {
    await add(
      layer(
        ...[folderEntry("usr/bin/"), { path: "usr/bin/node", content: "" }],
        { path: "bin", type: "SymbolicLink", linkpath: "usr/bin" },
        { path: "up", type: "SymbolicLink", linkpath: "/../../bin/./node" },
        { path: "loop", type: "SymbolicLink", linkpath: "loop" },
      ),
    );
    expect(resolveInside(root, "/bin/node")).to.equal(join(root, "usr/bin/node"));
    expect(resolveInside(root, "up")).to.equal(join(root, "usr/bin/node"));
    expect(resolveInside(root, "bin/node/x")).to.equal(undefined);
    expect(resolveInside(root, "../outside")).to.equal(undefined);
    expect(() => resolveInside(root, "loop")).to.throw(ImageError, "lead nowhere");
    expect(lstatSync(join(root, "loop")).isSymbolicLink()).to.equal(true);
  });
});
