// What of an activation's connections is left for the next one in the same container: nothing, though it left them open.

import { expect } from "chai";
import { within } from "../within.ts";
import { NetworkBench, outside } from "./network-bench.ts";

interface Held {
  readonly receivedBytes: number;
  readonly end?: string;
}

/** How a reset looks to Node: which it is depends on who asks the kernel first. */
const resets = ["ECONNRESET", "closed"];

describe("a rewind of a container with an outbound network", () => {
  let bench: NetworkBench;
  before(async () => {
    bench = await NetworkBench.open("network-rewind");
  });
  after(() => bench.close());

  /** The `result` of an activation. */
  async function act(code: string, family = "python"): Promise<unknown> {
    const response = (await bench.host.call("act", family, code)) as { result: { result?: unknown } };
    expect(response).to.deep.include({ statusCode: 0 });
    return response.result.result;
  }
  const held = async (index: number): Promise<Held | undefined> =>
    ((await bench.world.call("held")) as readonly Held[])[index];
  const ending = async (index: number): Promise<string> =>
    await within(60_000, async () => (await held(index))?.end);
  const container = "import socket\nresult = socket.gethostname()";
  /** Whatever was done to it, it is the same container, and clean. */
  async function expectSame(before: unknown): Promise<void> {
    expect(await act(container)).to.equal(before);
    expect(await bench.host.call("taints")).to.deep.equal([]);
  }
  const opening = `import builtins, socket
builtins.held = socket.create_connection(("${outside}", 7000), 30)
builtins.held.sendall(b"hello")
result = builtins.held.getsockname()[1]`;
  const table =
    "result = [open('/proc/net/' + n).read().splitlines()[1:] for n in ('tcp', 'udp', 'tcp6', 'udp6')]";

  it("ends a connection that was left open, and leaves no trace of it", async () => {
    const before = await act(container);
    await act(opening);
    expect(await ending(0)).to.be.oneOf(resets);
    expect(await act(table)).to.deep.equal([[], [], [], []]);
    await expectSame(before);
  });

  it("ends one that Node's fetch keeps alive", async () => {
    const name = "return require('os').hostname()";
    const before = await act(name, "nodejs");
    const text = await act(`return await (await fetch("http://${outside}/")).text()`, "nodejs");
    expect(text).to.match(/^198\.51\.100\.1 seen from/);
    expect(await act(name, "nodejs")).to.equal(before);
    expect(await bench.host.call("taints")).to.deep.equal([]);
  });

  for (const [socket, address] of [
    ["", outside],
    [", by a socket of IPv6", `::ffff:${outside}`],
  ] as const)
    it(`ends one that was closed while the other side does not take what it was sent${socket}`, async () => {
      const before = await act(container);
      const count = ((await bench.world.call("held")) as readonly Held[]).length;
      // The other side stops reading as soon as it is told to: from then on the kernel holds what is sent.
      const stuffing = `import socket
s = socket.create_connection(("${address}", 7000), 30)
s.sendall(b"x")
s.recv(1)
s.settimeout(0.5)
sent = 0
try:
    while True: sent += s.send(bytes(65536))
except TimeoutError: pass
s.close()
result = sent`;
      const stuffed = act(stuffing);
      await within(60_000, async () => (await held(count))?.receivedBytes);
      await bench.world.call("stopReading", count);
      await bench.world.call("write", count, "!");
      const sentBytes = (await stuffed) as number;
      await expectSame(before);
      await bench.world.call("goOnReading", count);
      expect(await ending(count)).to.be.oneOf(resets);
      expect((await held(count))?.receivedBytes).to.be.lessThan(sentBytes);
    });

  it("lets nothing through that was on its way to the former owner of a port", async () => {
    const before = await act(container);
    const asking = (port: number): string => `import builtins, socket
builtins.asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
builtins.asked.bind(("0.0.0.0", ${port}))
builtins.asked.sendto(b"question", ("${outside}", 7001))
result = builtins.asked.getsockname()[1]`;
    expect(await act(asking(5555))).to.equal(5555);
    await within(60_000, async () => ((await bench.world.call("peers")) as number[]).length || undefined);
    const [former = 0] = (await bench.world.call("peers")) as readonly number[];
    // The next owner takes the same port and asks the same server, and listens where the world saw the former one.
    const listening = `${asking(5555)}
spying = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
spying.bind(("0.0.0.0", ${former}))
builtins.asked.settimeout(10)
heard = builtins.asked.recvfrom(100)[0].decode()
spying.setblocking(False)
try: spied = spying.recvfrom(100)[0].decode()
except BlockingIOError: spied = ""
result = [heard, spied]`;
    const heard = act(listening);
    await within(
      60_000,
      async () => ((await bench.world.call("peers")) as number[]).length === 2 || undefined,
    );
    const [, present] = (await bench.world.call("peers")) as readonly number[];
    expect(former).to.not.equal(present);
    await bench.world.call("sendDatagram", 0, "for the former owner");
    await bench.world.call("sendDatagram", 1, "for the present owner");
    expect(await heard).to.deep.equal(["for the present owner", ""]);
    await expectSame(before);
  });

  it("makes the container forget all connections that it tracked", async () => {
    const counting = "result = int(open('/proc/sys/net/netfilter/nf_conntrack_count').read())";
    await act(opening);
    expect(await act(counting)).to.equal(0);
  });
});
