// Single messages of a stock OpenWhisk 1.0.0: those of its controller are read here, and ours are as its invoker's.

import { readFileSync } from "node:fs";
import { expect } from "chai";
import { defaultInvokerSettings } from "../../invoker/config/invoker-settings.ts";
import { Health } from "../../invoker/health.ts";
import { instanceOf } from "../../invoker/instance.ts";
import type { InvokerInstance } from "../../invoker/wire/messages.ts";
import { readOrder } from "../../invoker/wire/orders.ts";

const recorded = JSON.parse(readFileSync("test/compat/stock-messages.json", "utf8")) as {
  readonly [name in "ping" | "activation-blocking" | "activation-nonblocking"]: string;
};

describe("a message of a stock cluster", () => {
  for (const [name, blocking, content] of [
    ["activation-blocking", true, '{"name":"x"}'],
    ["activation-nonblocking", false, '{"name":"y"}'],
  ] as const) {
    it(`is read whole (${name})`, () => {
      const { message, contentText = "" } = readOrder(recorded[name]);
      const whole = { ...message, content: JSON.parse(contentText) };
      expect(whole, "nothing added, nothing lost").to.deep.equal(JSON.parse(recorded[name]));
      expect([message.blocking, contentText]).to.deep.equal([blocking, content]);
    });
  }

  it("is a ping like ours, but for what later controllers require", async () => {
    const stock = JSON.parse(recorded.ping) as { readonly name: Partial<InvokerInstance> };
    const settings = { ...defaultInvokerSettings(), instance: 0, uniqueName: "0" };
    const instance = instanceOf({ ...settings, pool: { ...settings.pool, userMemoryMB: 2048 } });
    const pings: string[] = [];
    const health = new Health({
      ...{ instance, clock: { nowMs: () => 0 }, onChange: () => undefined },
      send: (ping) => {
        pings.push(ping);
        return Promise.resolve();
      },
    });
    await health.stop();
    const { name, ...rest } = JSON.parse(pings[0] ?? "{}");
    expect(name).to.deep.equal({ ...stock.name, tags: [], dedicatedNamespaces: [] });
    expect(rest).to.deep.equal({ isEnabled: true });
  });
});
