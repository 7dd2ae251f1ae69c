// The role in OpenWhisk's play on this machine, without systemd, with a real broker, database and controller: deployed,
// deployed again, changed under load, removed.

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { nodeKind } from "../cluster/cluster-setting.ts";
import { requireRoot } from "../system/lean-probe.ts";
import { Deployment, invokers } from "./deployment.ts";

const limitMs = 600_000;
const action = { exec: { kind: nodeKind, code: "function main({ name }) { return { hi: name }; }" } };

describe("the role in the place of OpenWhisk's", function () {
  this.timeout(limitMs);
  let deployment: Deployment;

  before(async () => {
    requireRoot();
    deployment = await Deployment.start("ansible", { variables: { rewhisk_network: "none" } });
  });
  after(() => deployment.close());

  it("changes nothing in check mode, and says what it would do", async () => {
    const { output } = await deployment.succeed({}, "--check");
    for (const name of invokers) expect(output).to.include(`${name} would be started`);
    expect(readdirSync(deployment.checkout.folder)).to.deep.equal(["ansible"]);
  });

  it("deploys invokers that are healthy for their controller and run an action", async () => {
    await deployment.succeed();
    const { cluster } = deployment;
    await cluster.areSeenAs(["up", "up"]);
    await cluster.controller.put("hello", action);
    const { status, body } = await cluster.controller.invoke("hello", { name: "you" });
    expect([status, body.response.result]).to.deep.equal([200, { hi: "you" }]);
  });

  it("sets nothing that has no effect, and keeps passwords from others", () => {
    for (const name of invokers) {
      expect(deployment.logOf(name))
        .to.include('"event":"invoker-serves"')
        .and.not.include('"event":"setting-');
      expect(statSync(join(deployment.installed, "invokers", name)).mode & 0o777).to.equal(0o700);
    }
  });

  it("changes nothing the second time", async () => {
    expect((await deployment.succeed()).changed).to.deep.equal({ invoker0: 0, invoker1: 0 });
  });

  it("refuses what the program refuses, while what runs goes on", async () => {
    const { status, output } = await deployment.play({ limit_action_time_max: "soon" });
    expect(status).to.equal(2);
    expect(output).to.include("CONFIG_whisk_timeLimit_max is 'soon'");
    await deployment.cluster.areSeenAs(["up", "up"]);
  });

  it("replaces one after the other under load, and no activation fails", async () => {
    const { failed, changed } = await deployment.underLoad("hello", { invoker_loglevel: "DEBUG" });
    expect(Object.values(changed).filter((count) => count === 0)).to.deep.equal([]);
    expect(failed).to.deep.equal([]);
    await deployment.cluster.areSeenAs(["up", "up"]);
  });

  it("leaves nothing but OpenWhisk's own folder of logs when it cleans", async () => {
    await deployment.succeed({ mode: "clean" });
    expect(readdirSync(deployment.checkout.folder)).to.deep.equal(["ansible", "logs"]);
    expect(readdirSync(join(deployment.checkout.folder, "logs"))).to.deep.equal([]);
  });
});
