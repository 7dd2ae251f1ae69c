// The command line: what it may say, and that all that is wrong with it is said at once.

import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { readOptions } from "../../../standalone/options.ts";

const defaults = { pool: { userMemoryMB: 2048 }, memoryMB: { std: 256 } };
const read = (...argv: string[]) => readOptions(argv, defaults);

describe("the command line", () => {
  it("may be empty", () => {
    expect(read()).to.deep.equal({
      port: 3233,
      host: "127.0.0.1",
      dataFolder: join(homedir(), ".rewhisk"),
      userMemoryMB: 2048,
      kinds: undefined,
      help: false,
    });
  });

  it("takes values after a blank and after an equals sign", () => {
    const options = read(
      "--port",
      "4000",
      "--host=0.0.0.0",
      "--data-dir",
      "data",
      "--user-memory=4g",
      "--kinds",
      "nodejs:20, python:3",
    );
    expect(options).to.deep.equal({
      port: 4000,
      host: "0.0.0.0",
      dataFolder: resolve("data"),
      userMemoryMB: 4096,
      kinds: ["nodejs:20", "python:3"],
      help: false,
    });
  });

  it("takes megabytes in several spellings", () => {
    for (const [text, memoryMB] of [
      ["512", 512],
      ["512m", 512],
      ["512MB", 512],
      ["1G", 1024],
      ["1gib", 1024],
    ] as const) {
      expect(read("--user-memory", text), text).to.include({ userMemoryMB: memoryMB });
    }
  });

  it("reports every error at once", () => {
    const options = read(
      "--prot",
      "1",
      "--port",
      "70000",
      "--user-memory",
      "much",
      "--kinds",
      "node",
      "--host",
    );
    const errors = "errors" in options ? options.errors : [];
    expect(errors).to.have.length(5);
    expect(errors.join("\n")).to.match(/--prot: there is no such option/);
    expect(errors.join("\n")).to.match(/--port 70000: a port is/);
    expect(errors.join("\n")).to.match(/--user-memory much: a size is/);
    expect(errors.join("\n")).to.match(/'node' is no kind/);
    expect(errors.join("\n")).to.match(/--host needs a value/);
  });

  it("does not take an option for the value of the one before", () => {
    expect(read("--host", "--port", "4000")).to.deep.equal({ errors: ["--host needs a value"] });
  });

  it("refuses less memory than an action has that states none", () => {
    expect(read("--user-memory", "255m")).to.deep.equal({
      errors: ["--user-memory 255m: at least 256m, what an action has that states no memory"],
    });
    expect(read("--user-memory", "256m")).to.include({ userMemoryMB: 256 });
  });

  it("refuses an option given twice", () => {
    expect(read("--port", "1", "--port", "2")).to.deep.equal({ errors: ["--port is given twice"] });
  });
});
