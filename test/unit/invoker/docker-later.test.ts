// An invoker that starts before Docker does: what is refused until then, what is said of it, and that Docker is used when it comes.

import { renameSync } from "node:fs";
import { expect } from "chai";
import type { Bus } from "../../../invoker/bus/bus.ts";
import { defaultInvokerSettings } from "../../../invoker/config/invoker-settings.ts";
import { leanInstance, reachTeller } from "../../../invoker/containers.ts";
import { Observer } from "../../../invoker/observe.ts";
import { type Invoker, startInvoker } from "../../../invoker/service.ts";
import type { ActivationRecord } from "../../../invoker/wire/messages.ts";
import { createDockerFactory } from "../../../pool/docker/factory.ts";
import { systemClock } from "../../../pool/machine.ts";
import { within } from "../../within.ts";
import { ScriptedDocker } from "../pool/docker/scripted-docker.ts";
import { ScriptedServer } from "../pool/docker/scripted-server.ts";
import { FakeMachine } from "../pool/fake-machine.ts";
import { messageFields, storedAction } from "./orders.ts";

const image = { name: "images/php:1", pull: false, sentinelled: false };

describe("an invoker that starts before Docker", () => {
  let docker: ScriptedDocker;
  let proxy: ScriptedServer;
  let invoker: Invoker;
  let machine: FakeMachine;
  const lines: { readonly event: string; readonly level: number; readonly container?: string }[] = [];
  let handle: (message: string) => Promise<void> | void = () => undefined;
  const results: unknown[] = [];
  let allowForwarding: () => void;
  let away: string;

  beforeEach(async () => {
    docker = await ScriptedDocker.start();
    proxy = await ScriptedServer.start();
    away = `${docker.socketPath}-away`;
    renameSync(docker.socketPath, away);
    machine = new FakeMachine();
    lines.length = 0;
    allowForwarding = () => undefined;
    results.length = 0;
    const observer = new Observer("debug", { write: (line: string) => void lines.push(JSON.parse(line)) });
    const bus: Bus = {
      send: (_topic, message) => {
        const { response } = JSON.parse(message) as { response?: ActivationRecord };
        if (response !== undefined) results.push(response.response.result);
        return Promise.resolve();
      },
      subscribe: (_topic, taker) => {
        handle = taker;
        return { stop: () => Promise.resolve() };
      },
    };
    const stemCells = [
      { kind: "nodejs:20", count: 1, memoryMB: 512 },
      { kind: "php:8", count: 1, memoryMB: 256, image },
    ];
    const stored = storedAction();
    const exec = { ...stored.document.exec, kind: "php:8" };
    const limits = { ...stored.document.limits, memory: 512 };
    const document = { ...stored.document, exec, limits };
    invoker = await startInvoker({
      bus,
      observer,
      actions: { fetch: () => Promise.resolve({ ...stored, document }) },
      activations: { store: () => Promise.resolve() },
      factory: machine.factory,
      docker: createDockerFactory({
        ...{ network: "bridge", dnsServers: [], dnsSearch: [], dnsOptions: [], extraArgs: {} },
        ...{ environment: {}, userMemoryMB: 1024, collectsLogs: false, namePrefix: "wsk0" },
        ...{ parallelRuns: 10, pauseGraceMs: 60_000, clock: systemClock },
        onReach: reachTeller({ allowForwarding: () => allowForwarding() }, observer),
        ...{ socketPath: docker.socketPath, port: proxy.endpoint.port, lookAgainMs: 20 },
      }),
      images: { kindImage: () => image, userImage: () => undefined },
      probe: {
        ...{ rung: undefined, obstacles: [] },
        rungs: [{ rung: "copy-all", proven: false, why: "a test", rewindUs: 0 }],
      },
      settings: {
        ...defaultInvokerSettings(),
        pool: { ...defaultInvokerSettings().pool, userMemoryMB: 768, stemCells },
      },
    });
    await invoker.ready;
  });
  afterEach(async () => {
    await invoker.drain(1000);
    await proxy.stop();
    await docker.stop();
  });

  const invoke = async (): Promise<unknown> => {
    const before = results.length;
    await handle(JSON.stringify(messageFields({ blocking: true })));
    return await within(60_000, () => results[before]);
  };
  /** For people: not only for who looks for a fault. */
  const said = (event: string): number =>
    lines.filter((line) => line.event === event && line.level >= 30).length;

  it("refuses what needs Docker without making room for it, and says once that Docker is away", async () => {
    for (let i = 0; i < 3; i++)
      expect(await invoke()).to.deep.equal({ error: "Failed to provision resources to run the action." });
    expect(machine.living.length, "lean containers that are left as they are").to.equal(1);
    expect([machine.sandboxes.length, said("docker-away"), said("docker-back")]).to.deep.equal([1, 1, 0]);
  });

  it("has forwarding allowed when Docker comes, whose firewall forbids it, and goes on where that fails", async () => {
    let allowed = 0;
    allowForwarding = () => {
      allowed++;
      throw new Error("iptables: no");
    };
    await invoke();
    expect(allowed).to.equal(0);
    renameSync(away, docker.socketPath);
    await within(60_000, () => said("docker-back") || undefined);
    expect(await invoke()).to.deep.equal({});
    expect([allowed, said("forwarding-forbidden")]).to.deep.equal([1, 1]);
  });

  it("takes Docker when it comes, for jobs and for what is to be made ahead", async () => {
    const tries = (): number => lines.filter(({ event }) => event === "container-start-failed").length;
    await within(60_000, () => tries() > 2 || undefined);
    expect(said("container-start-failed"), "however often it is tried").to.equal(1);
    renameSync(away, docker.socketPath);
    const made = (): readonly string[] => docker.containers.map(({ name }) => name);
    await within(60_000, () => made().some((name) => name.endsWith("_prewarm_php8")) || undefined);
    expect(await invoke()).to.deep.equal({});
    expect(made().filter((name) => name.endsWith("_guest_hello"))).to.have.length(1);
    expect([said("docker-away"), said("docker-back")]).to.deep.equal([1, 1]);
  });

  it("says once of a container that Docker does not remove it, counts it until then, and ends without it", async () => {
    const isOurs = (name: string | undefined): boolean => name?.endsWith("_guest_hello") === true;
    docker.script = (verb, name) =>
      isOurs(name) && (verb === "start" || verb === "remove")
        ? { status: 500, body: { message: "device or resource busy" } }
        : undefined;
    renameSync(away, docker.socketPath);
    expect(await invoke()).to.deep.equal({ error: "Failed to provision resources to run the action." });
    const left = (): number =>
      lines.filter(({ event, container }) => event === "container-not-removed" && isOurs(container)).length;
    const told = (): number => docker.asked.filter((asked) => /^remove .*_guest_hello$/.test(asked)).length;
    await within(60_000, () => told() > 2 || undefined);
    expect(left(), "however often it is told").to.equal(1);
    expect(invoker.status().pool.reservedMB).to.be.at.least(512);
    const failed = said("docker-failed");
    await invoker.drain(1000);
    expect(said("docker-failed") - failed).to.equal(1);
  });
});

describe("the name of lean containers' cgroups and networks", () => {
  it("is another one for every two invokers", () => {
    const names = [
      ...["", "1", "11", "a-1", "a_1", "a", "a-1-1"].flatMap((uniqueName) =>
        [1, 11, 111].map((instance) => leanInstance({ uniqueName, instance })),
      ),
    ];
    expect(new Set(names).size).to.equal(names.length);
    for (const name of names) expect(name).to.match(/^[A-Za-z0-9-]+$/);
    expect(leanInstance({ instance: 1 })).to.equal(leanInstance({ uniqueName: "", instance: 1 }));
  });
});
