// How much company an ack waits for: as much as can be expected of the activations under way.

import { expect } from "chai";
import { Acks } from "../../../invoker/acks.ts";
import { Background } from "../../../invoker/background.ts";
import { defaultInvokerSettings } from "../../../invoker/config/invoker-settings.ts";
import { instanceOf } from "../../../invoker/instance.ts";
import { Observer } from "../../../invoker/observe.ts";
import { systemClock } from "../../../pool/index.ts";
import { orderOf } from "./orders.ts";

describe("an ack", () => {
  for (const [underWay, company] of [
    [1, 1],
    [4, 1],
    [5, 2],
    [16, 4],
  ] as const) {
    it(`waits until there are ${company} to send, with ${underWay} activations under way`, async () => {
      const asked: (number | undefined)[] = [];
      const settings = defaultInvokerSettings();
      const acks = new Acks(orderOf({}).message, {
        bus: {
          send: (_topic, _message, how) => {
            asked.push(how?.company);
            return Promise.resolve();
          },
          subscribe: () => ({ stop: () => Promise.resolve() }),
        },
        underWay: () => underWay,
        ...{ instance: instanceOf(settings), topicPrefix: "", settings, clock: systemClock },
        ...{ observer: new Observer("silent"), background: new Background(() => undefined) },
      });
      await acks.complete();
      expect(asked).to.deep.equal([company]);
    });
  }
});
