// The files that log lines go to beside the records: their text, their order, their size, a disk that takes nothing.

import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { LogFiles, logFileText } from "../../../invoker/log-files.ts";
import { runOutcome } from "../../../invoker/outcome.ts";
import { recordOf } from "../../../invoker/record.ts";
import { formatLine } from "../../../pool/index.ts";
import { orderOf, storedAction } from "./orders.ts";

describe("log files", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rewhisk-logs-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  function filesAt(times: readonly number[], fileBytes = 1000): LogFiles {
    const left = [...times];
    return new LogFiles(folder, () => left.shift() ?? Number.NaN, { fileBytes, waitingBytes: 1000 });
  }
  const contents = async (): Promise<{ [name: string]: string }> => {
    const names = (await readdir(folder)).sort();
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
    return Object.fromEntries(names.map((name, place) => [name, texts[place] ?? ""]));
  };

  it("hold all lines in the order of the calls, and are everybody's", async () => {
    const files = filesAt([17.5]);
    await Promise.all(["a\n", "b\n", "c\n"].map((text) => files.write(text)));
    await files.close();
    expect(await contents()).to.deep.equal({ "userlogs-17.log": "a\nb\nc\n" });
    expect((await stat(join(folder, "userlogs-17.log"))).mode & 0o777).to.equal(0o666);
  });

  it("are followed by another one before they grow too long", async () => {
    const files = filesAt([1, 2, 3], 10);
    for (const text of ["12345\n", "abc\n", "x\n", "longer than a file\n"]) await files.write(text);
    await files.close();
    expect(await contents()).to.deep.equal({
      "userlogs-1.log": "12345\nabc\n",
      "userlogs-2.log": "x\n",
      "userlogs-3.log": "longer than a file\n",
    });
  });

  it("refuse lines that the disk does not keep up with, and none after that", async () => {
    const files = filesAt([1], 10_000);
    const written = files.write("a".repeat(900));
    const refused = await files.write("b".repeat(101)).catch((error: unknown) => error);
    expect(refused).to.have.property("code", "behind");
    await written;
    await files.write("c".repeat(500));
    await files.close();
    expect((await contents())["userlogs-1.log"]).to.equal("a".repeat(900) + "c".repeat(500));
  });

  it("say when they cannot be written, and go on when they can", async () => {
    const inTheWay = join(folder, "logs");
    await writeFile(inTheWay, "");
    const files = new LogFiles(inTheWay, () => 5);
    const failure = await files.write("lost\n").catch((error: unknown) => error);
    expect(failure).to.have.property("code", "not-written");
    await rm(inTheWay);
    await files.write("kept\n");
    await files.close();
    expect(await readFile(join(inTheWay, "userlogs-5.log"), "utf8")).to.equal("kept\n");
  });

  it("have each line as Docker has it, with whose it is, and then the record", () => {
    const { message } = orderOf();
    const stored = storedAction();
    const run = { status: 200, body: '{"n":1.0}', bodyBytes: 9, cut: false };
    const outcome = runOutcome(
      { startMs: 1, endMs: 2, exchange: { outcome: "answer", ...run } },
      { timeoutMs: 1000, maxBodyBytes: 100 },
    );
    const work = { outcome, startMs: 1, endMs: 2, initMs: undefined, begunMs: 1, timedOut: false };
    const action = { stored, kind: "nodejs:20", limits: stored.document.limits };
    const record = recordOf(message, action, work);
    const printed = [
      formatLine(1_754_479_200_201.25, "stdout", "hello"),
      formatLine(1_754_479_200_201.25, "stderr", "a: b\rc"),
    ];
    const text = logFileText(printed, record, "guest/hello", message.user);
    const names = {
      activationId: message.activationId,
      action: "guest/hello",
      namespace: "guest",
      namespaceId: "23bc46b1-71f6-4ed5-8c54-816aa4f8c502",
    };
    const [first, second, last, rest] = text.split("\n");
    const time = "2025-08-06T11:20:00.201250Z";
    expect(JSON.parse(first ?? "")).to.deep.equal({ log: "hello\n", stream: "stdout", time, ...names });
    expect(JSON.parse(second ?? "")).to.deep.equal({ log: "a: b\rc\n", stream: "stderr", time, ...names });
    expect(last, "numbers as they were written").to.contain('"result":{"n":1.0}');
    expect(JSON.parse(last ?? "")).to.deep.include({ activationId: message.activationId, logs: [] });
    expect(JSON.parse(last ?? "").namespaceId).to.equal(names.namespaceId);
    expect(rest).to.equal("");
  });
});
