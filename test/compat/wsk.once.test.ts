// The requests of the OpenWhisk command line, replayed to `npm start -- --cluster`: real broker, database, invoker, containers.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StandaloneProgram } from "../system/standalone-program.ts";
import { Replay, recorded } from "./wsk-replay.ts";

const limitMs = 120_000;

/** As in OpenWhisk's own manifest. */
const attached = { attachmentName: "codefile", attachmentType: "text/plain" };
const image = (name: string): object => ({ prefix: "openwhisk", name, tag: "nightly" });
const stemCells = [{ initialCount: 2, memory: "256 MB" }];
const runtimes = {
  nodejs: [
    ...[{ kind: "nodejs:20", default: true, image: image("action-nodejs-v20"), attached, stemCells }],
    { kind: "nodejs:10", default: false, image: image("action-nodejs-v10"), attached, deprecated: true },
  ],
  python: [{ kind: "python:3", default: true, image: image("action-python-v3.10"), attached }],
};

describe("the requests of wsk, sent to a cluster", function () {
  this.timeout(limitMs);
  let folder: string;
  let program: StandaloneProgram;
  let replay: Replay;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-wsk-"));
    const manifestFile = join(folder, "runtimes.json");
    writeFileSync(manifestFile, JSON.stringify({ runtimes }));
    program = await StandaloneProgram.start({
      ...{ dataFolder: folder, byNpm: true, patienceMs: limitMs },
      more: ["--cluster", "--manifest", manifestFile],
    });
    const code = 'function main() { console.log("hi"); return { msg: "hi" }; }';
    await program.send("PUT", "actions/hello", { exec: { kind: "nodejs:default", code } });
    const { body } = await program.send("POST", "actions/hello?blocking=true", {});
    const { activationId } = body;
    await program.record(activationId);
    replay = new Replay({
      send: (method, path, value, options) => program.send(method, path, value, options),
      ...{ activationId, waitMs: 80, takesImages: true },
    });
  });
  afterEach(function () {
    if (this.currentTest?.isFailed()) console.log(program.output);
  });
  after(async () => {
    await program.interrupt();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const { command, requests } of recorded) {
    it(`are answered by a cluster: ${command}`, () => replay.run({ command, requests }));
  }
});
