// The runtimes manifest of a deployment: its rules, the names of images, and whom a user's image is trusted like.

import { expect } from "chai";
import { fullImageName, isSameImage, parseImageName } from "../../../invoker/image-name.ts";
import {
  type ImageSettings,
  Manifest,
  type ManifestContent,
  readManifest,
} from "../../../invoker/manifest.ts";

const image = { prefix: "openwhisk", name: "action-nodejs-v20", tag: "nightly" };
const settings: ImageSettings = {
  runtimesRegistry: "runtimes.example:5000",
  userImagesRegistry: "users.example/",
  bypassPullForLocalImages: false,
  localImagePrefix: "whisk",
};

function content(json: unknown): ManifestContent {
  const found = readManifest(JSON.stringify(json));
  if ("problems" in found) throw new Error(found.problems.join("\n"));
  return found;
}

function problems(json: unknown): readonly string[] {
  const found = readManifest(typeof json === "string" ? json : JSON.stringify(json));
  return "problems" in found ? found.problems : [];
}

const nodejs = (more: object): object => ({ runtimes: { nodejs: [{ kind: "nodejs:20", image, ...more }] } });
const cell = { initialCount: 2, memory: "256 MB" };
const reactive = { minCount: 1, maxCount: 4, ttl: "2 minutes", threshold: 1, increment: 1 };

describe("a runtimes manifest", () => {
  it("fills in what is not said, and leaves alone what nobody knows", () => {
    const { families, blackboxes } = content({ description: ["x"], ...nodejs({ "x-own": 1 }) });
    expect(blackboxes).to.deep.equal([]);
    expect(families.nodejs).to.deep.equal([
      {
        ...{ kind: "nodejs:20", default: false, deprecated: false, image, requireMain: false },
        ...{ sentinelledLogs: true, stemCells: [] },
      },
    ]);
    expect(content({})).to.deep.equal({ families: {}, blackboxes: [] });
  });

  it("keeps what is said", () => {
    const attached = { attachmentName: "codefile", attachmentType: "text/plain" };
    const more = { deprecated: true, requireMain: true, sentinelledLogs: false, attached };
    expect(content(nodejs(more)).families.nodejs?.[0]).to.deep.include(more);
  });

  it("has stem cells by either name of their count, and how they react", () => {
    const stemCells = [
      { count: 3, memory: "1 GB" },
      { ...cell, reactive },
    ];
    expect(content(nodejs({ stemCells })).families.nodejs?.[0]?.stemCells).to.deep.equal([
      { count: 3, memoryMB: 1024 },
      {
        count: 2,
        memoryMB: 256,
        reactive: { minCount: 1, maxCount: 4, ttlMs: 120_000, threshold: 1, increment: 1 },
      },
    ]);
  });

  it("resolves each kind, and family:default to the one that says so, or to the only one", () => {
    const runtimes = {
      nodejs: [
        { kind: "nodejs:18", image },
        { kind: "nodejs:20", default: true, image },
      ],
      java: [{ kind: "java:8", image }],
      "Odd family": [{ kind: "odd:1", image }],
    };
    const { kinds } = new Manifest(content({ runtimes }), settings);
    const resolved = ["nodejs:18", "nodejs:default", "java:default", "odd:1", "Odd family:default", "php:8"];
    expect(resolved.map((kind) => kinds.resolve(kind)?.kind)).to.deep.equal([
      ...["nodejs:18", "nodejs:20", "java:8", "odd:1", undefined, undefined],
    ]);
  });

  const refused: readonly (readonly [string, unknown, string])[] = [
    ["that is no JSON", "{", "it is no JSON"],
    ["that is no object", [], "it must be a JSON object with 'runtimes'"],
    ["whose runtimes are a list", { runtimes: [] }, "runtimes: it must be an object"],
    ["whose blackboxes are an object", { blackboxes: {} }, "blackboxes: it must be a list"],
    [
      "with an empty family",
      { runtimes: { php: [] } },
      "runtimes.php: it must be a list of at least one runtime",
    ],
    ["without a kind", nodejs({ kind: undefined }), "runtimes.nodejs[0].kind: it must be a text"],
    [
      "without an image",
      nodejs({ image: undefined }),
      "runtimes.nodejs[0].image.name: it must name an image",
    ],
    [
      "with a tag that is a number",
      nodejs({ image: { ...image, tag: 1 } }),
      "runtimes.nodejs[0].image.tag: it must be a text",
    ],
    [
      "with a flag that is a text",
      nodejs({ deprecated: "no" }),
      "runtimes.nodejs[0].deprecated: it must be true or false",
    ],
    [
      "with two kinds and no default",
      {
        runtimes: {
          a: [
            { kind: "a:1", image },
            { kind: "a:2", image },
          ],
        },
      },
      'runtimes.a: it has several kinds and no default; give one of them "default": true',
    ],
    [
      "with two defaults",
      {
        runtimes: {
          a: [
            { kind: "a:1", image, default: true },
            { kind: "a:2", image, default: true },
          ],
        },
      },
      "runtimes.a: a:1 and a:2 are both the default; leave it to one of them",
    ],
    [
      "with a kind twice",
      {
        runtimes: {
          a: [{ kind: "a:1", image, default: true }, ...[1, 2].map(() => ({ kind: "a:2", image }))],
        },
      },
      "runtimes.a: it has a:2 more than once; leave one of them",
    ],
    [
      "with a blackbox without a name",
      { blackboxes: [image, {}] },
      "blackboxes[1].name: it must name an image",
    ],
    [
      "with no stem cell in a cell",
      nodejs({ stemCells: [{ ...cell, initialCount: 0 }] }),
      "runtimes.nodejs[0].stemCells[0].initialCount: it must be a whole number from 1 on",
    ],
    [
      "with a cell without memory",
      nodejs({ stemCells: [{ count: 1 }] }),
      "runtimes.nodejs[0].stemCells[0].memory: it must be a size",
    ],
    [
      "with a negative minCount",
      nodejs({ stemCells: [{ ...cell, reactive: { ...reactive, minCount: -1 } }] }),
      "reactive.minCount: it must be a whole number from 0 on",
    ],
    [
      "with no maxCount",
      nodejs({ stemCells: [{ ...cell, reactive: { ...reactive, maxCount: 0 } }] }),
      "reactive.maxCount: it must be a whole number from 1 on",
    ],
    [
      "with a minCount above maxCount",
      nodejs({ stemCells: [{ ...cell, reactive: { ...reactive, minCount: 5 } }] }),
      "reactive: maxCount is 4; minCount and increment may not be larger",
    ],
    [
      "with an increment above maxCount",
      nodejs({ stemCells: [{ ...cell, reactive: { ...reactive, increment: 5 } }] }),
      "reactive: maxCount is 4;",
    ],
    [
      "with no threshold",
      nodejs({ stemCells: [{ ...cell, reactive: { ...reactive, threshold: 0 } }] }),
      "reactive.threshold: it must be a whole number from 1 on",
    ],
    [
      "with a ttl of nothing",
      nodejs({ stemCells: [{ ...cell, reactive: { ...reactive, ttl: "0 s" } }] }),
      'reactive.ttl: it must be a duration above 0, such as "2 minutes"',
    ],
  ];
  for (const [what, json, text] of refused) {
    it(`${what} is refused, with the entry`, () => {
      const found = problems(json);
      expect(found).to.have.length(1);
      expect(found[0]).to.include(text);
    });
  }

  it("is refused with everything that is wrong", () => {
    const runtimes = { a: [], b: [{ image }], c: [{ kind: "c:1", image: {} }] };
    expect(problems({ runtimes, blackboxes: [{}] })).to.have.length(4);
  });
});

describe("an image's name", () => {
  const parsed: readonly (readonly [string, object | undefined])[] = [
    ["name", { name: "name" }],
    ["user/name:1.0", { prefix: "user", name: "name", tag: "1.0" }],
    ["a/b/name", { prefix: "a/b", name: "name" }],
    ["reg.example/name", { registry: "reg.example", name: "name" }],
    ["localhost:5000/user/name:x", { registry: "localhost:5000", prefix: "user", name: "name", tag: "x" }],
    ["localhost/name", { prefix: "localhost", name: "name" }],
    [`name@sha256:${"a".repeat(64)}`, { name: "name" }],
    ["my__name-1.x", { name: "my__name-1.x" }],
    ["", undefined],
    ["Name", undefined],
    ["name:", undefined],
    ["name:-x", undefined],
    ["-name", undefined],
    ["a//b", undefined],
    ["na me", undefined],
    ["name@sha256:short", undefined],
  ];
  for (const [text, wanted] of parsed) {
    it(`'${text}' is ${wanted === undefined ? "none" : "read"}`, () => {
      expect(parseImageName(text)).to.deep.equal(wanted);
    });
  }

  it("has a registry of its own, or the usual one, and one slash after it", () => {
    const names = [
      fullImageName(image, ""),
      fullImageName(image, "reg.example"),
      fullImageName(image, "reg.example/"),
      fullImageName({ ...image, registry: "own:5000" }, "reg.example"),
      fullImageName({ ...image, registry: "" }, "reg.example"),
      fullImageName({ name: "bare", prefix: "", tag: "" }, ""),
    ];
    const plain = "openwhisk/action-nodejs-v20:nightly";
    expect(names).to.deep.equal([
      ...[plain, `reg.example/${plain}`, `reg.example/${plain}`, `own:5000/${plain}`, plain, "bare"],
    ]);
  });

  it("without a tag is that of the latest", () => {
    expect(isSameImage({ name: "n" }, { name: "n", tag: "latest" })).to.equal(true);
    for (const other of [
      { name: "m" },
      { name: "n", tag: "1" },
      { name: "n", prefix: "p" },
      { name: "n", registry: "r.x" },
    ]) {
      expect(isSameImage({ name: "n" }, other)).to.equal(false);
    }
  });
});

describe("an image that is run", () => {
  const blackboxes = [{ prefix: "openwhisk", name: "dockerskeleton" }];
  const manifest = new Manifest(content({ ...nodejs({ sentinelledLogs: false }), blackboxes }), settings);
  const local = new Manifest(content({}), { ...settings, bypassPullForLocalImages: true });

  it("of a kind comes from the runtimes' registry, and is never pulled", () => {
    const [runtime] = manifest.runtimes;
    expect(runtime && manifest.imageOf(runtime)).to.deep.equal({
      ...{
        name: "runtimes.example:5000/openwhisk/action-nodejs-v20:nightly",
        pull: false,
        sentinelled: false,
      },
    });
  });

  it("of a user is pulled from the users' registry, and nothing is expected of its output", () => {
    expect(manifest.userImage(" someone/thing:1 ")).to.deep.equal({
      ...{ name: "users.example/someone/thing:1", pull: true, sentinelled: false },
    });
    expect(manifest.userImage("Not an image")).to.equal(undefined);
  });

  it("of the manifest's list, or with the local prefix where that is set, is trusted like a kind's", () => {
    expect(manifest.userImage("openwhisk/dockerskeleton:latest")).to.deep.equal({
      ...{ name: "runtimes.example:5000/openwhisk/dockerskeleton:latest", pull: false, sentinelled: true },
    });
    expect(local.userImage("whisk/mine")?.pull).to.equal(false);
    expect(manifest.userImage("whisk/mine")?.pull).to.equal(true);
    expect(local.userImage("other/mine")?.pull).to.equal(true);
  });
});
