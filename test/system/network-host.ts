// A machine with containers, for tests: probes, or an invoker, in a network namespace of its own (network-bench.ts).
// Arguments: the instance, and the network's settings as JSON.

import { createServer, type Server } from "node:net";
import type { NetworkSettings } from "../../pool/lean/network.ts";
import { type Probe, ProbeFactory } from "./lean-probe.ts";
import { connectTo } from "./network-connect.ts";
import { RealInvoker } from "./real-invoker.ts";
import { serve } from "./remote.ts";

const [instance = "", settings = "{}"] = process.argv.slice(2);
const factoryOptions = { instance, network: "nat", nat: JSON.parse(settings) as NetworkSettings } as const;

const python = `
def main(args):
    scope = {}
    exec(args["code"], scope)
    return {"result": scope.get("result")}
`;
const nodejs = `
const main = async ({ code }) => ({
  result: (await new Function("require", "return (async () => {" + code + "})()")(require)) ?? null,
});
`;

const servers: Server[] = [];
const probes: Probe[] = [];
let factory: ProbeFactory | undefined;
let invoker: RealInvoker | undefined;

/** One container of 256 MB has room at a time: an activation has that of the one before, or a new one in its place. */
async function openInvoker(): Promise<RealInvoker> {
  const started = await RealInvoker.start(
    { userMemoryMB: 256, rewind: "always" },
    "network",
    undefined,
    1,
    factoryOptions,
  );
  started.put("python", { kind: "python:3", code: python });
  started.put("nodejs", { kind: `nodejs:${process.versions.node.split(".")[0]}`, code: nodejs });
  return started;
}

await serve(
  {
    open: async () => {
      factory = await ProbeFactory.open("network", factoryOptions);
      await factory.factory.removeLeftovers();
    },
    allowForwarding: () => factory?.factory.allowForwarding(),
    /** The same instance, with no network. */
    openWithout: async () => {
      factory = await ProbeFactory.open("network", { instance });
      await factory.factory.removeLeftovers();
    },
    make: async (kind: string) => probes.push((await factory?.make(kind)) as Probe) - 1,
    run: (index: number, code: string) => probes[index]?.run(code),
    networks: () => factory?.factory.ahead().networks,
    destroy: (index: number) => probes[index]?.destroy(),
    act: async (family: string, code: string) => {
      invoker ??= await openInvoker();
      const { record } = await invoker.run(family, { code });
      return record.response;
    },
    runtime: (index: number) => ({ pid: probes[index]?.sandbox.runtimePid }),
    taints: () => invoker?.taints(),
    connect: connectTo,
    listen: (address: string, port: number) =>
      new Promise<void>((resolve) => {
        const server = createServer((socket) =>
          socket.on("error", () => undefined).end("a service of the host"),
        );
        servers.push(server.listen(port, address, resolve));
      }),
  },
  async () => {
    for (const server of servers) server.close();
    await factory?.close();
    await invoker?.stop();
  },
);
