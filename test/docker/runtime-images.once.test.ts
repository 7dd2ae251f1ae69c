// Kinds of the manifest in lean containers over the files of their images, which come from a real Docker or an OCI layout.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { readClusterSettings } from "../../invoker/config/read-cluster.ts";
import { poolSettings } from "../../invoker/containers.ts";
import { Manifest } from "../../invoker/manifest.ts";
import { openRuntimes, type Runtimes } from "../../invoker/runtimes.ts";
import { type DockerDaemon, startDocker } from "../../standalone/cluster/docker.ts";
import { RealInvoker } from "../system/real-invoker.ts";
import { ImageWorkshop, loadIntoDocker } from "./runtime-image.ts";

const registry = "127.0.0.1:9";
const nodeKind = `nodejs:${process.versions.node.split(".")[0]}`;

const libraries = {
  "nodejsAction/node_modules/greeting/index.js":
    'module.exports = (name) => require("words").hello + " " + name;',
  "node_modules/words/index.js": 'exports.hello = "hello";',
  "node_modules/hidden/index.js": "",
  "usr/lib/python3/dist-packages/greeting.py":
    "def greet(name):\n  import words\n  return words.HELLO + ' ' + name\n",
  "opt/words/words.py": "HELLO = 'hello'\n",
  "etc/os-release": "ID=of-the-image\n",
  "home/node/notes.txt": "from the image",
};
const environment = [
  "PATH=/usr/local/bin:/usr/bin",
  "PYTHONPATH=/opt/words",
  "GREETED=world",
  "LANG=C.UTF-8",
];

const nodeAction = `
const greeting = require("greeting");
const fs = require("fs");
const { readFileSync, readdirSync } = fs;
globalThis.seen = (globalThis.seen ?? 0) + 1;
async function main() {
  fs.writeFileSync("/tmp/mine-" + seen, "");
  return {
    text: greeting(process.env.GREETED), same: (await import("greeting")).default === greeting, seen,
    files: readdirSync("/tmp"), program: process.execPath, home: process.cwd(),
    release: readFileSync("/etc/os-release", "utf8"), user: require("os").userInfo().username,
    notes: readFileSync("/home/node/notes.txt", "utf8"), packages: readdirSync("/node_modules"),
    writable: ["/", "/etc", "/nodejsAction", "/node_modules", "/usr", "/home", "/runtime"].filter((folder) => {
      try { fs.writeFileSync(folder + "/x", ""); return true; } catch { return false; }
    }),
  };
}`;
const pythonAction = `
import greeting, os, sys
sys.seen = getattr(sys, 'seen', 0) + 1
def main(args):
  return {'text': greeting.greet(os.environ['GREETED']), 'seen': sys.seen, 'program': sys.executable}
`;

describe("a kind in lean containers over its image", function () {
  this.timeout(300_000);
  const workshop = new ImageWorkshop();
  let daemon: DockerDaemon;
  let interpreters: string;
  const opened: Runtimes[] = [];
  const events: Record<string, unknown>[] = [];
  const observer = {
    noted: (_level: string, fields: { readonly event: string }) => void events.push({ ...fields }),
  };
  const store = join(workshop.folder, "store");

  before(async () => {
    daemon = await startDocker(join(workshop.folder, "dockerd"));
    interpreters = await workshop.interpreterLayer();
  });
  after(async () => {
    await daemon.stop();
    workshop.close();
  });
  afterEach(async () => {
    for (const runtimes of opened.splice(0)) await runtimes.close();
    events.length = 0;
  });

  const runtime = (kind: string, image: string): object => ({
    ...{ kind, default: true, stemCells: [{ count: 1, memory: "256 MB" }] },
    image: { registry, prefix: "test", name: image, tag: "1" },
  });

  /** As an operator has it: a manifest, and settings by their keys. */
  function settingsOf(runtimes: readonly object[], changed: Record<string, string> = {}) {
    const families = Object.fromEntries(runtimes.map((one, i) => [`family${i}`, [one]]));
    const { settings } = readClusterSettings({
      ...{ KAFKA_HOSTS: "k:9092", ZOOKEEPER_HOSTS: "z:2181", WHISK_API_HOST_NAME: "api" },
      ...{
        CONFIG_whisk_couchdb_protocol: "http",
        CONFIG_whisk_couchdb_host: "c",
        CONFIG_whisk_couchdb_port: "5984",
      },
      ...{ CONFIG_whisk_couchdb_username: "u", CONFIG_whisk_couchdb_password: "p" },
      ...{ CONFIG_whisk_couchdb_databases_WhiskAuth: "s", CONFIG_whisk_couchdb_databases_WhiskEntity: "w" },
      CONFIG_whisk_couchdb_databases_WhiskActivation: "a",
      RUNTIMES_MANIFEST: JSON.stringify({ runtimes: families }),
      CONFIG_rewhisk_docker_socket: daemon.socketPath,
      CONFIG_rewhisk_images_folder: store,
      ...changed,
    });
    return { settings, manifest: new Manifest(settings.manifest, settings.images) };
  }

  async function open(runtimes: readonly object[], changed: Record<string, string> = {}): Promise<Runtimes> {
    const { settings, manifest } = settingsOf(runtimes, changed);
    const found = await openRuntimes(settings, manifest, observer);
    opened.push(found);
    return found;
  }

  const noDocker = { CONFIG_rewhisk_docker_socket: "/nowhere/docker.sock" };

  /** Actions that have never been seen, and others again, in the containers that the manifest's stem cells order. */
  async function bothKinds(runtimes: Runtimes, images: readonly object[]): Promise<void> {
    const { settings, manifest } = settingsOf(images);
    const kinds = new Set(runtimes.interpreters.map(({ kind }) => kind));
    const { stemCells } = poolSettings(settings.invoker, settings, manifest, kinds);
    expect(stemCells.map(({ kind, image }) => [kind, image])).to.deep.equal([
      [nodeKind, undefined],
      ["python:3", undefined],
    ]);
    const pool = { userMemoryMB: 512, rewind: "always" as const, verifyOneIn: 1, stemCells };
    const lean = { interpreters: runtimes.interpreters };
    const real = await RealInvoker.start(pool, "runtime-images", undefined, 1, lean);
    try {
      for (let i = 0; i < 6; i++) {
        real.put(`node${i % 3}`, { kind: nodeKind, code: nodeAction });
        real.put(`python${i % 3}`, { kind: "python:3", code: pythonAction });
        expect((await real.run(`node${i % 3}`)).record.response.result).to.deep.equal({
          ...{ text: "hello world", same: true, seen: 1, files: ["mine-1"] },
          ...{ program: "/usr/local/bin/node", home: "/home/action", release: "ID=of-the-image\n" },
          ...{ user: "action", notes: "from the image", packages: ["words"], writable: [] },
        });
        expect((await real.run(`python${i % 3}`)).record.response.result).to.deep.equal({
          ...{ text: "hello world", seen: 1, program: "/usr/bin/python3" },
        });
      }
      expect(real.taints()).to.deep.equal([]);
      expect(await real.metric('rewhisk_container_starts_total{result="ready"}')).to.equal(2);
      expect(await real.metric('rewhisk_rewinds_total{verified="true"}')).to.equal(12);
    } finally {
      await real.stop();
    }
  }

  async function fullImage(name: string): Promise<string> {
    const layers = [
      interpreters,
      await workshop.layerOf(libraries),
      await workshop.layerOf({ "node_modules/.wh.hidden": "" }),
      await workshop.layerOf({}),
    ];
    return workshop.layout({ name, environment, workFolder: "/nodejsAction", layers });
  }

  it("finds the libraries, the environment and the interpreter of an image that Docker has, and nothing of others", async () => {
    await loadIntoDocker(daemon.socketPath, await fullImage(`${registry}/test/full:1`));
    const images = [runtime(nodeKind, "full"), runtime("python:3", "full")];
    const runtimes = await open(images);
    expect(events.map(({ event, kind }) => [event, kind])).to.have.deep.members([
      ["image-used", nodeKind],
      ["image-used", "python:3"],
    ]);
    await bothKinds(runtimes, images);
  });

  it("finds the same in an OCI layout, without any Docker", async () => {
    const layout = await fullImage(`${registry}/test/laid-out:1`);
    const images = [runtime(nodeKind, "laid-out"), runtime("python:3", "laid-out")];
    const runtimes = await open(images, { ...noDocker, CONFIG_rewhisk_images_layout: layout });
    await bothKinds(runtimes, images);
  });

  it("leaves to Docker what it cannot run over, and says why", async () => {
    const node = readFileSync(process.execPath);
    const loader = node.indexOf("/lib64/ld-linux-x86-64.so.2\0");
    const path = (interpreter: Buffer | string): Promise<string> =>
      workshop.layerOf({ "usr/local/bin/node": interpreter });
    const forMusl = Buffer.from(node);
    forMusl.fill(0, loader, loader + 27).write("/lib/ld-musl-x86_64.so.1", loader);
    const withoutLibrary = [
      interpreters,
      await workshop.layerOf({ "usr/lib/x86_64-linux-gnu/.wh.libstdc++.so.6": "" }),
    ];
    const drafts = {
      musl: [await path(forMusl)],
      bare: [await path(node)],
      script: [await path("#!/bin/sh\nexec node")],
      empty: [await workshop.layerOf({ "usr/bin/java": "" })],
      broken: withoutLibrary,
      older: [interpreters],
    };
    const layout = workshop.layout(
      ...Object.entries(drafts).map(([name, layers]) => ({ name: `${registry}/test/${name}:1`, layers })),
    );
    const kindOf = (image: string): string => (image === "older" ? "nodejs:99" : nodeKind);
    const reasons: Record<string, unknown> = {};
    for (const image of Object.keys(drafts)) {
      const runtimes = await open([runtime(kindOf(image), image)], { CONFIG_rewhisk_images_layout: layout });
      expect(runtimes.interpreters, image).to.deep.equal([]);
      const [{ event, code, runsIn, reason } = {}] = events.splice(0);
      expect([event, code, runsIn]).to.deep.equal(["image-not-used", "unfit", "docker"]);
      reasons[image] = reason;
    }
    const { broken, ...others } = reasons;
    expect(broken).to.match(
      /^\/usr\/local\/bin\/node .*: libstdc\+\+\.so\.6: cannot open shared object file/,
    );
    expect(others).to.deep.equal({
      musl: "its /usr/local/bin/node is for the libc of /lib/ld-musl-x86_64.so.1: it takes glibc",
      bare: "its /usr/local/bin/node needs /lib64/ld-linux-x86-64.so.2, which is not in the image",
      script: "its /usr/local/bin/node is no program for x86-64",
      empty: "it has no node in /usr/local/sbin, /usr/local/bin, /usr/sbin, /usr/bin, /sbin, /bin",
      older: `its /usr/local/bin/node is of version ${process.versions.node}, which is not nodejs:99`,
    });
  });

  it("runs over this machine's files where nobody has the image, and says so once", async () => {
    const runtimes = await open([runtime(nodeKind, "gone"), runtime("nodejs:99", "gone")]);
    expect(runtimes.interpreters.map(({ kind, image }) => [kind, image])).to.deep.equal([
      [nodeKind, undefined],
    ]);
    const image = `${registry}/test/gone:1`;
    const said = {
      event: "image-not-used",
      image,
      code: "absent",
      reason: `there is no image ${image} here`,
    };
    expect(events).to.have.deep.members([
      { ...said, kind: nodeKind, runsIn: "machine" },
      { ...said, kind: "nodejs:99", runsIn: "docker" },
    ]);
  });

  it("asks Docker to fetch what is not there only where that is wanted", async () => {
    await open([runtime(nodeKind, "gone")], { CONFIG_rewhisk_images_pull: "true" });
    expect(events.map(({ code, runsIn }) => [code, runsIn])).to.deep.equal([["absent", "machine"]]);
    expect(events[0]?.reason).to.match(/^pull 127\.0\.0\.1:9\/test\/gone:1: .*connection refused/);
  });

  it("refuses to start with a layout that is none", async () => {
    const refusal = open([], { CONFIG_rewhisk_images_layout: workshop.folder }).then(
      () => "none",
      (error: Error) => error.message,
    );
    expect(await refusal).to.match(
      /^CONFIG_rewhisk_images_layout is '.*': it has no index\.json; name the folder of an OCI layout$/,
    );
  });

  it("takes no image whose layers are not what their names say", async () => {
    const layout = workshop.layout({
      name: `${registry}/test/spoilt:1`,
      layers: [await workshop.layerOf({ a: "a" })],
    });
    const blobs = join(layout, "blobs/sha256");
    const [layer = ""] = readdirSync(blobs).filter(
      (name) => readFileSync(join(blobs, name)).subarray(0, 1).toString() !== "{",
    );
    writeFileSync(join(blobs, layer), readFileSync(await workshop.layerOf({ b: "b" })));
    await open([runtime(nodeKind, "spoilt")], { CONFIG_rewhisk_images_layout: layout });
    expect(events.map(({ code, runsIn }) => [code, runsIn])).to.deep.equal([["malformed", "docker"]]);
    expect(events[0]?.reason).to.match(/is not what its name says$/);
  });

  it("keeps what is unpacked for a Docker that is not there yet, and says what is used until the next start", async () => {
    await (await open([runtime(nodeKind, "full")])).close();
    expect(events.splice(0).map(({ event }) => event)).to.deep.equal(["image-used"]);
    const runtimes = await open([runtime(nodeKind, "full"), runtime("nodejs:99", "full")], noDocker);
    expect(runtimes.interpreters.map(({ kind, image }) => [kind, image])).to.deep.equal([
      [nodeKind, undefined],
    ]);
    expect(events.map(({ kind, code, runsIn }) => [kind, code, runsIn])).to.have.deep.members([
      [nodeKind, "unreachable", "machine"],
      ["nodejs:99", "unreachable", "nothing"],
    ]);
    expect(readdirSync(store)).to.have.lengthOf(1);
  });

  it("waits no longer for a Docker that is away than for one image", async () => {
    await (await open([runtime(nodeKind, "full")])).close();
    expect(events.splice(0).map(({ event }) => event)).to.deep.equal(["image-used"]);
    await daemon.kill();
    try {
      const runtimes = await open([runtime(nodeKind, "full"), runtime("python:3", "full")]);
      expect(runtimes.interpreters.map(({ kind, image }) => [kind, image])).to.deep.equal([
        [nodeKind, undefined],
        ["python:3", undefined],
      ]);
      expect(events.map(({ code }) => code)).to.deep.equal(["unreachable", "unreachable"]);
      // What was unpacked is still wanted, as far as anybody knows.
      expect(readdirSync(store)).to.have.lengthOf(1);
    } finally {
      await daemon.restart();
    }
  });
});
