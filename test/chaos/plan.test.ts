// What faults a chaos run draws, and the way that it can delay.

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { expect } from "chai";
import { within } from "../within.ts";
import { Gate } from "./gates.ts";
import { type Blow, drawBlows, kindsOfFaults } from "./plan.ts";

function drawn(seed: number, count: number): readonly Blow[] {
  const blows = drawBlows(seed, 1);
  return Array.from({ length: count }, () => blows.next().value);
}

describe("the faults of a chaos run", () => {
  it("are the same for the same seed, and others for another", () => {
    expect(drawn(7, 50)).to.deep.equal(drawn(7, 50));
    expect(drawn(7, 50)).not.to.deep.equal(drawn(8, 50));
  });

  it("are of every kind before any kind comes again, and some overlap", () => {
    for (let seed = 0; seed < 50; seed++) {
      const blows = drawn(seed, kindsOfFaults);
      const kinds = blows.flatMap(({ faults }) => faults.map(({ fault }) => `${fault.kind} ${fault.target}`));
      expect(new Set(kinds).size).to.equal(kindsOfFaults);
      expect(blows.some(({ faults }) => faults.length > 1)).to.equal(true);
    }
  });

  it("never hit one part in two ways at a time, and ZooKeeper only while an invoker starts", () => {
    for (const { faults } of drawn(1, 500)) {
      const targets: string[] = faults.map(({ fault }) => fault.target);
      expect(new Set(targets).size).to.equal(targets.length);
      if (targets.includes("zookeeper")) expect(targets).to.include("invoker");
    }
  });
});

describe("a way that can be delayed", () => {
  it("keeps the order of what passes when the delay changes, and ends both ends together", async () => {
    const server = createServer((socket: Socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const gate = await Gate.open();
    gate.leadTo((server.address() as { readonly port: number }).port);
    const socket = connect({ host: "127.0.0.1", port: gate.port });
    const ended = once(socket, "close");
    let echoed = "";
    socket.on("data", (piece: Buffer) => {
      echoed += piece.toString();
    });
    const sent = ["slow ", "slower ", "at once ", "last"];
    for (const [i, delayMs] of [100, 200, 0, 50].entries()) {
      gate.delay(delayMs);
      socket.write(sent[i] ?? "");
      await new Promise((resolve) => setImmediate(resolve));
    }
    await within(60_000, () => echoed.length === sent.join("").length || undefined);
    expect(echoed).to.equal(sent.join(""));
    await gate.close();
    await ended;
    server.close();
  });
});
