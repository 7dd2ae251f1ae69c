// The npm packages that OpenWhisk's nodejs runtimes have preinstalled, as actions find them in a container.

import { readFileSync } from "node:fs";
import { expect } from "chai";
import { repositoryFolder } from "../../pool/lean/repository.ts";
import { RealInvoker } from "./real-invoker.ts";

const { dependencies } = JSON.parse(
  readFileSync(`${repositoryFolder}/runtimes/nodejs/packages/package.json`, "utf8"),
) as { readonly dependencies: Readonly<Record<string, string>> };

const code = `
async function main() {
  const versions = {};
  for (const name of ${JSON.stringify(Object.keys(dependencies))}) {
    await import(name);
    versions[name] = JSON.parse(require("fs").readFileSync("/node_modules/" + name + "/package.json", "utf8")).version;
  }
  const whisk = require("openwhisk")({ apihost: "localhost", api_key: "a:b" });
  return { versions, id: require("uuid").v4(), invoke: typeof whisk.actions.invoke };
}`;

describe("a nodejs action", () => {
  it("finds the packages that OpenWhisk's runtime has, in their versions, and fresh random ids", async () => {
    const real = await RealInvoker.start({
      userMemoryMB: 256,
      stemCells: [{ kind: "nodejs:20", count: 1, memoryMB: 256 }],
    });
    try {
      real.put("packages", { kind: "nodejs:20", code });
      const results = [];
      for (let i = 0; i < 2; i++) results.push((await real.run("packages")).record.response.result);
      const ids = results.map((result) => (result as { id: string }).id);
      expect(results[0]).to.deep.equal({ versions: dependencies, id: ids[0], invoke: "function" });
      expect(ids[0]).to.not.equal(ids[1]);
    } finally {
      await real.stop();
    }
  });
});
