// The command line of a comparison: what is taken, what is refused, and that no key gets into the report.

import { expect } from "chai";
import { parts } from "../../benchmarks/compare/call.ts";
import { type Options, type OptionsError, readOptions } from "../../benchmarks/compare/options.ts";

const both = ["--stock", "https://a.example", "--rewhisk", "http://b.example:3233/ow"];
const key = ["--auth", "uuid:secret"];

function read(...argv: readonly string[]): Options {
  const options = readOptions(argv, "/folder");
  if (options === undefined) throw new Error("help");
  return options;
}

function problems(...argv: readonly string[]): readonly string[] {
  try {
    read(...argv);
  } catch (error) {
    return (error as OptionsError).problems;
  }
  return [];
}

describe("the options of npm run compare", () => {
  it("name two endpoints with one key, and have a default for all else", () => {
    const options = read(...both, ...key);
    expect(options.places?.stock.url.href).to.equal("https://a.example/");
    expect(options.places?.rewhisk.url.href).to.equal("http://b.example:3233/ow");
    expect(options.places?.rewhisk.auth).to.equal("uuid:secret");
    expect(options.parts).to.deep.equal(parts);
    expect(options).to.include({ kinds: undefined, insecure: false, keep: false, gapMs: 0, passMs: 5000 });
    expect(options.reportFile).to.equal("/folder/build/compare.html");
    expect(options.sizes.map(({ bytes }) => bytes)).to.deep.equal([1024, 102_400, 1_048_576]);
  });

  it("may give each side a key of its own, and an address as wsk has it", () => {
    const options = read("--stock=a.example", "--rewhisk=b", "--stock-auth=u:1", "--rewhisk-auth=u:2");
    expect(options.places?.stock).to.deep.equal({ url: new URL("https://a.example"), auth: "u:1" });
    expect(options.places?.rewhisk.auth).to.equal("u:2");
  });

  it("are repeated in the report without the keys", () => {
    const own = read(...both, "--stock-auth=u:secret", "--rewhisk-auth", "u:secret", "--keep");
    expect(read(...both, ...key).asked).not.to.contain("secret");
    expect(own.asked).to.equal(`${both.join(" ")} --stock-auth=… --rewhisk-auth … --keep`);
  });

  it("choose parts in the order in which they run, kinds, sizes and packages", () => {
    const options = read(
      ...[...both, ...key, "--parts", "warm,first", "--kinds", "nodejs:20, python:3.11"],
      ...["--sizes", "5,2k,3M", "--packages", "nodejs=@scope/x,python=os.path"],
    );
    expect(options.parts).to.deep.equal(["first", "warm"]);
    expect(options.kinds).to.deep.equal(["nodejs:20", "python:3.11"]);
    expect(options.sizes.map(({ bytes }) => bytes)).to.deep.equal([5, 2048, 3 * 2 ** 20]);
    expect(options.packages).to.deep.equal([
      { family: "nodejs", name: "@scope/x" },
      { family: "python", name: "os.path" },
    ]);
  });

  it("start both sides here instead, with a pause between calls", () => {
    const options = read("--here");
    expect(options.places).to.equal(undefined);
    expect(options.gapMs).to.equal(100);
    expect(problems("--here", "--stock", "a", ...key)).to.deep.equal([
      "--here starts both sides itself: leave out --stock, --auth",
    ]);
  });

  it("ask for help", () => {
    expect(readOptions(["--help", "--stock", "x"], "/")).to.equal(undefined);
  });

  it("are refused with everything that is wrong", () => {
    const wrong = ["--parts", "warm,cold", "--kinds", "java:8", "--sizes", "9x,99m", "--calls", "0"];
    const found = problems(
      "--stock",
      "ftp://a",
      "--auth",
      "key",
      "--packages",
      "x",
      "--prefix",
      "a b",
      ...wrong,
    );
    for (const text of [
      ...["--rewhisk is missing", "--stock ftp://a: it is no address", "the key for stock is no UUID:KEY"],
      ...["--parts cold: there are", "--kinds java:8:", "--sizes 9x:", "--sizes 99m:", "--packages x:"],
      ...["--calls 0: it is a whole number from 1 on", "--prefix a b:"],
    ]) {
      expect(found.some((problem) => problem.startsWith(text))).to.equal(
        true,
        `${text} in ${found.join("\n")}`,
      );
    }
    expect(problems("--unknown", "1")[0]).to.contain("--unknown");
    expect(problems("--stock", "https://u:k@a", "--rewhisk", "b", ...key)[0]).to.contain("has a key in it");
  });
});
