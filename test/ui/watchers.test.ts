// The stream of snapshots in front of an invoker that is only shown: who may watch, how many, and what it costs when nobody does.

import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { type AdminServer, serveAdmin } from "../../invoker/http.ts";
import { defaultWatchLimits, type WatchLimits } from "../../invoker/ui/watchers.ts";
import { StandIn, status } from "../unit/invoker/stand-in.ts";
import { within } from "../within.ts";
import { EventReader } from "./events.ts";

const [username, password] = ["invoker.user", "invoker.pass"];
const limitMs = 60_000;
const everyMs = 10;
const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
const assets = ["/ui", "/ui/main.js", "/ui/style.css", "/ui/icon.svg"];

describe("the live page's stream", () => {
  const servers: AdminServer[] = [];
  const readers: EventReader[] = [];
  const faults: unknown[] = [];
  afterEach(async () => {
    for (const reader of readers.splice(0)) reader.close();
    for (const server of servers.splice(0)) await server.close();
    faults.length = 0;
  });

  async function serving(limits: Partial<WatchLimits> = {}, invoker = new StandIn()) {
    const settings = {
      ...{ host: "127.0.0.1", port: 0, username, password, showsMetrics: true, tls: undefined },
      transactionHeader: "X-Request-ID",
    };
    const observer = {
      ...{ answered: () => undefined, acceptFailed: () => undefined },
      lookFailed: (error: unknown) => faults.push(error),
    };
    const all = { ...defaultWatchLimits, everyMs, ...limits };
    const server = await serveAdmin(invoker, settings, observer, all);
    servers.push(server);
    const { port } = server;
    const watch = async (): Promise<EventReader> => {
      const reader = await EventReader.open(`http://${username}:${password}@127.0.0.1:${port}/ui/events`);
      readers.push(reader);
      return reader;
    };
    const ask = (path: string, init: RequestInit = { headers: { authorization } }): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}${path}`, { redirect: "manual", ...init });
    return { invoker, watch, ask, port };
  }

  it("and all of its files are for operators, of whom a browser asks name and password", async () => {
    const { ask } = await serving();
    for (const path of [...assets, "/ui/events"]) {
      const answer = await ask(path, {});
      expect(answer.status, path).to.equal(401);
      expect(answer.headers.get("www-authenticate"), path).to.match(/^Basic realm="rewhisk"/);
    }
    // As stock, whose clients are programs.
    expect((await ask("/pool", {})).headers.get("www-authenticate")).to.equal(null);
  });

  it("and all of its files come from here alone, and are not kept", async () => {
    const { ask } = await serving();
    for (const path of assets) {
      const { status: code, headers } = await ask(path);
      expect(code, path).to.equal(200);
      expect(headers.get("content-security-policy"), path).to.match(/^default-src 'none'; script-src 'self'/);
      expect(headers.get("cache-control"), path).to.equal("no-store");
    }
    const page = await (await ask("/ui")).text();
    for (const [, address = ""] of page.matchAll(/(?:src|href)="([^"#]+)"/g))
      expect((await ask(`/${address}`)).status, address).to.equal(200);
    expect((await ask("/ui/")).headers.get("location")).to.equal("../ui");
    expect((await ask("/ui/nothing")).status).to.equal(404);
    expect((await ask("/ui/..%2fsnapshot.ts")).status).to.equal(404);
  });

  it("shows the invoker at once, and again and again", async () => {
    const { invoker, watch } = await serving();
    const reader = await watch();
    expect(reader.response.headers["content-type"]).to.equal("text/event-stream");
    const first = await reader.until(() => true);
    expect(first).to.deep.include({ name: "invoker0/0", phase: "ready", isEnabled: true, waiting: 1 });
    expect(first.memory).to.deep.include({ budgetMB: 1024, reservedMB: 1280 });
    expect(first.containers.map(({ id, state }) => `${id} ${state}`)).to.deep.equal([
      ...["1 clean", "2 clean", "3 running", "4 warm", "5 rewinding"],
    ]);
    invoker.shown = { ...status, phase: "draining" };
    invoker.disable();
    const later = await reader.until(({ phase }) => phase === "draining");
    expect(later.isEnabled).to.equal(false);
  });

  it("counts activations, starts, taints and the times of rewinds", async () => {
    const { invoker, watch } = await serving();
    const { metrics } = invoker.observer;
    metrics.activations.inc({ status: 2 }, 5);
    metrics.starts.inc({ start: "rewound" }, 7);
    metrics.tainted.inc({ reason: "survivor" }, 2);
    metrics.stock.lagging("invoker0", 12);
    for (const [rung, seconds] of [
      ["soft-dirty", 0.0007],
      ["soft-dirty", 0.0008],
      ["copy-all", 0.002],
      ["copy-all", 9],
    ] as const)
      metrics.rewind.observe({ rung }, seconds);
    const { activations, starts, taints, unread, rewinds } = await (await watch()).until(() => true);
    expect(activations).to.deep.equal({ 0: 0, 1: 0, 2: 5, 3: 0 });
    expect(starts).to.deep.equal({ cold: 0, clean: 0, rewound: 7, warm: 0 });
    expect([taints.survivor, taints.system, unread]).to.deep.equal([2, 0, 12]);
    expect(rewinds.counts).to.have.length(rewinds.upToMs.length + 1);
    const filled = rewinds.counts.flatMap((count, i) => (count > 0 ? [[rewinds.upToMs[i], count]] : []));
    expect(filled).to.deep.equal([
      [1, 2],
      [2.5, 1],
      [undefined, 1],
    ]);
    expect(rewinds.sumMs).to.be.closeTo(9003.5, 0.001);
  });

  it("costs nothing before anybody watches and after all have gone", async () => {
    let snapshots = 0;
    const invoker = new StandIn();
    const look = invoker.look.bind(invoker);
    invoker.look = () => {
      const opened = look();
      return {
        close: () => opened.close(),
        snapshot: () => {
          snapshots++;
          return opened.snapshot();
        },
      };
    };
    const { watch } = await serving({}, invoker);
    const { endings } = invoker.observer;
    expect([endings.size, snapshots]).to.deep.equal([0, 0]);
    const [one, other] = [await watch(), await watch()];
    expect(endings.size).to.equal(1);
    one.close();
    await within(limitMs, () => other.count > 5 || undefined);
    expect(snapshots).to.be.above(5);
    other.close();
    await within(limitMs, () => endings.size === 0 || undefined);
    const atTheEnd = snapshots;
    await sleep(10 * everyMs);
    expect(snapshots, "as long as ten would have taken").to.equal(atTheEnd);
    // Whoever comes next is shown one at once.
    await (await watch()).until(() => true);
    expect(snapshots).to.be.above(atTheEnd);
  });

  it("takes so many at a time and tells others to come back", async () => {
    const { watch, ask } = await serving({ watchersMax: 2 });
    const [one] = [await watch(), await watch()];
    const refused = await ask("/ui/events");
    expect([refused.status, refused.headers.get("retry-after")]).to.deep.equal([503, "10"]);
    expect(await refused.json()).to.deep.equal({
      error: "2 pages watch this invoker already: close one of them",
    });
    expect((await ask("/ui/events", { method: "HEAD", headers: { authorization } })).status).to.equal(503);
    one.close();
    await within(limitMs, async () => ((await watch()).response.statusCode === 200 ? true : undefined));
  });

  it("is not begun for who only asks whether it is there", async () => {
    const { ask, invoker } = await serving();
    const { status: code, headers } = await ask("/ui/events", { method: "HEAD", headers: { authorization } });
    expect([code, headers.get("content-type")]).to.deep.equal([200, "text/event-stream"]);
    expect(invoker.observer.endings.size).to.equal(0);
  });

  it("sends away who does not read, keeps nothing for it, and goes on for the others", async () => {
    const container = { kind: "nodejs:20", memoryMB: 256, owner: undefined, lastUsed: 0 };
    const containers = Array.from({ length: 5_000 }, (_, id) => ({
      ...container,
      id,
      state: "clean" as const,
    }));
    const invoker = new StandIn();
    invoker.shown = { ...status, pool: { ...status.pool, containers } };
    // Long enough for the reader, which shares this thread, to take each one on a machine with much else to do.
    const { port, watch, ask } = await serving({ everyMs: 250, watchersMax: 2 }, invoker);
    const reader = await watch();
    const slow = request({ port, path: "/ui/events", headers: { authorization }, agent: false }).end();
    const [response] = (await once(slow, "response")) as [IncomingMessage];
    response.on("error", () => undefined).pause();
    const isFree = async (): Promise<boolean> =>
      (await ask("/ui/events", { method: "HEAD", headers: { authorization } })).status === 200;
    expect(await isFree()).to.equal(false);
    await within(limitMs, async () => ((await isFree()) ? true : undefined));
    const { count } = reader;
    await within(limitMs, () => reader.count > count || undefined);
    slow.destroy();
  }).timeout(2 * limitMs);

  it("sends everybody away when the state cannot be read, and serves who comes back", async () => {
    const invoker = new StandIn();
    const fault = new Error("a fault of ours");
    const shown = invoker.status.bind(invoker);
    const { watch } = await serving({}, invoker);
    const reader = await watch();
    await reader.until(() => true);
    invoker.status = () => {
      throw fault;
    };
    await new Promise((resolve) => reader.response.once("close", resolve));
    expect(faults).to.include(fault);
    invoker.status = shown;
    await (await watch()).until(() => true);
  });

  it("ends with the server", async () => {
    const { watch, invoker } = await serving();
    const reader = await watch();
    await reader.until(() => true);
    await servers[0]?.close();
    expect(invoker.observer.endings.size).to.equal(0);
  });
});
