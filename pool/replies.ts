// What a runtime's replies, or their absence, mean for its container and for who asked.

import type { Sandbox } from "./lean/sandbox.ts";
import type { Reply } from "./proxy/channel.ts";
import type { Exchange } from "./proxy/exchange.ts";
import type { Inside } from "./rewinder.ts";
import { within } from "./time.ts";
import { TaintError } from "./types.ts";

/** How long a closed channel waits for the news that the runtime has ended, and why. */
const exitNewsMs = 500;

/** Waits for READY. Throws TaintError: how far the runtime got instead. */
export async function awaitReady(
  { sandbox, channel }: Inside,
  { startTimeoutMs, memoryMB }: { readonly startTimeoutMs: number; readonly memoryMB: number },
): Promise<void> {
  const greeting = await channel.ready(startTimeoutMs);
  if (greeting.outcome === "answer") return;
  if (greeting.outcome === "garbled") throw new TaintError("channel", greeting.why);
  if (greeting.outcome === "timeout") throw new TaintError("system", `no READY within ${startTimeoutMs} ms`);
  const exit = await within(exitNewsMs, sandbox.exited);
  const how =
    exit === undefined ? "closed its channel" : `ended (${exit.cause} ${exit.status}) ${exit.message}`;
  const why = exit?.oomKilled === true ? `, for want of memory: its limit is ${memoryMB} MB` : "";
  throw new TaintError("process-gone", `the runtime ${how} before it was ready${why}`);
}

/** Why the container is not to be trusted after such a reply. Only an answer or a time-out leaves it fit to be rewound. */
export function faultOf(reply: Reply): TaintError | undefined {
  if (reply.outcome === "garbled") return new TaintError("channel", reply.why);
  if (reply.outcome === "closed") return new TaintError("process-gone", "the runtime closed its channel");
  return undefined;
}

/**
 * What is told to who asked: of a closed channel also how the runtime ended, once that is known. Who was idle before and has
 * not read the question has begun nothing; who ends later may do so because of what was asked before.
 */
export async function exchangeOf(
  reply: Reply,
  sandbox: Sandbox,
  before: { readonly wasIdle: boolean; readonly oomKills: number },
): Promise<Exchange> {
  if (reply.outcome !== "closed") return reply;
  const exit = await within(exitNewsMs, sandbox.exited);
  const oomKilled = exit?.oomKilled === true || sandbox.oomKills() > before.oomKills;
  return before.wasIdle && reply.unread && !oomKilled
    ? { outcome: "unavailable" }
    : { outcome: "gone", exit, oomKilled };
}
