// Log lines as OpenWhisk keeps them.

import { expect } from "chai";
import { formatLine, LogLines, type StreamName, sentinel } from "../../../pool/log-lines.ts";

const atMs = Date.UTC(2026, 10, 21, 2, 26, 33) + 214.4293;

function linesOf(limitBytes: number, pieces: readonly (readonly [StreamName, string | Buffer])[]): string[] {
  const lines = new LogLines(limitBytes);
  for (const [stream, piece] of pieces) lines.push(stream, Buffer.from(piece), atMs);
  return lines.finish(atMs);
}
const texts = (lines: readonly string[]): string[] => lines.map((line) => line.slice(31));

describe("log lines", () => {
  it("have the time in 30 columns, then the stream, then the text", () => {
    const line = formatLine(atMs, "stdout", "hello");
    expect(line).to.equal("2026-11-21T02:26:33.214429Z    stdout: hello");
    expect(line.indexOf("stdout")).to.equal(31);
  });

  it("carry the microseconds of each moment, also across a second's end", () => {
    const second = Date.UTC(2026, 0, 1);
    expect(formatLine(second + 999.9996, "stderr", "").slice(0, 27)).to.equal("2026-01-01T00:00:00.999999Z");
    expect(formatLine(second + 1000.0015, "stderr", "").slice(0, 27)).to.equal("2026-01-01T00:00:01.000001Z");
  });

  it("are put together from pieces, in the order in which they were finished", () => {
    const lines = linesOf(1000, [
      ["stdout", "first ha"],
      ["stderr", "other\n"],
      ["stdout", "lf\nsecond\nthi"],
      ["stdout", "rd"],
    ]);
    expect(texts(lines)).to.deep.equal([
      "stderr: other",
      "stdout: first half",
      "stdout: second",
      "stdout: third",
    ]);
  });

  it("keep empty lines and carriage returns", () => {
    expect(texts(linesOf(1000, [["stdout", "\n\na\r\n"]]))).to.deep.equal([
      "stdout: ",
      "stdout: ",
      "stdout: a\r",
    ]);
  });

  it("show what is no UTF-8 as replacement characters", () => {
    const [line] = texts(linesOf(1000, [["stdout", Buffer.from([0x61, 0xff, 0xfe, 0x62, 0x0a])]]));
    expect(line).to.equal("stdout: a\ufffd\ufffdb");
  });

  it("put a character together that came in two pieces", () => {
    const euro = Buffer.from("€");
    const lines = linesOf(1000, [
      ["stdout", euro.subarray(0, 1)],
      ["stdout", euro.subarray(1)],
      ["stdout", "\n"],
    ]);
    expect(texts(lines)).to.deep.equal(["stdout: €"]);
  });

  it("are cut at 16 KB, never within a character", () => {
    const text = `${"x".repeat(16_383)}€${"y".repeat(20)}`;
    const lines = texts(linesOf(100_000, [["stdout", `${text}\n`]]));
    expect(lines).to.deep.equal([`stdout: ${"x".repeat(16_383)}`, `stdout: €${"y".repeat(20)}`]);
  });

  it("of exactly 16 KB stay one line", () => {
    const text = "x".repeat(16_384);
    expect(texts(linesOf(100_000, [["stdout", `${text}\nnext\n`]]))).to.deep.equal([
      `stdout: ${text}`,
      "stdout: next",
    ]);
  });

  /** A line of Docker's file, which is what stock counts. */
  const fileBytes = (log: string): number =>
    JSON.stringify({ log, stream: "stdout", time: "2026-11-21T02:26:33.214429123Z" }).length + 1;

  it("that fill the limit exactly are all kept, counted as lines of Docker's file", () => {
    const limitBytes = 2 * fileBytes("abc\n");
    expect(texts(linesOf(limitBytes, [["stdout", "abc\ndef\n"]]))).to.deep.equal([
      "stdout: abc",
      "stdout: def",
    ]);
  });

  it("never show a sentinel that the action prints, which counts all the same", () => {
    const piece = `a\n${sentinel}\n${sentinel}\r\n not ${sentinel}\nb`;
    const limitBytes = fileBytes("a\n") + fileBytes(`${sentinel}\n`) - 1;
    expect(texts(linesOf(10_000, [["stdout", piece]]))).to.deep.equal([
      "stdout: a",
      `stdout:  not ${sentinel}`,
      "stdout: b",
    ]);
    expect(texts(linesOf(10_000, [["stderr", sentinel]]))).to.deep.equal([]);
    expect(texts(linesOf(limitBytes, [["stdout", piece]]))).to.deep.equal([
      "stdout: a",
      `stderr: Logs were truncated because the total bytes size exceeds the limit of ${limitBytes} bytes.`,
    ]);
  });

  it("end with stock's sentence where the next would exceed the limit", () => {
    const limitBytes = 2 * fileBytes("abc\n") - 1;
    const lines = linesOf(limitBytes, [["stdout", "abc\ndef\nx\n"]]);
    expect(texts(lines)).to.deep.equal([
      "stdout: abc",
      `stderr: Logs were truncated because the total bytes size exceeds the limit of ${limitBytes} bytes.`,
    ]);
  });

  it("of a flood of empty lines are no more than Docker's file would hold of them", () => {
    const limitBytes = 1024 * 1024;
    const lines = linesOf(limitBytes, [["stdout", Buffer.alloc(limitBytes, "\n")]]);
    expect(lines.length).to.equal(Math.floor(limitBytes / fileBytes("\n")) + 1);
  });

  it("of a flood take no memory beyond the limit", () => {
    const lines = new LogLines(1024);
    const piece = Buffer.alloc(65_536, "flood\n");
    const before = process.memoryUsage();
    for (let i = 0; i < 4096; i++) lines.push("stdout", piece, atMs);
    const after = process.memoryUsage();
    expect(lines.isTruncated).to.equal(true);
    const grownBytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    expect(grownBytes, "256 MB were printed").to.be.below(32 * 1024 * 1024);
    expect(lines.finish(atMs).length).to.equal(Math.floor(1024 / fileBytes("flood\n")) + 1);
  });

  it("of a flood without a newline take no memory beyond the limit", () => {
    const lines = new LogLines(40_000);
    const piece = Buffer.alloc(65_536, "x");
    for (let i = 0; i < 1024; i++) lines.push("stdout", piece, atMs);
    expect(lines.finish(atMs).length).to.equal(3);
  });
});
