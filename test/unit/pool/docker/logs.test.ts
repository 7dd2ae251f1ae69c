// The lines of one activation out of Docker's log file: what ends them, what is said when nothing does.

import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { JsonFile } from "../../../../pool/docker/json-file.ts";
import { collectFromFile, type FileLogs } from "../../../../pool/docker/logs.ts";
import { sentinel } from "../../../../pool/log-lines.ts";

const time = "2025-08-06T11:20:00.2012345Z";
const issue = "There was an issue while collecting your logs. Data might be missing.";
const truncation = (limit: number): string =>
  `Logs were truncated because the total bytes size exceeds the limit of ${limit} bytes.`;

function record(text: string, stream = "stdout"): string {
  return `${JSON.stringify({ log: text, stream, time })}\n`;
}

const ends = record(`${sentinel}\n`) + record(`${sentinel}\n`, "stderr");

describe("the log lines of an activation", () => {
  let folder: string;
  let path: string;
  let file: JsonFile;
  const opened: JsonFile[] = [];

  function open(name = path): void {
    file = new JsonFile(name);
    opened.push(file);
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rewhisk-logs-"));
    path = join(folder, "json.log");
    open();
    await writeFile(path, "");
  });

  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
    await rm(folder, { recursive: true });
  });

  /** `silenceMs` undefined: as usual. */
  function collect(limitBytes = 10_000, isAwaited = true, silenceMs?: number): Promise<FileLogs> {
    return collectFromFile(file, { limitBytes, isAwaited, silenceMs, nowMs: () => Date.UTC(2026, 0, 1) });
  }

  it("have Docker's own time in 30 columns, the stream and the text, in the file's order", async () => {
    await writeFile(path, record("héllo\n") + record("oops\n", "stderr") + ends);
    expect(await collect()).to.deep.equal({
      lines: ["2025-08-06T11:20:00.2012345Z   stdout: héllo", "2025-08-06T11:20:00.2012345Z   stderr: oops"],
      truncated: false,
      isComplete: true,
    });
  });

  it("end with the second sentinel; the next activation's begin there", async () => {
    await writeFile(path, record("one\n") + ends + record("two\n") + ends);
    const texts = async (): Promise<string[]> => (await collect()).lines.map((line) => line.slice(31));
    expect(await texts()).to.deep.equal(["stdout: one"]);
    expect(await texts()).to.deep.equal(["stdout: two"]);
  });

  it("are waited for until both sentinels are there, in pieces as they come", async () => {
    await writeFile(path, record("one\n"));
    const collected = collect(10_000, true, 60_000);
    const whole = record("two\n") + ends;
    for (let at = 0; at < whole.length; at += 50) await appendFile(path, whole.slice(at, at + 50));
    const { lines, isComplete } = await collected;
    expect(lines.map((line) => line.slice(31))).to.deep.equal(["stdout: one", "stdout: two"]);
    expect(isComplete).to.equal(true);
  });

  it("are those in the file by now, where no sentinel is to be expected", async () => {
    await writeFile(path, record("one\n"));
    const { lines, isComplete } = await collect(10_000, false);
    expect([lines.length, isComplete]).to.deep.equal([1, true]);
    await appendFile(path, record("two\n") + ends + record("later\n"));
    expect((await collect(10_000, false)).lines.length, "two, and no more after the sentinels").to.equal(1);
  });

  it("keep what was printed without a newline before a sentinel, and what only mentions one", async () => {
    await writeFile(path, record(`no newline${sentinel}\n`) + record(`${sentinel} said he\n`) + ends);
    const { lines } = await collect();
    expect(lines.map((line) => line.slice(31))).to.deep.equal([
      "stdout: no newline",
      `stdout: ${sentinel} said he`,
    ]);
  });

  it("are several where Docker has cut a long line", async () => {
    await writeFile(path, record("a".repeat(16_384)) + record("b\n") + ends);
    const { lines } = await collect(100_000);
    expect(lines.map((line) => line.length)).to.deep.equal([31 + 8 + 16_384, 31 + 8 + 1]);
  });

  it("are cut at the limit, in bytes of the file, sentinels included", async () => {
    const text = record("one\n") + record("two\n") + ends;
    await writeFile(path, text);
    const whole = await collect(text.length);
    expect([whole.lines.length, whole.isComplete]).to.deep.equal([2, true]);
    open();
    const { lines, truncated, isComplete } = await collect(text.length - 1);
    expect(lines.length).to.equal(3);
    expect(lines[2]).to.equal(`2026-01-01T00:00:00.000000Z    stderr: ${truncation(text.length - 1)}`);
    expect([truncated, isComplete]).to.deep.equal([true, false]);
  });

  it("say so where the sentinels do not come", async () => {
    await writeFile(path, record("one\n") + record(`${sentinel}\n`));
    const { lines, isComplete } = await collect();
    expect(lines.map((line) => line.slice(31))).to.deep.equal(["stdout: one", `stderr: ${issue}`]);
    expect(isComplete).to.equal(false);
  });

  it("say so where one line is longer than the limit, or the file cannot be read", async () => {
    await writeFile(path, record("a".repeat(200)) + ends);
    const tooLong = await collect(100);
    expect(tooLong.lines.map((line) => line.slice(31))).to.deep.equal([`stderr: ${issue}`]);
    open(join(folder, "none"));
    const unreadable = await collect();
    expect(unreadable.lines.map((line) => line.slice(31))).to.deep.equal([`stderr: ${issue}`]);
    expect([tooLong.isComplete, unreadable.isComplete]).to.deep.equal([false, false]);
  });

  it("are but the complaint, without a time, where the file holds what is no record", async () => {
    for (const line of ["no JSON\n", "{}\n", '{"log":1,"time":"x"}\n']) {
      open();
      await writeFile(path, record("one\n") + line + ends);
      expect(await collect()).to.deep.equal({ lines: [issue], truncated: false, isComplete: false });
    }
  });
});
