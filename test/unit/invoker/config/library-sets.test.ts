// The setting that says which containers have libraries.

import { expect } from "chai";
import { readLibrarySets } from "../../../../invoker/config/library-sets.ts";
import { readClusterSettings, SettingsError } from "../../../../invoker/config/read-cluster.ts";

describe("the library sets of a text", () => {
  it("are none of an empty one", () => {
    expect(readLibrarySets("")).to.deep.equal({ sets: [], problems: [] });
  });

  it("have kinds, modules in the order of their names, a size and a number", () => {
    const { sets, problems } = readLibrarySets(
      "python:3.11=pandas+numpy+numpy 512m x2, nodejs:20=@aws-sdk/client-s3+openwhisk , python:3=scipy.linalg x3",
    );
    expect(problems).to.deep.equal([]);
    expect(sets).to.deep.equal([
      { kind: "python:3.11", modules: ["numpy", "pandas"], count: 2, memoryMB: 512 },
      { kind: "nodejs:20", modules: ["@aws-sdk/client-s3", "openwhisk"], count: 1, memoryMB: 256 },
      { kind: "python:3", modules: ["scipy.linalg"], count: 3, memoryMB: 256 },
    ]);
  });

  for (const item of [
    ...[
      "numpy",
      "python:3",
      "python:3=",
      "python:3=numpy x0",
      "python:3=numpy 5 6 y",
      "python:3=numpy+",
      "python:3=a-b",
    ],
    ...["ruby:3=json", "nodejs:20=../a", "nodejs:20=/etc/a", "python:3=.a"],
  ])
    it(`are refused for '${item}', and say why`, () => {
      const { sets, problems } = readLibrarySets(`${item},python:3=ok`);
      expect(sets).to.have.lengthOf(1);
      expect(problems).to.have.lengthOf(1);
      expect(problems[0]?.item).to.equal(item);
    });

  it("stop the start where one of the setting's is wrong", () => {
    const environment = { CONFIG_rewhisk_libraries: "python:3=numpy,numpy" };
    expect(() => readClusterSettings(environment)).to.throw(SettingsError, /'numpy': it must be KIND=/);
  });

  it("are refused where they are there already", () => {
    expect(readLibrarySets("python:3=a+b,python:3=b+a 512m").problems).to.deep.equal([
      { item: "python:3=b+a 512m", why: "it is there already" },
    ]);
  });
});
