// Containers of any image against a scripted Docker: what it is asked for, in which order, and what comes of its refusals.

import { renameSync } from "node:fs";
import { expect } from "chai";
import { defaultEngineTimeouts } from "../../../../pool/docker/engine.ts";
import { DockerError } from "../../../../pool/docker/errors.ts";
import { createDockerFactory, type DockerFactoryOptions } from "../../../../pool/docker/factory.ts";
import { type ImageFactory, systemClock } from "../../../../pool/machine.ts";
import { within } from "../../../within.ts";
import { type Say, ScriptedDocker, type Verb } from "./scripted-docker.ts";

const managed = { name: "openwhisk/action-php:nightly", pull: false, sentinelled: true };
const users = { name: "someone/image:1", pull: true, sentinelled: false };
const order = { kind: "php:8", memoryMB: 256, label: "guest_hello", image: managed };
const failed: Say = { status: 500, body: { message: "no" } };

describe("the factory of Docker containers", () => {
  let docker: ScriptedDocker;

  beforeEach(async () => {
    docker = await ScriptedDocker.start();
  });

  afterEach(() => docker.stop());

  function factory(options: Partial<DockerFactoryOptions> = {}): ImageFactory {
    return createDockerFactory({
      ...{ network: "bridge", dnsServers: [], dnsSearch: [], dnsOptions: [], extraArgs: {} },
      ...{ environment: { A: "b" }, userMemoryMB: 1024, collectsLogs: true, namePrefix: "wsk00" },
      ...{ socketPath: docker.socketPath, parallelRuns: 10, pauseGraceMs: 10_000, clock: systemClock },
      ...options,
    });
  }

  /** Refuses these, the other verbs are answered as usual. */
  function refuse(says: Partial<Record<Verb, Say>>): void {
    docker.script = (verb) => says[verb];
  }

  async function failureOf(promise: Promise<unknown>): Promise<DockerError> {
    const error: unknown = await promise.then(() => undefined).catch((reason: unknown) => reason);
    if (error instanceof DockerError) return error;
    throw new Error(`no DockerError: ${String(error)}`);
  }

  /** Its removal is nobody's to wait for. */
  async function expectRemoved(): Promise<void> {
    await within(60_000, () => docker.containers.length === 0 || undefined);
  }

  it("creates, starts and asks for the address, and no more", async () => {
    const container = await factory().create(order);
    expect(docker.asked.slice(1)).to.deep.equal([
      ...["create wsk00_1_guest_hello", "start wsk00_1_guest_hello", "inspect wsk00_1_guest_hello"],
    ]);
    expect(container.id).to.equal("wsk00_1_guest_hello");
    expect(docker.containers[0]?.body).to.deep.include({ Image: managed.name, Env: ["A=b"] });
  });

  it("pulls a user's image before each container, and once for those that are made together", async () => {
    const made = factory();
    await Promise.all([1, 2, 3].map(() => made.create({ ...order, image: users })));
    expect(docker.count("pull")).to.equal(1);
    expect(docker.asked[1]).to.equal("pull someone/image");
    await made.create({ ...order, image: users });
    expect(docker.count("pull")).to.equal(2);
  });

  for (const name of ["someone/image", "someone/image:latest"])
    it(`refuses ${name} at once where it cannot be pulled`, async () => {
      for (const pull of [failed, { status: 200, body: { error: "no such image" } }]) {
        refuse({ pull });
        const { code } = await failureOf(factory().create({ ...order, image: { ...users, name } }));
        expect(code).to.equal("pull-failed");
        expect(docker.count("create")).to.equal(0);
      }
    });

  it("tries an image of another tag that cannot be pulled, and blames the pull where it does not run", async () => {
    refuse({ pull: failed });
    await factory().create({ ...order, image: users });
    refuse({ pull: failed, start: failed });
    expect((await failureOf(factory().create({ ...order, image: users }))).code).to.equal("pull-failed");
  });

  it("has a managed image brought that is not there, as docker run would", async () => {
    let isThere = false;
    docker.script = (verb) => {
      isThere ||= verb === "pull";
      return verb === "create" && !isThere ? { status: 404, body: { message: "No such image" } } : undefined;
    };
    await factory().create(order);
    expect([docker.count("create"), docker.count("pull")]).to.deep.equal([2, 1]);
    isThere = false;
    refuse({ create: { status: 404, body: { message: "No such image" } }, pull: failed });
    const fault = await failureOf(factory().create(order));
    expect(fault.code, "which is the machine's fault, not the user's").to.equal("refused");
    expect(fault.message).to.contain(managed.name);
  });

  it("tells that the image has no such program, and removes what was created", async () => {
    refuse({ start: { status: 400, body: { message: "OCI runtime create failed" } } });
    docker.state = { Running: false, ExitCode: 127, OOMKilled: false };
    const fault = await failureOf(factory().create(order));
    expect([fault.code, fault.message]).to.deep.equal([
      "no-executable",
      `executable file not found in image ${managed.name}`,
    ]);
    await expectRemoved();
  });

  it("removes what cannot be started, or has no address", async () => {
    refuse({ start: failed });
    docker.state = { Running: false, ExitCode: 126, OOMKilled: false };
    const fault = await failureOf(factory().create(order));
    expect([fault.code, fault.status]).to.deep.equal(["refused", 500]);
    await expectRemoved();
    refuse({});
    docker.address = "";
    expect((await failureOf(factory().create(order))).code).to.equal("no-address");
    await expectRemoved();
  });

  for (const verb of ["start", "inspect"] as const)
    it(`does not wait for a Docker that does not answer ${verb}`, async () => {
      const timeouts = { ...defaultEngineTimeouts, runMs: 50, inspectMs: 50 };
      refuse({ [verb]: "nothing" });
      expect((await failureOf(factory({ timeouts }).create(order))).code).to.equal("timeout");
      expect(await within(60_000, () => docker.count("remove") || undefined)).to.equal(1);
    });

  it("removes a container that was made after nobody waited for it any more", async () => {
    let make: () => void = () => undefined;
    docker.hold = (verb) =>
      verb === "create" ? new Promise<void>((resolve) => (make = resolve)) : Promise.resolve();
    const timeouts = { ...defaultEngineTimeouts, runMs: 50 };
    expect((await failureOf(factory({ timeouts }).create(order))).code).to.equal("timeout");
    expect(docker.containers).to.deep.equal([]);
    await within(60_000, () => docker.count("create") || undefined);
    make();
    await within(60_000, () => docker.count("remove") || undefined);
    await expectRemoved();
  });

  it("tells Docker again to remove what it has not removed", async () => {
    refuse({ start: failed, remove: failed });
    await failureOf(factory().create(order));
    await within(60_000, () => docker.count("remove") || undefined);
    expect(docker.containers.length).to.equal(1);
    refuse({});
    await within(60_000, () => docker.containers.length === 0 || undefined);
  });

  it("asks again after one of a former life that Docker is removing already, which keeps nobody", async () => {
    await factory().create(order);
    refuse({ remove: { status: 409, body: { message: "removal is already in progress" } } });
    await factory().removeLeftovers();
    refuse({});
    await expectRemoved();
  });

  it("tells that there is no Docker", async () => {
    const socketPath = `${docker.folder}/none`;
    expect((await failureOf(factory({ socketPath }).create(order))).code).to.equal("unreachable");
  });

  it("removes those of a former life with its own name, paused ones after they were resumed", async () => {
    const former = factory({ namePrefix: "wsk00" });
    const other = factory({ namePrefix: "wsk001" });
    for (const one of [former, former, other]) await one.create(order);
    const [, paused] = docker.containers;
    if (paused === undefined) throw new Error("nothing was made");
    paused.isPaused = true;
    docker.asked.length = 0;
    refuse({ list: failed });
    const next = factory();
    await failureOf(next.removeLeftovers());
    expect((await failureOf(next.create(order))).code, "nothing is made beside them").to.equal("refused");
    refuse({});
    await next.removeLeftovers();
    expect(docker.containers.map(({ name }) => name)).to.deep.equal(["wsk001_1_guest_hello"]);
    expect(docker.asked.filter((asked) => asked.endsWith(paused.name))).to.deep.equal([
      ...[`unpause ${paused.name}`, `remove ${paused.name}`],
    ]);
  });

  it("removes of one name what is its own or a stock invoker's, and never another invoker's", async () => {
    const [former, other] = ["1/11", "11/1"].map((owner) => factory({ namePrefix: "wsk111", owner }));
    await Promise.all([former?.removeLeftovers(), other?.removeLeftovers()]);
    await former?.create(order);
    const { id } = (await other?.create(order)) ?? {};
    const stock = { id: "stock", name: "wsk111_1_guest_stock", body: {}, isPaused: false };
    docker.containers.push(stock);
    const names = (): readonly string[] => docker.containers.map(({ name }) => name);
    const next = factory({ namePrefix: "wsk111", owner: "1/11" });
    await next.removeLeftovers();
    expect(names(), "whose names are told apart though both begin to count at 1").to.deep.equal([id]);
    expect((await next.create(order)).id, "no name is given twice").to.equal("wsk111_3_guest_hello");
    await next.close();
    expect(names()).to.deep.equal([id]);
  });

  it("keeps the labels that the settings give", async () => {
    await factory({ extraArgs: { label: ["team=a"] } }).create(order);
    expect(docker.containers[0]?.body.Labels).to.deep.equal({ team: "a", "rewhisk.invoker": "wsk00" });
  });

  it("removes what a former life left as soon as Docker comes, and tells of its coming and going once", async () => {
    const told: (string | undefined)[] = [];
    await factory({ onReach: (failure) => told.push(failure?.code) }).create(order);
    expect(told.splice(0), "that it is there").to.deep.equal([undefined]);
    const away = `${docker.socketPath}-away`;
    renameSync(docker.socketPath, away);
    const next = factory({ onReach: (failure) => told.push(failure?.code), lookAgainMs: 20 });
    expect(next.isThere).to.equal(false);
    for (let i = 0; i < 2; i++) expect((await failureOf(next.create(order))).code).to.equal("unreachable");
    renameSync(away, docker.socketPath);
    expect(next.isThere).to.equal(true);
    await expectRemoved();
    expect((await next.create(order)).id).to.equal("wsk00_2_guest_hello");
    expect(told).to.deep.equal(["unreachable", undefined]);
    await next.close();
  });

  it("makes containers beside one of a former life that Docker cannot remove, and goes on trying", async () => {
    const former = factory();
    for (let i = 0; i < 2; i++) await former.create(order);
    const [stuck] = docker.containers;
    docker.script = (verb, name) => (verb === "remove" && name === stuck?.name ? failed : undefined);
    const next = factory();
    expect((await failureOf(next.removeLeftovers())).code, "which is told").to.equal("refused");
    const names = (): readonly string[] => docker.containers.map(({ name }) => name);
    expect((await next.create(order)).id, "no name is given twice").to.equal("wsk00_3_guest_hello");
    expect(names()).to.deep.equal(["wsk00_1_guest_hello", "wsk00_3_guest_hello"]);
    refuse({});
    await within(60_000, () => names().length === 1 || undefined);
  });

  it("removes all when it is closed, and makes no more", async () => {
    const made = factory();
    await made.create(order);
    await Promise.all([made.close(), made.close()]);
    expect(docker.containers).to.deep.equal([]);
    expect((await failureOf(made.create(order))).code).to.equal("closed");
  });

  it("refuses extra arguments that Docker's API does not know, before any container is made", () => {
    expect(() => factory({ extraArgs: { publish: ["1:1"] } })).to.throw(DockerError, "--publish");
  });
});
