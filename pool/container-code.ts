// The code of one container's action: out of the code store where that has it, or put there, by the runtime itself, before its first init.

import type { CodeStore } from "./code-store.ts";
import type { KeptCode, MakeRoom, Unpack, Unpacked } from "./code-use.ts";
import { codePlace } from "./lean/shown-code.ts";
import type { Clock } from "./machine.ts";
import type { Reply } from "./proxy/channel.ts";
import type { Inside, Rewinder } from "./rewinder.ts";
import type { ExchangeLimits, InitFrame } from "./types.ts";

/** The init that is to be asked for, of whose time some may have been taken; or how the asking has ended before, as an init would have. */
export type Prepared = { readonly frame: InitFrame; readonly takenMs: number } | { readonly ended: Reply };

/** Of the time that an init may take: so long one waits for the unpacking of another who has the same archive. */
const patience = 1 / 4;

/** An archive is unpacked by the runtime of its own language, in a container, as ever. Nothing of it runs before that is put back. */
export class ContainerCode {
  readonly #inside: Inside;
  readonly #rewinder: Rewinder;
  readonly #store: CodeStore;
  readonly #clock: Clock;
  #kept: KeptCode | undefined;

  constructor(
    inside: Inside,
    rewinder: Rewinder,
    { store, clock }: { readonly store: CodeStore; readonly clock: Clock },
  ) {
    this.#inside = inside;
    this.#rewinder = rewinder;
    this.#store = store;
    this.#clock = clock;
  }

  /** Of an archive, in a clean container. Waiting, copying and rewinding are no work of the action's. Throws what forbids trusting it. */
  async prepare(frame: InitFrame, limits: ExchangeLimits): Promise<Prepared> {
    const { code, ...rest } = frame;
    const sent = { frame, takenMs: 0 };
    if (code === undefined || code.length === 0) return sent;
    const { sandbox } = this.#inside;
    let ended: Reply | undefined;
    let takenMs = 0;
    const unpack: Unpack = async (folder, makeRoom) => {
      const sinceMs = this.#clock.nowMs();
      const reply = await this.#inside.channel.unpack(code, limits);
      takenMs = this.#clock.nowMs() - sinceMs;
      if (reply.outcome === "answer") return await this.#keep(reply.status === 200, folder, makeRoom);
      ended = reply;
      return { not: "failed" };
    };
    const patienceMs = limits.timeoutMs * patience;
    const kept = await this.#store.use(familyOf(sandbox.kind), code, unpack, patienceMs);
    if (ended !== undefined) return { ended };
    if (kept === undefined) return sent;
    try {
      await sandbox.showCode(kept.folder);
    } catch (error) {
      kept.release();
      this.#store.notShown(error);
      return sent;
    }
    this.#kept = kept;
    return { frame: { ...rest, code: undefined, folder: codePlace }, takenMs };
  }

  get isShown(): boolean {
    return this.#kept !== undefined;
  }

  /** When it is not shown any more, or the container is gone. Idempotent. */
  release(): void {
    this.#kept?.release();
    this.#kept = undefined;
  }

  /** The container is then as it was before anything was unpacked. */
  async #keep(isUnpacked: boolean, folder: string, makeRoom: MakeRoom): Promise<Unpacked> {
    const { sandbox } = this.#inside;
    let unpacked: Unpacked = { not: "refused" };
    await this.#rewinder.rewind("base", async () => {
      if (!isUnpacked) return;
      try {
        const atMost = sandbox.scratchUsedBytes();
        const not = makeRoom(atMost);
        unpacked = not === undefined ? { bytes: await sandbox.keepCode(folder, atMost) } : { not };
      } catch (error) {
        unpacked = { not: "failed", error };
      }
    });
    return unpacked;
  }
}

function familyOf(kind: string): string {
  return kind.slice(0, kind.indexOf(":"));
}
