// Tells a test of the sandboxes that a factory makes.

import type { Sandbox, SandboxFactory } from "../../pool/index.ts";

/** Is called with every sandbox before it is used, which it may change, or hold back by a promise. */
export type Made = (sandbox: Sandbox) => unknown;

/** The same factory, and `made`. */
export function watched(factory: SandboxFactory, made: Made): SandboxFactory {
  return {
    create: async (...order) => {
      const sandbox = await factory.create(...order);
      await made(sandbox);
      return sandbox;
    },
    kinds: () => factory.kinds(),
    ahead: () => factory.ahead(),
    embryos: () => factory.embryos(),
    bootAhead: (kind, boot) => factory.bootAhead(kind, boot),
    saveMemory: (isSaving) => factory.saveMemory(isSaving),
    memoryGroup: () => factory.memoryGroup(),
    removeLeftovers: () => factory.removeLeftovers(),
    allowForwarding: () => factory.allowForwarding(),
    close: () => factory.close(),
  };
}
