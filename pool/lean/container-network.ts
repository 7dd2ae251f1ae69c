// One container's end of the network: a namespace made ahead of it, and what is done about its connections when it is rewound.

import { closeSync } from "node:fs";
import { Connections, describeNetwork, makeNetwork } from "../../restorer/index.ts";
import { runScript } from "./commands.ts";
import { LeanError } from "./errors.ts";
import { hostLinks, linksInside, type Place, tableInside } from "./network-rules.ts";
import { formatAddress } from "./subnets.ts";

/** A place in the network of a machine, which is nobody else's until it is given back. */
export interface Reserved {
  readonly instance: string;
  readonly place: Place;
  readonly giveBack: () => void;
}

/** Numbers of "sockstat" that are the whole machine's. */
const machineWide = / (orphan|alloc|mem) -?\d+/g;

async function describe(namespaceFd: number): Promise<string> {
  return (await describeNetwork(namespaceFd)).replaceAll(machineWide, "");
}

/** Gives the namespace its interface. Rejects with LeanError `network`. */
async function attach(namespaceFd: number, { instance, place }: Reserved): Promise<void> {
  const namespace = `/proc/${process.pid}/fd/${namespaceFd}`;
  const script = `ip -batch - <<'END'
${hostLinks(instance, namespace, place)}END
nsenter --net=${namespace} sh -e <<'END'
ip -batch - <<'LINKS'
${linksInside(place)}LINKS
nft -f - <<'TABLE'
${tableInside(place)}TABLE
END
`;
  await runScript(`network of ${place.hostInterface}`, script);
}

/** Has the loopback interface alone where it has no place in a machine's network. Its interfaces go with it. */
export class ContainerNetwork {
  readonly #namespaceFd: number;
  readonly #reserved: Reserved | undefined;
  readonly #connections: Connections | undefined;
  /** What it looked like before anybody had it. */
  readonly #fresh: string;

  private constructor(
    namespaceFd: number,
    reserved: Reserved | undefined,
    connections: Connections | undefined,
    fresh: string,
  ) {
    this.#namespaceFd = namespaceFd;
    this.#reserved = reserved;
    this.#connections = connections;
    this.#fresh = fresh;
  }

  /** Rejects with LeanError `network`; nothing is left then, and the place is given back. */
  static async make(reserved?: Reserved): Promise<ContainerNetwork> {
    let namespaceFd: number | undefined;
    let connections: Connections | undefined;
    try {
      namespaceFd = await makeNetwork();
      if (reserved !== undefined) {
        await attach(namespaceFd, reserved);
        connections = new Connections(namespaceFd);
      }
      const described = await describe(namespaceFd);
      // Those of the programs that have set it up go a little later.
      const fresh = described.replace(/^sockets: used \d+$/m, `sockets: used ${connections?.sockets ?? 0}`);
      return new ContainerNetwork(namespaceFd, reserved, connections, fresh);
    } catch (cause) {
      connections?.close();
      if (namespaceFd !== undefined) closeSync(namespaceFd);
      reserved?.giveBack();
      throw cause instanceof LeanError ? cause : new LeanError("network", String(cause), { cause });
    }
  }

  /** Undefined where there is only the loopback interface. */
  get address(): string | undefined {
    return this.#reserved && formatAddress(this.#reserved.place.address);
  }

  /** The path by which a launcher finds the namespace. */
  get namespace(): string {
    return `/proc/${process.pid}/fd/${this.#namespaceFd}`;
  }

  /** How many sockets in the namespace are the host's. */
  get sockets(): number {
    return this.#connections?.sockets ?? 0;
  }

  /** Resets what is left of TCP connections. Throws RestorerError. */
  endConnections(): void {
    this.#connections?.end();
  }

  /** Afterwards nothing that arrives belongs to a connection of before. Throws RestorerError. */
  forgetConnections(): void {
    this.#connections?.forget();
  }

  /**
   * To be asked when no process is left in it. False unless all that the kernel tells of it is as it was when it was made: the next
   * container then finds nothing, and can tell nothing, of those that had it.
   */
  async isUnused(): Promise<boolean> {
    return (await describe(this.#namespaceFd).catch(() => "")) === this.#fresh;
  }

  /** When no process is left in it. */
  close(): void {
    this.#connections?.close();
    closeSync(this.#namespaceFd);
    this.#reserved?.giveBack();
  }
}
