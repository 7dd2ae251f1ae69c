// A process of its own that makes lean containers and then waits to be killed. Arguments: instance, how many.

import { createLeanFactory } from "../../pool/lean/factory.ts";
import { findInterpreters } from "../../pool/lean/interpreters.ts";
import { launcher, Probe, probeRepository } from "./lean-probe.ts";

const [instance = "", count = "1"] = process.argv.slice(2);
const { folder, remove } = probeRepository();
const factory = createLeanFactory({
  instance,
  interpreters: await findInterpreters(),
  environment: {},
  scratchMB: 8,
  launcher,
  repository: folder,
  containersAhead: 2,
});
const pids: number[] = [];
for (let i = 0; i < Number(count); i++) {
  const probe = new Probe(await factory.create("python:3", 64));
  await probe.run("result = 'awake'");
  pids.push(probe.sandbox.runtimePid);
}
// The containers have what they need of it.
remove();
console.log(pids.join(" "));
setInterval(() => undefined, 60_000);
