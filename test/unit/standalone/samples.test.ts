// The sample packages: shared, current after each start, and doing what their annotations say.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { projectFolder, readConfigFile } from "../../../invoker/config/entries.ts";
import { installSamples } from "../../../standalone/samples.ts";
import { startTestServer } from "./server.ts";

interface Sample {
  readonly name: string;
  readonly kind: string;
  readonly file: string;
  readonly sampleInput?: unknown;
  readonly sampleOutput?: unknown;
}
const { packages } = readConfigFile("samples/samples.json") as {
  readonly packages: readonly { readonly name: string; readonly actions: readonly Sample[] }[];
};

describe("the sample packages", () => {
  it("can be read and run by everyone, and are installed once", async () => {
    const server = await startTestServer();
    await installSamples(server.services);
    await installSamples(server.services);
    const listed = await server.send("GET", "/api/v1/namespaces/whisk.system/packages");
    expect(listed.body.map((one: { name: string }) => one.name).sort()).to.deep.equal(["samples", "utils"]);
    for (const { name, actions } of packages) {
      const { body } = await server.send("GET", `/api/v1/namespaces/whisk.system/packages/${name}`);
      expect(body.actions.map((one: { name: string }) => one.name)).to.have.members(
        actions.map((one) => one.name),
      );
      expect(body.actions.every((one: { version: string }) => one.version === "0.0.1")).to.equal(true);
    }
    const path = "/api/v1/namespaces/whisk.system/actions/utils/echo?blocking=true&result=true";
    expect((await server.send("POST", path, { message: "hi" })).body).to.deep.equal({ message: "hi" });
    await server.stop();
  });

  for (const { name: packageName, actions } of packages) {
    for (const { name, kind, file, sampleInput, sampleOutput } of actions) {
      if (kind === "nodejs:default" && sampleOutput !== undefined) {
        it(`turn the input shown into the output shown: ${packageName}/${name}`, () => {
          const path = join(projectFolder(), "openwhisk-config", "samples", packageName, file);
          const process = { env: { __OW_NAMESPACE: "guest", __OW_API_HOST: "http://host" } };
          const context = { process, console: { log: () => {} }, input: JSON.stringify(sampleInput ?? {}) };
          const output = runInNewContext(
            `${readFileSync(path, "utf8")}\nJSON.stringify(main(JSON.parse(input)))`,
            context,
          );
          expect(JSON.parse(output)).to.deep.equal(sampleOutput);
        });
      }
    }
  }

  it("build URLs for actions, triggers and web actions", () => {
    const path = join(projectFolder(), "openwhisk-config", "samples", "utils", "hosturl.js");
    const process = { env: { __OW_NAMESPACE: "guest", __OW_API_HOST: "http://host" } };
    const url = (args: object) =>
      JSON.parse(
        runInNewContext(`${readFileSync(path, "utf8")}\nJSON.stringify(main(${JSON.stringify(args)}))`, {
          process,
        }),
      );
    expect(url({ path: "pkg/a" })).to.deep.equal({
      url: "http://host/api/v1/namespaces/guest/actions/pkg/a",
    });
    expect(url({ path: "t", trigger: true })).to.deep.equal({
      url: "http://host/api/v1/namespaces/guest/triggers/t",
    });
    expect(url({ path: "a", web: true })).to.deep.equal({
      url: "http://host/api/v1/web/guest/default/a.json",
    });
    expect(url({ web: true, trigger: true })).to.have.property("error");
  });
});
