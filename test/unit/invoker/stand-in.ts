// An invoker with nothing behind it, for what is in front of invokers.

import { Observer } from "../../../invoker/observe.ts";
import type { Invoker, InvokerStatus } from "../../../invoker/service.ts";
import { type Look, openLook } from "../../../invoker/ui/look.ts";

const container = { kind: "nodejs:20", memoryMB: 256, owner: undefined, lastUsed: 0, spare: 0 };

export const status: InvokerStatus = {
  phase: "ready",
  notReady: [],
  underWay: 3,
  done: 7,
  pool: {
    memoryMB: 1024,
    reservedMB: 1280,
    waiting: 1,
    containers: [
      { ...container, id: 1, state: "clean" },
      { ...container, id: 2, state: "clean", kind: "python:3" },
      { ...container, id: 3, state: "running" },
      { ...container, id: 4, state: "warm" },
      { ...container, id: 5, state: "rewinding" },
    ],
  },
};

/** Enabled and disabled as the real one, with nothing behind it. */
export class StandIn implements Invoker {
  readonly ready = Promise.resolve();
  readonly name = "invoker0/0";
  isEnabled: boolean = true;
  shown = status;
  startedMs = 0;
  readonly observer = new Observer("silent");
  enable(): boolean {
    const isNew = !this.isEnabled;
    this.isEnabled = true;
    return isNew;
  }
  disable(): boolean {
    const isNew = this.isEnabled;
    this.isEnabled = false;
    return isNew;
  }
  drain(): Promise<void> {
    return Promise.resolve();
  }
  status(): InvokerStatus {
    return this.shown;
  }
  metrics(): Promise<string> {
    return Promise.resolve("some_metric 1\n");
  }
  look(): Look {
    const { name } = this;
    const asked = { status: () => this.status(), isEnabled: () => this.isEnabled };
    return openLook({ name, startedMs: this.startedMs, rung: "soft-dirty", ...asked }, this.observer);
  }
}
