// The document of metrics against what is scraped: each names what the other has.

import { readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { Metrics } from "../../../invoker/metrics.ts";
import { spanTeller, storeTeller } from "../../../invoker/observe-cluster.ts";
import { databaseOperations } from "../../../invoker/store/couchdb/meter.ts";
import { type CodeCounts, codeUses, LeanError } from "../../../pool/index.ts";
import { taintReasons } from "../../../pool/taint.ts";
import { orderOf } from "./orders.ts";
import { type World, Worlds } from "./world.ts";

interface Row {
  /** In the document with what varies between angle brackets. */
  readonly name: string;
  readonly type: string;
  readonly labels: ReadonlySet<string>;
}

const words = (cell: string): string[] => Array.from(cell.matchAll(/`([^`]+)`/g), ([, word]) => word ?? "");

function documented(): Row[] {
  const rows = readFileSync("docs/METRICS.md", "utf8").matchAll(/^\| (`.*?) \| (\w+) +\| (.*?) \| .* \|$/gm);
  return Array.from(rows, ([, name = "", type = "", labels = ""]) => {
    return { name: words(name)[0] ?? "", type, labels: new Set(words(labels)) };
  });
}

/** The closed list that the document's row of a metric ends with. */
function listed(name: string): string[] {
  const [, list = ""] =
    new RegExp(`\\| \`${name}\`.*: (.*) \\|$`, "m").exec(readFileSync("docs/METRICS.md", "utf8")) ?? [];
  return words(list);
}

/** Each once, under the name that the document has for it. */
function asDocumented(rows: readonly Row[], names: readonly string[]): Row[] {
  const forms = names.map(
    (name) => [name, new RegExp(`^${name.replaceAll(/<\w+>/g, "[A-Za-z0-9]+")}$`)] as const,
  );
  const known = (name: string): string =>
    names.includes(name) ? name : (forms.find(([, form]) => form.test(name))?.[0] ?? name);
  return [...new Map(rows.map((row) => [known(row.name), { ...row, name: known(row.name) }])).values()];
}

async function scraped(metrics: Metrics): Promise<Row[]> {
  const all = await metrics.registry.getMetricsAsJSON();
  return all.map(({ name, type, values }) => {
    const labels = new Set(values.flatMap(({ labels }) => Object.keys(labels)));
    labels.delete("le");
    return { name, type: String(type), labels };
  });
}

const byName = (rows: readonly Row[]): Row[] =>
  rows.toSorted((one, other) => (one.name < other.name ? -1 : 1));

describe("metrics", () => {
  const worlds = new Worlds();
  afterEach(() => worlds.close());

  /** After everything that can be counted has happened once. */
  async function eventful(tags: boolean): Promise<World> {
    const here = await worlds.make({}, new Metrics({ tags }));
    const { observer, pool } = here;
    observer.watch(pool);
    observer.metrics.watchCodes(() => ({
      uses: Object.fromEntries(codeUses.map((use) => [use, 1])) as CodeCounts["uses"],
      ...{ archives: 1, bytes: 1 },
    }));
    observer.metrics.watchAhead(() => ({
      networks: { ready: 2, made: 5, reused: 1, discarded: 3 },
      containers: { ready: 4, replaced: 2 },
    }));
    observer.metrics.watchEmbryos(() => ({ living: 2, bytes: 3e7 }));
    const rung = { rung: "copy-all", proven: true, why: "", rewindUs: 1 } as const;
    observer.invokerStarted({ rung: "copy-all", obstacles: [], rungs: [rung] }, ["nodejs:20"], 0);
    await here.run();
    const { stock } = observer.metrics;
    stock.read("invoker0", 5);
    stock.lagging("invoker0", 3);
    stock.answered("GET", 200, 1);
    observer.unreadable(new Error("no JSON"));
    observer.backgroundFailed("log-file", orderOf().message, new Error("full"));
    spanTeller(observer).sent(1);
    const [sandbox] = here.machine.sandboxes;
    sandbox?.die();
    await nextTurn();
    await pool.settled();
    await here.run();
    return here;
  }

  it("count a record that is lost, whatever for", async () => {
    const { observer } = await worlds.make();
    const tell = storeTeller(observer);
    tell({ event: "record-dropped", id: "guest/a", dropped: 1 });
    for (const refused of [1, 2])
      tell({ event: "record-refused", id: "guest/b", reason: "forbidden", refused });
    tell({ event: "database-back", waiting: 0 });
    const { values } = await observer.metrics.recordsLost.get();
    expect(values.map(({ value, labels: { why } }) => [why, value])).to.deep.equal([
      ["dropped", 1],
      ["refused", 2],
    ]);
  });

  it("go with a line of the log, once for each kind, where booted containers share no memory", async () => {
    const { observer, pool, logLines } = await worlds.make();
    observer.watch(pool);
    for (const kind of ["nodejs:20", "nodejs:20", "python:3"])
      pool.events.emit("bootsCopied", { kind, error: new Error("the embryo is gone") });
    const said = logLines
      .map((line) => JSON.parse(line) as { event: string; kind: string; detail: string })
      .filter(({ event }) => event === "containers-share-no-memory");
    expect(said.map(({ kind, detail }) => [kind, detail])).to.deep.equal([
      ["nodejs:20", "the embryo is gone"],
      ["python:3", "the embryo is gone"],
    ]);
  });

  it("count the starts that are put off while others hold what they lack, with a line once for each reason", async () => {
    const { observer, pool, logLines } = await worlds.make();
    observer.watch(pool);
    for (const code of ["no-uid", "no-uid", "no-address"] as const) {
      const error = new LeanError(code, "all are in use");
      pool.events.emit("startPutOff", { container: "7", kind: "nodejs:20", error });
    }
    const said = logLines
      .map((line) => JSON.parse(line) as { event: string; reason: string })
      .filter(({ event }) => event === "container-put-off");
    expect(said.map(({ reason }) => reason)).to.deep.equal(["no-uid", "no-address"]);
    const { values } = await observer.metrics.containersStarted.get();
    expect(values.find(({ labels: { result } }) => result === "put-off")?.value).to.equal(3);
  });

  it("count what is given up where memory is short, whose begin and end the log tells", async () => {
    const { observer, pool, logLines } = await worlds.make();
    observer.watch(pool);
    const shortage = { isShort: true, availableMB: 99.9, missingMB: 200 };
    pool.events.emit("memoryShort", shortage);
    for (const what of ["level", "level", "idle"] as const) pool.events.emit("relieved", { what });
    pool.events.emit("memoryShort", { ...shortage, isShort: false });
    const said = logLines
      .map((line) => JSON.parse(line) as { event: string; availableMB?: number })
      .filter(({ event }) => event.startsWith("memory-"));
    expect(said.map(({ event, availableMB }) => [event, availableMB])).to.deep.equal([
      ["memory-short", 99],
      ["memory-enough", 99],
    ]);
    const { values } = await observer.metrics.relieved.get();
    const counted = values
      .filter(({ value }) => value > 0)
      .map(({ value, labels: { what } }) => [what, value]);
    expect(counted).to.have.deep.members([
      ["level", 2],
      ["idle", 1],
    ]);
  });

  it("count boots that fail, of which the log tells once for each kind and reason", async () => {
    const { observer, pool, logLines } = await worlds.make();
    observer.watch(pool);
    const said = (): unknown[] =>
      logLines
        .map((line) => JSON.parse(line) as { event: string; kind: string; reason: string; detail: string })
        .filter(({ event }) => event === "container-not-booted")
        .map(({ kind, reason, detail }) => [kind, reason, detail]);
    for (const [kind, reason] of [
      ["nodejs:20", "unsupported"],
      ["nodejs:20", "unsupported"],
      ["python:3", "unsupported"],
      ["nodejs:20", "process-gone"],
    ] as const)
      pool.events.emit("bootFailed", { kind, reason, error: new Error("a socket") });
    expect(said()).to.deep.equal([
      ["nodejs:20", "unsupported", "a socket"],
      ["python:3", "unsupported", "a socket"],
      ["nodejs:20", "process-gone", "a socket"],
    ]);
    const { values } = await observer.metrics.bootsFailed.get();
    const counted = values.filter(({ value }) => value > 0);
    expect(counted.map(({ value, labels: { reason } }) => [reason, value])).to.deep.equal([
      ["process-gone", 1],
      ["unsupported", 3],
    ]);
  });

  it("count what became of stored templates, of which the log tells what is wrong once for each kind and reason", async () => {
    const { observer, pool, logLines } = await worlds.make();
    observer.watch(pool);
    const [kind, error] = ["nodejs:20", new Error("another kernel")];
    pool.events.emit("templateStored", { kind, result: "kept" });
    pool.events.emit("templateStored", { kind, result: "loaded" });
    for (const told of ["nodejs:20", "nodejs:20", "python:3"])
      pool.events.emit("templateStored", { kind: told, result: "changed", error });
    const said = logLines
      .map((line) => JSON.parse(line) as { event: string; kind: string; reason: string; detail: string })
      .filter(({ event }) => event === "template-not-stored");
    expect(said.map((line) => [line.kind, line.reason, line.detail])).to.deep.equal([
      ["nodejs:20", "changed", "another kernel"],
      ["python:3", "changed", "another kernel"],
    ]);
    const { values } = await observer.metrics.templatesStored.get();
    const counted = values.filter(({ value }) => value > 0);
    expect(Object.fromEntries(counted.map(({ value, labels: { result } }) => [result, value]))).to.deep.equal(
      {
        ...{ kept: 1, loaded: 1, changed: 3 },
      },
    );
  });

  it("are all documented, with their types and labels, and no others are", async () => {
    const [plain, tagged] = [await eventful(false), await eventful(true)];
    const all = [...(await scraped(tagged.observer.metrics)), ...(await scraped(plain.observer.metrics))];
    const rows = documented();
    expect(
      byName(
        asDocumented(
          all,
          rows.map(({ name }) => name),
        ),
      ),
    ).to.deep.equal(byName(rows));
  });

  it("have in the document every reason and every operation there is", () => {
    expect(listed("rewhisk_tainted_total")).to.deep.equal(taintReasons);
    expect(listed("counter_database_<operation>_start_total")).to.deep.equal(databaseOperations);
  });

  it("count by label or by name what comes of a job, as the operator has it", async () => {
    const [named, labelled] = [await eventful(false), await eventful(true)];
    const namedText = await named.observer.metrics.registry.metrics();
    expect(namedText).to.match(/^counter_invoker_containerStart_prewarmed_counter_total 2$/m);
    const labelledText = await labelled.observer.metrics.registry.metrics();
    expect(labelledText).to.match(
      /^counter_invoker_containerStart_counter_total\{containerState="prewarmed"\} 2$/m,
    );
    expect(labelledText).to.not.contain("containerStart_prewarmed");
  });

  it("time the parts of an activation in seconds", async () => {
    const here = await eventful(false);
    const text = await here.observer.metrics.registry.metrics();
    expect(text).to.contain("counter_invoker_activation_start_total 2");
    for (const phase of ["activationInit", "activationRun", "collectLogs"]) {
      expect(text).to.contain(`counter_invoker_${phase}_start_total 2`);
      expect(text).to.contain(`histogram_invoker_${phase}_finish_seconds_count 2`);
    }
    const alone = new Metrics();
    alone.stock.phaseEnded("activationRun", 250);
    const timed = await alone.registry.metrics();
    expect(timed).to.contain("histogram_invoker_activationRun_finish_seconds_sum 0.25");
    expect(text).to.match(/^rewhisk_rewind_seconds_count\{rung="copy-all"\} \d+$/m);
    expect(text).to.match(/^rewhisk_rewind_phase_seconds_count\{phase="scan"\} \d+$/m);
  });

  it("show the pool in stock's words", async () => {
    const here = await eventful(false);
    const text = await here.observer.metrics.registry.metrics();
    expect(text).to.contain("gauge_containerPool_prewarmCount_counter 1");
    expect(text).to.contain(`gauge_containerPool_prewarmSize_counter_bytes ${256 * 1024 * 1024}`);
    expect(text).to.contain("gauge_containerPool_activeCount_counter 0");
    expect(text).to.contain("gauge_containerPool_runBufferCount_counter 0");
  });
});
