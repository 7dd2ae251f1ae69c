// What has come while this process stood still counts, however long that was: timers run before what sockets hold is read.

import { once } from "node:events";
import { Socket } from "node:net";
import { expect } from "chai";
import { deadline, realAlarm, within } from "../../../pool/time.ts";
import { socketPair, standStill } from "./fake-machine.ts";

const limitMs = 20;

describe("who waits no longer than so long", () => {
  let ours: Socket;
  let theirs: Socket;
  beforeEach(() => {
    [ours, theirs] = socketPair().map((fd) => new Socket({ fd })) as [Socket, Socket];
  });
  afterEach(() => {
    ours.destroy();
    theirs.destroy();
  });

  it("gets what has come while this process stood still for longer", async () => {
    const heard = within(limitMs, once(ours, "data"));
    theirs.write("answer");
    standStill(2 * limitMs);
    expect(String((await heard)?.[0])).to.equal("answer");
  });

  it("gets nothing where nothing comes", async () => {
    expect(await within(limitMs, once(ours, "data"))).to.equal(undefined);
  });

  for (const [name, alarm] of Object.entries({ realAlarm, deadline })) {
    it(`is called by ${name} after what has come meanwhile, or never where that is what was waited for`, async () => {
      const order: string[] = [];
      const rung = new Promise<void>((resolve) => {
        alarm(limitMs, () => resolve(void order.push("alarm")));
      });
      const cancel = alarm(limitMs, () => order.push("cancelled"));
      ours.on("data", () => {
        order.push("data");
        cancel();
      });
      theirs.write("answer");
      standStill(2 * limitMs);
      await rung;
      expect(order).to.deep.equal(["data", "alarm"]);
    });
  }
});
