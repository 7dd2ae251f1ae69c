// Has a runtime import libraries before its checkpoint is taken, and sees that it is at rest afterwards.

import { setTimeout as sleep } from "node:timers/promises";
import { RestorerError } from "../restorer/index.ts";
import type { Sandbox } from "./lean/sandbox.ts";
import { LibraryError, type LibraryRefusal, libraryRefusals, modulesOf } from "./libraries.ts";
import type { Reply } from "./proxy/channel.ts";
import type { Inside, Rewinder } from "./rewinder.ts";

const restTries = 200;
const restPauseMs = 10;

/** Gives how long the import took, in milliseconds. Throws LibraryError. The runtime is not to be used then. */
export async function importLibraries(
  { sandbox, channel }: Pick<Inside, "sandbox" | "channel">,
  libraries: string,
  timeoutMs: number,
): Promise<number> {
  const tookMs = timeIn(await channel.libraries(modulesOf(libraries), timeoutMs), sandbox);
  await awaitRest(sandbox);
  return tookMs;
}

function timeIn(reply: Reply, sandbox: Sandbox): number {
  if (reply.outcome === "answer" && reply.status === 200)
    return (JSON.parse(reply.body) as { readonly tookMs: number }).tookMs;
  if (reply.outcome === "timeout") throw new LibraryError("late", "the import is not over");
  if (reply.outcome === "garbled") throw new LibraryError("system", reply.why);
  if (reply.outcome === "answer") throw refusalIn(reply.body);
  if (sandbox.oomKills() > 0)
    throw new LibraryError("memory", `there is not enough: the limit is ${sandbox.memoryMB} MB`);
  throw new LibraryError("ended", "the runtime ended at the import");
}

/** As the runtimes say it. */
function refusalIn(body: string): LibraryError {
  try {
    const { refused, text } = JSON.parse(body) as { readonly refused?: unknown; readonly text?: unknown };
    const code = libraryRefusals.find((one) => one === refused);
    if (code !== undefined) return new LibraryError(code, String(text));
  } catch {
    // Said below.
  }
  return new LibraryError("system", `the runtime answered ${body}`);
}

/** A base that was taken of threads at work would have them go on after each rewind. */
async function awaitRest(sandbox: Sandbox): Promise<void> {
  let before: string | undefined;
  for (let tries = 0; tries < restTries; tries++) {
    const now = sandbox.rest();
    if (now !== undefined && now === before) return;
    before = now;
    await sleep(restPauseMs);
  }
  throw new LibraryError("not-quiescent", "a thread that the import has left goes on by itself");
}

/**
 * Whether what the imports have left stays as it is, and can be put back: by a level over the base, which ends with the next rewind to that.
 * Throws LibraryError, or what forbids trusting the container.
 */
export async function requireFitForBase(rewinder: Rewinder): Promise<void> {
  const level = await rewinder.takeLevel(Number.MAX_SAFE_INTEGER);
  if ("refused" in level)
    throw new LibraryError(
      isRefusal(level.refused) ? level.refused : "system",
      "the import has left what cannot be put back",
    );
}

function isRefusal(code: unknown): code is LibraryRefusal {
  return libraryRefusals.some((one) => one === code);
}

/** What a start with libraries has failed by, once they were to be imported. */
export function asLibraryError(error: unknown): LibraryError {
  if (error instanceof LibraryError) return error;
  const code = error instanceof RestorerError && isRefusal(error.code) ? error.code : "system";
  const message = error instanceof Error ? error.message : String(error);
  return new LibraryError(code, message, { cause: error });
}
