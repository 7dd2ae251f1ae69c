// One container's end of the network: its pair of interfaces, and what is done about its connections when it is rewound.

import { closeSync, openSync } from "node:fs";
import { Connections } from "../../restorer/index.ts";
import { runScript } from "./commands.ts";
import { hostLinks, linksInside, type Place, tableInside } from "./network-rules.ts";
import { formatAddress } from "./subnets.ts";

/** Made before the container, closed after it. */
export class ContainerNetwork {
  readonly #instance: string;
  readonly #place: Place;
  readonly #onClosed: () => void;
  #namespaceFd: number | undefined;
  #connections: Connections | undefined;

  constructor(instance: string, place: Place, onClosed: () => void) {
    this.#instance = instance;
    this.#place = place;
    this.#onClosed = onClosed;
  }

  get address(): string {
    return formatAddress(this.#place.address);
  }

  /** How many sockets of the container are the host's. */
  get sockets(): number {
    return this.#connections?.sockets ?? 0;
  }

  /** Holds the namespace of a process that cannot be another by now: the launcher just started. Throws. */
  open(pid: number): void {
    this.#namespaceFd = openSync(`/proc/${pid}/ns/net`, "r");
    this.#connections = new Connections(this.#namespaceFd);
  }

  /** Gives the namespace its interface; the launcher must have set it up. Rejects with LeanError `network`. */
  async attach(): Promise<void> {
    const namespace = `/proc/${process.pid}/fd/${this.#namespaceFd}`;
    const script = `ip -batch - <<'END'
${hostLinks(this.#instance, namespace, this.#place)}END
nsenter --net=${namespace} sh -e <<'END'
ip -batch - <<'LINKS'
${linksInside(this.#place)}LINKS
nft -f - <<'TABLE'
${tableInside(this.#place)}TABLE
END
`;
    await runScript(`network of ${this.#place.hostInterface}`, script);
    this.#closeNamespace();
  }

  /** Resets what is left of TCP connections. Throws RestorerError. */
  endConnections(): void {
    this.#connections?.end();
  }

  /** Afterwards nothing that arrives belongs to a connection of before. Throws RestorerError. */
  forgetConnections(): void {
    this.#connections?.forget();
  }

  /** When the container is gone: its interfaces go with it. */
  close(): void {
    this.#closeNamespace();
    this.#connections?.close();
    this.#connections = undefined;
    this.#onClosed();
  }

  #closeNamespace(): void {
    if (this.#namespaceFd !== undefined) closeSync(this.#namespaceFd);
    this.#namespaceFd = undefined;
  }
}
