// The command line: what it may say, and that all that is wrong with it is said at once.

import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { readOptions } from "../../../standalone/options.ts";

const defaults = {
  pool: { userMemoryMB: 2048, rewind: "always" as const },
  memoryMB: { std: 256 },
  concurrency: { min: 1, max: 1 },
};
const read = (...argv: string[]) => readOptions(argv, defaults);

describe("the command line", () => {
  it("may be empty", () => {
    expect(read()).to.deep.equal({
      port: 3233,
      adminPort: 3234,
      host: "127.0.0.1",
      dataFolder: join(homedir(), ".rewhisk"),
      userMemoryMB: 2048,
      kinds: undefined,
      rewind: "always",
      boots: false,
      libraries: "",
      concurrencyMax: 1,
      place: { kind: "alone" },
      manifestFile: undefined,
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
      "--rewind",
      "on-change",
      "--boots",
      "--libraries",
      "python:3=numpy",
      "--concurrency-limit=200",
    );
    expect(options).to.deep.equal({
      port: 4000,
      adminPort: 4001,
      host: "0.0.0.0",
      dataFolder: resolve("data"),
      userMemoryMB: 4096,
      kinds: ["nodejs:20", "python:3"],
      rewind: "on-change",
      boots: true,
      libraries: "python:3=numpy",
      concurrencyMax: 200,
      place: { kind: "alone" },
      manifestFile: undefined,
      help: false,
    });
  });

  it("may ask for a cluster on this machine", () => {
    expect(read("--cluster")).to.deep.include({ place: { kind: "cluster" } });
    expect(read("--cluster=yes")).to.have.property("errors");
  });

  it("may name the broker and the database of a cluster that this is a controller of", () => {
    const [kafka, url] = ["a:9092,b:9092", "http://u:p@c:5984"];
    expect(read("--kafka", kafka, "--couchdb", url)).to.deep.include({
      place: {
        ...{ kind: "controller", kafkaHosts: kafka, couch: { url, prefix: "whisk_local_" } },
        ...{ controller: "0", clusterSize: 1 },
      },
    });
    const more = ["--db-prefix=x_", "--controller=2", "--controllers=3"];
    expect(read("--kafka", kafka, "--couchdb", url, ...more)).to.deep.include({
      place: {
        ...{ kind: "controller", kafkaHosts: kafka, couch: { url, prefix: "x_" } },
        ...{ controller: "2", clusterSize: 3 },
      },
    });
  });

  it("is told what does not go together in it", () => {
    expect(read("--kafka", "a:1", "--controller", "1")).to.deep.equal({
      errors: ["--kafka, --controller: a controller needs both --kafka and --couchdb"],
    });
    expect(
      read("--cluster", "--kafka=a:1", "--couchdb=http://c", "--controller=a/b", "--controllers=0"),
    ).to.deep.equal({
      errors: [
        "--cluster starts a broker and a database: leave out --kafka and --couchdb",
        "--controller a/b: letters, digits, dots, dashes and underscores alone",
        "--controllers 0: it is a number from 1 on",
      ],
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
      "--rewind",
      "never",
      "--concurrency-limit",
      "0",
      "--host",
    );
    const errors = "errors" in options ? options.errors : [];
    expect(errors).to.have.length(7);
    expect(errors.join("\n")).to.match(/--prot: there is no such option/);
    expect(errors.join("\n")).to.match(/--port 70000: a port is/);
    expect(errors.join("\n")).to.match(/--user-memory much: a size is/);
    expect(errors.join("\n")).to.match(/'node' is no kind/);
    expect(errors.join("\n")).to.match(/--concurrency-limit 0: it is a number from 1 on/);
    expect(errors.join("\n")).to.match(/--rewind never: it is always or on-change or fresh/);
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
