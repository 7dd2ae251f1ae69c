// Sockets of a container that no descriptor leads to: seen, and collected.

import { closeSync, openSync, readSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerNetwork } from "./container-network.ts";
import { LeanError } from "./errors.ts";

/** The kernel takes a millisecond or two; where others keep all processors busy, much longer. Only pauses count. */
const patienceMs = 1000;
const shortestPauseMs = 1;
const longestPauseMs = 20;
/** The kernel's text has some 300 bytes; the count stands in its first line. */
const text = Buffer.alloc(64);
/** A name that nobody has: the address is made of zeros. */
const nowhere = { path: "\0".repeat(16) };

/**
 * A socket that lies in a message in its own queue (SCM_RIGHTS, unix(7)) outlives its last descriptor. The kernel looks for
 * such ones when any local socket is closed (net/unix/garbage.c), and removes them some time later.
 */
function collectSockets(): Promise<void> {
  return new Promise((resolve) => {
    connect(nowhere)
      .on("error", () => undefined)
      .on("close", () => resolve());
  });
}

/** What is done about connections, and how many sockets are not the container's. */
type Network = Pick<ContainerNetwork, "sockets" | "endConnections" | "forgetConnections">;

/** All sockets in the network namespace of a process, and what is known there of their connections. */
export class Sockets {
  readonly #fd: number;
  readonly #network: Network;

  constructor(pid: number, network: Network) {
    this.#fd = openSync(`/proc/${pid}/net/sockstat`, "r");
    this.#network = network;
  }

  /** How many there are, whoever in the container holds them. About a microsecond. */
  count(): number {
    const length = readSync(this.#fd, text, 0, text.length, 0);
    const used = /^sockets: used (\d+)$/m.exec(text.toString("latin1", 0, length))?.[1];
    return Number(used) - this.#network.sockets;
  }

  /**
   * Returns when there is none and no packet that still arrives belongs to one: at once, or soon after the last was closed. A
   * connection to the outside would else wait for the other side's farewell, and send all that it was given. Throws LeanError
   * `survivor`.
   */
  async awaitNone(): Promise<void> {
    if (this.count() !== 0) this.#network.endConnections();
    let pausedMs = 0;
    for (let pauseMs = shortestPauseMs; this.count() !== 0; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      if (pausedMs > patienceMs)
        throw new LeanError("survivor", `${this.count()} sockets outlive their descriptors`);
      await collectSockets();
      await sleep(pauseMs);
      pausedMs += pauseMs;
    }
    this.#network.forgetConnections();
  }

  close(): void {
    closeSync(this.#fd);
  }
}
