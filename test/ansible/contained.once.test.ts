// The role with Docker on this machine: an invoker in its image, which OpenWhisk's own role can start as well; deployed in the place of
// that, over what an interrupted deployment has left, again, changed under load, removed, and back.

import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type DockerDaemon, startDocker } from "../../standalone/cluster/docker.ts";
import { nodeKind } from "../cluster/cluster-setting.ts";
import { rendered } from "../compat/stock-environment.ts";
import { importImage } from "../docker/image.ts";
import { instanceName } from "../system/instance.ts";
import { requireRoot } from "../system/lean-probe.ts";
import { within } from "../within.ts";
import { Deployment, invokers } from "./deployment.ts";
import { buildInvokerImage, docker } from "./invoker-image.ts";

const limitMs = 600_000;
const image = "rewhisk-test/invoker:1";
/** Nobody listens there: pulling fails at once. */
const registry = "127.0.0.1:9";
const userImage = `${registry}/test/actions`;
const nameServer = "10.9.8.7";
const asks =
  "async function main() { return { status: (await fetch(process.env.__OW_API_HOST + '/api/v1')).status }; }";
const greets = "def main(args):\n  print('said')\n  return {'hi': args['name']}";

describe("the role with Docker", function () {
  this.timeout(limitMs);
  let daemon: DockerDaemon;
  let deployment: Deployment;

  const inDocker = (...args: string[]): Promise<string> => docker(daemon.socketPath, args);
  const containers = async (): Promise<string[]> =>
    (await inDocker("ps", "--all", "--format", "{{.Names}}")).split("\n").filter(Boolean).sort();

  before(async () => {
    requireRoot();
    daemon = await startDocker(mkdtempSync(join(tmpdir(), "rewhisk-dockerd-")));
    const host = await inDocker(
      "network",
      "inspect",
      "bridge",
      "--format",
      "{{(index .IPAM.Config 0).Gateway}}",
    );
    await Promise.all([
      buildInvokerImage(daemon.socketPath, image),
      importImage(daemon.socketPath, userImage, ["1"]),
      Deployment.start("contained", {
        host,
        variables: {
          ...{ rewhisk_supervisor: "docker", rewhisk_image: image, docker_sock: daemon.socketPath },
          ...{ invoker_container_network_dns_servers: nameServer },
        },
      }).then((started) => {
        deployment = started;
      }),
    ]);
  });
  after(async () => {
    await deployment?.close();
    if ((await containers()).length > 0) await inDocker("stop", "--time", "60", ...(await containers()));
    await daemon.stop();
  });

  /**
   * As OpenWhisk's role does, with what it mounts by its variable invoker_docker_volumes. Instead of --privileged it has the part of that
   * which is needed: older Dockers make no privileged container where root lacks a capability, as on some machines of tests.
   */
  async function startAsStock(): Promise<void> {
    const { cluster, checkout, port } = deployment;
    const { environment, args } = rendered("2.0.0");
    const [api, database] = [new URL(cluster.controller.url), new URL(cluster.databaseUrl)];
    const logs = join(checkout.folder, "logs", "invoker0");
    mkdirSync(logs, { recursive: true });
    const variables: Record<string, string> = {
      ...environment,
      ...{ KAFKA_HOSTS: cluster.kafka.broker.bootstrap, RUNTIMES_MANIFEST: deployment.manifest },
      ...{ WHISK_API_HOST_PROTO: "http", WHISK_API_HOST_NAME: api.hostname, WHISK_API_HOST_PORT: api.port },
      ...{ CONFIG_whisk_couchdb_host: database.hostname, CONFIG_whisk_couchdb_port: database.port },
      CONFIG_whisk_couchdb_username: database.username,
      CONFIG_whisk_couchdb_password: decodeURIComponent(database.password),
      CONFIG_whisk_containerPool_userMemory: "512m",
      CONFIG_whisk_containerFactory_containerArgs_dnsServers_0: nameServer,
    };
    const volumes = [
      ...["/sys/fs/cgroup:/sys/fs/cgroup", `${logs}:/logs`, `${deployment.keys}:/conf`],
      ...[`${daemon.socketPath}:/var/run/docker.sock`, "/run/rewhisk:/run/rewhisk"],
    ];
    const own = [...args.slice(0, -1), instanceName("contained-stock")].join(" ");
    const options = [
      ...["--detach", "--name", "invoker0", "--hostname", "invoker0", "--restart", "always"],
      ...["--pid", "host", "--userns", "host", "--publish", `${port}:8080`],
      // Which Docker itself sees to for all containers, but for the one of these tests.
      ...["--sysctl", "net.ipv4.ip_forward=1"],
      ...["SYS_ADMIN", "SYS_PTRACE", "NET_ADMIN"].flatMap((name) => ["--cap-add", name]),
      ...["seccomp", "apparmor", "systempaths"].flatMap((what) => ["--security-opt", `${what}=unconfined`]),
      ...volumes.flatMap((volume) => ["--volume", volume]),
      ...Object.keys(variables).flatMap((name) => ["--env", name]),
    ];
    const command = `exec /init.sh ${own} >> /logs/invoker0_logs.log 2>&1`;
    await docker(daemon.socketPath, ["run", ...options, image, "/bin/sh", "-c", command], variables);
  }

  it("has an image that serves as OpenWhisk's role starts its own invoker", async () => {
    await startAsStock();
    await deployment.cluster.areSeenAs(["up"]).catch((error: unknown) => {
      throw new Error(deployment.logOf("invoker0"), { cause: error });
    });
    await deployment.cluster.controller.put("asks", { exec: { kind: nodeKind, code: asks } });
    const { body } = await deployment.cluster.controller.invoke("asks");
    expect(body.response.result).to.deep.equal({ status: 200 });
  });

  it("refuses an image that is neither on the host nor to be had, and says what it would do", async () => {
    const image = `${registry}/rewhisk/invoker:0`;
    const { status, output } = await deployment.play({ rewhisk_image: image }, "--limit", "invoker0");
    expect(status).to.equal(2);
    expect(output).to.include(`Missing: the image ${image}`).and.include("Remedy: ");
    expect((await deployment.succeed({}, "--check")).output)
      .to.include("invoker0 would be replaced")
      .and.include("invoker1 would be started");
    expect(await containers()).to.deep.equal(["invoker0"]);
    expect(readdirSync(deployment.checkout.folder)).to.deep.equal(["ansible", "logs"]);
  });

  it("deploys in the place of OpenWhisk's own, and over what an interrupted deployment has left", async () => {
    const home = join(deployment.installed, "invokers", "invoker1");
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, "run"), "#!/bin/sh\n# half of i");
    await inDocker("create", "--name", "invoker1", "--label", `rewhisk.home=${home}`, image);
    await deployment.succeed();
    await deployment.cluster.areSeenAs(["up", "up"]);
    expect(await containers()).to.deep.equal([...invokers]);
    // The other's log begins with that of OpenWhisk's, as it would there.
    expect(deployment.logOf("invoker1"))
      .to.include('"event":"invoker-serves"')
      .and.not.include('"event":"setting-');
  });

  it("runs actions that reach the API host, and those of images beside it, with their logs", async () => {
    const { controller } = deployment.cluster;
    expect((await controller.invoke("asks")).body.response.result).to.deep.equal({ status: 200 });
    await controller.put("greets", { exec: { kind: "blackbox", image: `${userImage}:1`, code: greets } });
    // As stock, an image's own logs are what Docker has by the end: it may be behind.
    const logs = await within(limitMs, async () => {
      const { body } = await controller.invoke("greets", { name: "you" });
      expect(body.response.result).to.deep.equal({ hi: "you" });
      const record = await controller.record(body.activationId);
      return record.logs.length > 0 ? record.logs : undefined;
    });
    for (const line of logs) expect(line).to.match(/stdout: said$/);
  });

  it("changes nothing the second time, and refuses to have the same invoker kept by something else", async () => {
    expect((await deployment.succeed()).changed).to.deep.equal({ invoker0: 0, invoker1: 0 });
    const { status, output } = await deployment.play({ rewhisk_supervisor: "script" }, "--limit", "invoker0");
    expect(status).to.equal(2);
    expect(output).to.include("invoker0 is kept running by docker, and rewhisk_supervisor says script");
  });

  it("replaces one after the other under load, and no activation fails", async () => {
    const { failed, changed } = await deployment.underLoad("asks", { invoker_loglevel: "DEBUG" });
    expect(Object.values(changed).filter((count) => count === 0)).to.deep.equal([]);
    expect(failed).to.deep.equal([]);
    await deployment.cluster.areSeenAs(["up", "up"]);
  });

  it("leaves nothing when it cleans, so that OpenWhisk's own comes back", async () => {
    await deployment.succeed({ mode: "clean" });
    expect(await containers()).to.deep.equal([]);
    expect(readdirSync(deployment.checkout.folder)).to.deep.equal(["ansible", "logs"]);
    expect(readdirSync(join(deployment.checkout.folder, "logs"))).to.deep.equal([]);
    await startAsStock();
    await deployment.cluster.areSeenAs(["up", "down"]);
    expect((await deployment.cluster.controller.invoke("asks")).status).to.equal(200);
  });
});
