// Processes that booted containers are forked from.

import type { Place } from "../../restorer/index.ts";
import type { Blank } from "./blank.ts";
import { ContainerNetwork } from "./container-network.ts";
import { LeanError } from "./errors.ts";
import type { Interpreter } from "./interpreters.ts";
import type { Launches } from "./launches.ts";
import type { EmbryoCounts } from "./types.ts";
import type { Uids } from "./uids.ts";

type Make = Parameters<Place["conceive"]>[0];

export class Embryos {
  readonly #launches: Launches;
  readonly #uids: Uids;
  /** Those that are being made, too. */
  readonly #ends = new Set<() => Promise<void>>();
  readonly #living = new Set<Blank>();
  #isClosed: boolean = false;

  constructor(launches: Launches, uids: Uids) {
    this.#launches = launches;
    this.#uids = uids;
  }

  get counts(): EmbryoCounts {
    const used = Array.from(this.#living, ({ parts }) => parts.cgroups.memoryUsedBytes());
    return { living: used.length, bytes: used.reduce((sum, bytes) => sum + bytes, 0) };
  }

  /**
   * A process of the kind that others can be forked from: in our own pid namespace, with its power, and a network that leads nowhere. Gives
   * what ends it. Rejects with LeanError.
   */
  async conceive(interpreter: Interpreter, memoryMB: number, make: Make): Promise<() => Promise<void>> {
    const blank = await this.#launch(interpreter, memoryMB);
    const { launcher, parts } = blank;
    let making: Promise<void> | undefined;
    const end = async (): Promise<void> => {
      this.#living.delete(blank);
      // Which ends a call that is under way; that may use the descriptors until then.
      launcher.kill();
      await making?.catch(() => undefined);
      await blank.close();
      this.#ends.delete(end);
    };
    this.#ends.add(end);
    try {
      this.#requireOpen();
      await blank.inTime(launcher.waiting);
      making = make({ pid: onlyProcess(blank), goFd: parts.started.channelFd });
      await blank.inTime(making);
      await blank.inTime(launcher.started);
    } catch (cause) {
      await end();
      throw await blank.failed(cause);
    }
    this.#living.add(blank);
    return end;
  }

  /** Of all there are, and of those that are being made; none is made from now on. */
  close(): readonly Promise<void>[] {
    this.#isClosed = true;
    return Array.from(this.#ends, (end) => end());
  }

  async #launch(interpreter: Interpreter, memoryMB: number): Promise<Blank> {
    this.#requireOpen();
    const network = await ContainerNetwork.make(undefined);
    const uid = await this.#uids.take().catch(async (error: unknown) => {
      await network.close();
      throw error;
    });
    const onGone = async (): Promise<void> => {
      this.#uids.giveBack(uid);
      await network.close();
    };
    return await this.#launches.launch(
      interpreter,
      { uid, network },
      { option: "--embryo", memoryMB, onGone },
    );
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new LeanError("closed", "no more containers are made");
  }
}

/** Throws LeanError. */
function onlyProcess({ parts: { cgroups } }: Blank): number {
  const [found] = cgroups.processes();
  if (found === undefined) throw new LeanError("start", "the embryo ended at once");
  return found;
}
