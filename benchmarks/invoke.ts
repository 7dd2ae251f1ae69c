// Runs one action on a real invoker, for a figure: what failed has none.

import type { Done, RealInvoker } from "../test/system/real-invoker.ts";

/** Resolves when the activation is answered, its slot free and its record stored. Throws unless it was a success. */
export async function invoke(real: RealInvoker, name: string): Promise<Done> {
  const done = await real.run(name);
  const { response } = done.record;
  if (response.statusCode !== 0)
    throw new Error(`the benchmark's action failed: ${JSON.stringify(response)}`);
  return done;
}
