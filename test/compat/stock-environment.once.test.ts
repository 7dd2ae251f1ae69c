// The program of our invoker with exactly the environment and the arguments that OpenWhisk's playbook renders: what they name (addresses,
// ports, keys) is there, in namespaces of its own, and nothing of them is changed. PATH, which an image sets, comes beside them.

import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { projectFolder } from "../../invoker/config/entries.ts";
import { Authority, asPkcs12 } from "../cluster/certificates.ts";
import type { LogLine } from "../cluster/invoker-process.ts";
import { requireRoot } from "../system/lean-probe.ts";
import { Remote } from "../system/remote.ts";
import { versions, withoutEffect } from "./stock-environment.ts";

const limitMs = 180_000;

interface Ran {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a whole record, looked into by path
  readonly record: any;
}

const javascript = "function main({ name }) { console.log('seen'); return { hi: name }; }";
const python = "def main(args):\n  print('seen')\n  return {'hi': args['name']}\n";
/** Kinds of the playbook's manifests: with a runtime of ours, and in the image that the manifest names, which here runs Python. */
const actions = {
  "2.0.0": [
    { kind: "nodejs:20", code: javascript },
    { kind: "java:8", main: "main", code: python },
  ],
  "1.0.0": [{ kind: "nodejs:12", code: python }],
};

for (const version of versions) {
  describe(`the invoker in the environment that the playbook of ${version} renders`, function () {
    this.timeout(limitMs);
    let folder: string;
    let machine: Remote;

    before(async () => {
      requireRoot();
      folder = mkdtempSync(join(tmpdir(), "rewhisk-playbook-"));
      const [conf, root] = [join(folder, "conf"), join(folder, "root")];
      for (const one of [conf, root]) mkdirSync(one);
      const keys = asPkcs12(new Authority(folder, "authority").issue("invoker"), "openwhisk");
      renameSync(keys, join(conf, "invoker-openwhisk-keystore.p12"));
      machine = new Remote([
        ...["unshare", "--net", "--mount", join(projectFolder(), "test", "compat", "stock-machine.sh")],
        ...[conf, root, process.execPath, "--enable-source-maps"],
        ...[join(import.meta.dirname, "stock-machine-program.js"), version],
      ]);
      await machine.call("start");
    });
    after(async () => {
      await machine.end();
      rmSync(folder, { recursive: true, force: true });
    });

    const log = async (): Promise<readonly LogLine[]> => (await machine.call("log")) as readonly LogLine[];

    it("is healthy for its controller", async () => {
      expect(await machine.call("invokers")).to.deep.equal({ "invoker0/0": "up" });
    });

    for (const exec of actions[version]) {
      it(`runs an action of ${exec.kind}, and has its record with what it printed`, async () => {
        await machine.call("put", "hello", exec);
        const { status, record } = (await machine.call("invoke", "hello", { name: "ÿ€😀" })) as Ran;
        expect([status, record.response.result]).to.deep.equal([200, { hi: "ÿ€😀" }]);
        expect(record.logs.map((line: string) => line.slice(31))).to.deep.equal(["stdout: seen"]);
        expect(record.annotations).to.deep.include({ key: "kind", value: exec.kind });
      });
    }

    it("answers over HTTPS to who has a certificate", async () => {
      expect(await machine.call("ask", "/ping")).to.equal("200 pong");
    });

    it("says once of each variable that has no effect that it has none", async () => {
      const lines = (await log()).filter(({ event }) => event?.startsWith("setting-"));
      expect(lines.map(({ event, setBy }) => [event, setBy])).to.have.deep.members(
        withoutEffect[version].map((name) => ["setting-not-applicable", name]),
      );
    });

    it("ends in order when Docker would stop its container", async () => {
      expect(await machine.call("end")).to.deep.equal([0, null]);
      expect((await log()).filter(({ level }) => level === "error")).to.deep.equal([]);
    });
  });
}
