// Unpacked images on disk: shared by the invokers of a machine, kept while one uses them, and removed after any end.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ImageError } from "../../pool/lean/image-errors.ts";
import type { FoundImage } from "../../pool/lean/image-sources.ts";
import { ImageStore } from "../../pool/lean/image-store.ts";
import { inPieces, layer } from "../unit/pool/layers.ts";
import { within } from "../within.ts";

describe("the store of images", () => {
  let folder: string;
  let stores: ImageStore[];
  let child: ChildProcess | undefined;
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), "rewhisk-store-")), "images");
    stores = [];
  });
  afterEach(async () => {
    child?.kill("SIGKILL");
    for (const store of stores) await store.close();
    rmSync(join(folder, ".."), { recursive: true });
  });

  function opened(): ImageStore {
    const store = new ImageStore(folder);
    stores.push(store);
    return store;
  }

  /** How often its layers were asked for. */
  function image(digit: string): FoundImage & { readonly asked: () => number } {
    let asked = 0;
    return {
      id: digit.repeat(64),
      asked: () => asked,
      content: () => {
        asked++;
        const layers = [
          inPieces(layer({ path: "etc/passwd", content: "theirs" }, { path: "file", content: digit })),
        ];
        return Promise.resolve({ environment: ["A=b"], workFolder: "/w", layers });
      },
    };
  }
  const nameOf = (digit: string): string => `${digit.repeat(64)}-1`;

  it("unpacks an image once for all that use it, and keeps it as long as one does", async () => {
    const [first, second] = [opened(), opened()];
    const one = image("1");
    const found = await first.open(one);
    expect([
      found.environment,
      found.workFolder,
      readFileSync(join(found.root, "file"), "utf8"),
    ]).to.deep.equal([...[["A=b"], "/w", "1"]]);
    expect(await second.open(one)).to.deep.equal(found);
    expect(one.asked()).to.equal(1);
    await first.close();
    await opened().collect();
    expect(readdirSync(folder)).to.deep.equal([nameOf("1")]);
    await second.close();
    await opened().collect();
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it("leaves one copy where several unpack the same at once, and others collect meanwhile", async () => {
    const one = image("2");
    const all = Array.from({ length: 6 }, () => opened());
    const found = await Promise.all([
      ...all.map((store) => store.open(one)),
      ...all.map((store) => store.collect().then(() => undefined)),
    ]);
    for (const root of found.flatMap((stored) => stored?.root ?? []))
      expect(readFileSync(join(root, "file"), "utf8")).to.equal("2");
    expect(readdirSync(folder)).to.deep.equal([nameOf("2")]);
  });

  it("has accounts and addresses as links to those of each container, and a place for what is masked", async () => {
    const { root } = await opened().open(image("3"));
    expect(readdirSync(join(root, "etc")).sort()).to.deep.equal([
      ...["group", "hostname", "hosts", "nsswitch.conf", "passwd", "resolv.conf"],
    ]);
    expect(existsSync(join(root, "var/empty"))).to.equal(true);
  });

  it("removes what a process that was killed held, or had not unpacked to the end, and nothing that is not its own", async () => {
    await opened().open(image("4"));
    for (const name of [nameOf("5"), ".new-0123456789abcdef", ".old-0123456789abcdef", "somebody-elses"])
      mkdirSync(join(folder, name));
    const program = `import(${JSON.stringify(new URL("../../pool/hold.js", import.meta.url).href)})
      .then(({ Hold }) => Hold.take(process.argv[1], "shared")).then((hold) => console.log(hold !== undefined)); setInterval(() => {}, 1e6)`;
    const other = spawn(process.execPath, ["-e", program, join(folder, nameOf("5"))], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    child = other;
    expect(String((await once(other.stdout, "data"))[0])).to.equal("true\n");
    await opened().collect();
    expect(readdirSync(folder).sort()).to.deep.equal([nameOf("4"), nameOf("5"), "somebody-elses"]);
    other.kill("SIGKILL");
    await within(60_000, async () => {
      await opened().collect();
      return !readdirSync(folder).includes(nameOf("5")) || undefined;
    });
    expect(readdirSync(folder).sort()).to.deep.equal([nameOf("4"), "somebody-elses"]);
  });

  it("says why an image cannot be kept, and leaves nothing of it", async () => {
    const broken = {
      ...image("6"),
      content: () => Promise.reject(new ImageError("malformed", "no such layer")),
    };
    expect(await failureOf(opened().open(broken))).to.equal("malformed: no such layer");
    expect(readdirSync(folder)).to.deep.equal([]);
    rmSync(folder, { recursive: true });
    writeFileSync(folder, "");
    expect(await failureOf(opened().open(image("7")))).to.match(
      /^unpack: it cannot be unpacked into .*: (ENOTDIR|EEXIST)/,
    );
  });
});

async function failureOf(opening: Promise<unknown>): Promise<string> {
  try {
    await opening;
    return "none";
  } catch (error) {
    return error instanceof ImageError ? `${error.code}: ${error.message}` : String(error);
  }
}
