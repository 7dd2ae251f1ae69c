// Tells a test of the sandboxes that a factory makes.

import type { Sandbox, SandboxFactory } from "../../pool/index.ts";

/** The same factory; `made` is called with every sandbox before it is used, and may change it. */
export function watched(factory: SandboxFactory, made: (sandbox: Sandbox) => void): SandboxFactory {
  return {
    create: async (kind, memoryMB) => {
      const sandbox = await factory.create(kind, memoryMB);
      made(sandbox);
      return sandbox;
    },
    kinds: () => factory.kinds(),
    removeLeftovers: () => factory.removeLeftovers(),
    allowForwarding: () => factory.allowForwarding(),
    close: () => factory.close(),
  };
}
