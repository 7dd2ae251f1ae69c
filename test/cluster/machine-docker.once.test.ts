// Actions in images of their own through a whole cluster: created over REST as wsk does, run by the invoker's program in Docker.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import Docker from "dockerode";
import { startDocker } from "../../standalone/cluster/docker.ts";
import { importImage } from "../docker/image.ts";
import { instanceName } from "../system/instance.ts";
import { within } from "../within.ts";
import { ClusterSetting } from "./cluster-setting.ts";

const limitMs = 180_000;
const patienceMs = 60_000;
/** Nobody listens there: pulling fails at once, and the image that is here is taken. */
const repository = "127.0.0.1:9/test/actions";
/** What it prints is waited for: the manifest counts it among the runtimes. */
const image = `${repository}:1`;
const named = { registry: "127.0.0.1:9", prefix: "test", name: "actions", tag: "1" };
const usersImage = `${repository}:2`;
const counting =
  "import os\nn = 0\ndef main(args):\n  global n\n  n += 1\n  print('count', n)\n  return {'n': n, 'host': os.uname().nodename, 'args': args}\n";

describe("an image's action in a cluster", function () {
  this.timeout(limitMs);
  let cluster: ClusterSetting;
  const ends: (() => Promise<void>)[] = [];
  let docker: Docker;

  before(async () => {
    const stemCells = [{ initialCount: 1, memory: "256 MB" }];
    const kind = { kind: "stock:1", default: true, deprecated: false, stemCells };
    cluster = await ClusterSetting.start({
      families: { stock: [{ ...kind, image: named }] },
      blackboxes: [named],
    });
    ends.push(() => cluster.close());
    // As after a machine's start: the invoker is there before Docker is, and takes it when it comes.
    const folder = mkdtempSync(join(tmpdir(), "rewhisk-dockerd-"));
    const socketPath = join(folder, "docker.sock");
    await cluster.invoker({
      ...{ name: "images", id: 0, userMemoryMB: 1024 },
      variables: { CONFIG_rewhisk_docker_socket: socketPath },
    });
    await cluster.areSeenAs(["up"]);
    const daemon = await startDocker(folder);
    expect(daemon.socketPath).to.equal(socketPath);
    ends.unshift(() => daemon.stop());
    docker = new Docker({ socketPath, host: "" });
    await importImage(socketPath, repository, ["1", "2"]);
  });
  after(async () => {
    for (const end of ends.reverse()) await end();
  });

  const containers = async (): Promise<readonly { readonly name: string; readonly id: string }[]> =>
    (await docker.listContainers()).map(({ Names, Id }) => ({ name: Names[0] ?? "", id: Id }));
  const prefix = `/wsk${instanceName("images").replaceAll("-", "")}0_`;

  it("of a kind of the manifest runs in the container that was made ahead for it", async () => {
    const prewarmed = await within(patienceMs, async () =>
      (await containers()).find(({ name }) => name.startsWith(prefix) && name.endsWith("_prewarm_stock1")),
    );
    await cluster.controller.put("kind", { exec: { kind: "stock:default", code: counting } });
    const { status, body } = await cluster.controller.invoke("kind", { a: "ÿ€😀" });
    expect([status, body.response.result]).to.deep.equal([
      ...[200, { n: 1, host: prewarmed.id.slice(0, 12), args: { a: "ÿ€😀" } }],
    ]);
  });

  it("runs with its logs and its record, and is warm the second time", async () => {
    await cluster.controller.put("image", { exec: { kind: "blackbox", image, code: counting } });
    const hosts: string[] = [];
    for (const n of [1, 2]) {
      const { status, body } = await cluster.controller.invoke("image");
      expect([status, body.response.result.n]).to.deep.equal([200, n]);
      hosts.push(body.response.result.host);
      const record = await cluster.controller.record(body.activationId);
      expect(record.response).to.deep.include({ status: "success", result: body.response.result });
      expect(record.logs.map((line: string) => line.slice(31))).to.deep.equal([`stdout: count ${n}`]);
      const keys = record.annotations.map(({ key }: { key: string }) => key);
      expect(record.annotations).to.deep.include({ key: "kind", value: "blackbox" });
      expect(keys.includes("initTime")).to.equal(n === 1);
    }
    expect(hosts[1]).to.equal(hosts[0]);
    const found = (await containers()).find(({ id }) => id.startsWith(hosts[0] ?? "-"));
    expect(found?.name).to.match(new RegExp(`^${prefix}\\d+_guest_image$`));
  });

  it("that no manifest names is pulled or else taken as it is here, and may do without code", async () => {
    await cluster.controller.put("bare", { exec: { kind: "blackbox", image: usersImage } });
    const { body } = await cluster.controller.invoke("bare");
    expect(body.response.result.environment).to.include({ __OW_ACTION_NAME: "/guest/bare" });
  });

  it("that fails is told in OpenWhisk's words, and its container is not used again", async () => {
    const code = "n = 0\ndef main(args):\n  global n\n  n += 1\n  raise Exception(f'no {n}')\n";
    await cluster.controller.put("failing", { exec: { kind: "blackbox", image, code } });
    for (const _ of [1, 2]) {
      const { status, body } = await cluster.controller.invoke("failing");
      expect(status).to.equal(502);
      expect(body.response).to.deep.include({ status: "action developer error", result: { error: "no 1" } });
      const { logs } = await cluster.controller.record(body.activationId);
      expect(logs.at(-1)).to.match(/stderr: The action did not initialize or run as expected\./);
    }
  });

  it("whose image nobody has is told so", async () => {
    const nowhere = "127.0.0.1:9/nobody/has:this";
    await cluster.controller.put("nowhere", { exec: { kind: "blackbox", image: nowhere, code: "" } });
    const { status, body } = await cluster.controller.invoke("nowhere");
    expect(status).to.equal(502);
    const error = `Failed to pull container image '${nowhere}'.`;
    expect(body.response).to.deep.include({ status: "action developer error", result: { error } });
  });

  it("is found no more after its deletion", async () => {
    await cluster.controller.put("brief", { exec: { kind: "blackbox", image, code: counting } });
    expect((await cluster.controller.invoke("brief")).status).to.equal(200);
    expect((await cluster.controller.send("DELETE", "actions/brief")).status).to.equal(200);
    expect((await cluster.controller.invoke("brief")).status).to.equal(404);
  });

  it("leaves no container when the invoker ends", async () => {
    await cluster.endInvokers();
    expect(await docker.listContainers({ all: true })).to.deep.equal([]);
  });
});
