// A machine and the world outside of it, as two network namespaces with a program in each. Nothing of the real machine's network
// is touched.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { NetworkSettings } from "../../pool/lean/network.ts";
import { instanceName } from "./instance.ts";
import { requireRoot } from "./lean-probe.ts";
import { Remote } from "./remote.ts";

/** Addresses that are kept for documentation (RFC 5737), and a subnet for the containers. */
export const outside = "198.51.100.1";
export const host = "198.51.100.2";
export const metadata = "169.254.169.254";
export const subnet = "10.250.0.0/24";
export const gateway = "10.250.0.0";
/** What containers may reach of the host. */
export const apiPort = 3233;
export const uplinkMtuBytes = 1400;

/** At both of its ends. */
const uplink = "wan0";

const program = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url));

/** Of the settings that most tests want; undefined: as if it were not set. */
type Changes = { readonly [Name in keyof NetworkSettings]: NetworkSettings[Name] | undefined };

function ip(...lines: readonly string[]): void {
  execFileSync("ip", ["-batch", "-"], { input: `${lines.join("\n")}\n` });
}

export class NetworkBench {
  readonly instance: string;
  /** For what a program that is killed would leave. */
  readonly #folder: string = mkdtempSync(join(tmpdir(), "rewhisk-network-"));
  readonly #namespaces: { readonly host: string; readonly outside: string };
  readonly world: Remote;
  host: Remote;

  /** Resolves when the world serves. `what` tells it from others of this checkout. Throws where the suite is not run as it must be. */
  static async open(what: string): Promise<NetworkBench> {
    const bench = new NetworkBench(what);
    await bench.world.call("peers");
    return bench;
  }

  private constructor(what: string) {
    requireRoot();
    this.instance = instanceName(what);
    this.#namespaces = { host: `${this.instance}-host`, outside: `${this.instance}-outside` };
    this.#removeNamespaces();
    this.#makeNamespaces();
    this.world = new Remote(
      this.#in("outside", process.execPath, program("network-outside"), outside, metadata),
    );
    this.host = this.startHost();
  }

  /** A program with the settings that most tests want, and these; under another name where several are to live on the machine. */
  startHost(settings: Changes = {}, instance = this.instance): Remote {
    const services = [{ address: host, port: apiPort }];
    const all = { subnet, dnsServers: [outside], services, ...settings };
    const source = ["--enable-source-maps", program("network-host")];
    const node = ["env", `TMPDIR=${this.#folder}`, process.execPath];
    return new Remote(this.#in("host", ...node, ...source, instance, JSON.stringify(all)));
  }

  /** What a program prints that is run on the machine; throws where it fails. */
  onHost(...command: readonly string[]): string {
    return this.#output("host", command);
  }

  /** What one prints that is run outside of it. */
  inWorld(...command: readonly string[]): string {
    return this.#output("outside", command);
  }

  /** What the list of leftovers shows on the machine. */
  leftovers(): readonly string[] {
    const script = fileURLToPath(new URL("../../../../test/leftovers.mjs", import.meta.url));
    const [name = "", ...args] = this.#in("host", process.execPath, script, "--instance", this.instance);
    return spawnSync(name, args, { encoding: "utf8" }).stdout.split("\n").filter(Boolean);
  }

  async close(): Promise<void> {
    await this.host.end();
    await this.world.end();
    this.#removeNamespaces();
    rmSync(this.#folder, { recursive: true });
  }

  #output(where: "host" | "outside", command: readonly string[]): string {
    const [name = "", ...args] = this.#in(where, ...command);
    return execFileSync(name, args, { encoding: "utf8" });
  }

  #in(where: "host" | "outside", ...command: readonly string[]): readonly string[] {
    return ["nsenter", `--net=/run/netns/${this.#namespaces[where]}`, ...command];
  }

  #makeNamespaces(): void {
    const names = this.#namespaces;
    ip(`netns add ${names.host}`, `netns add ${names.outside}`);
    const mtu = `mtu ${uplinkMtuBytes}`;
    ip(
      `link add name ${uplink} ${mtu} netns ${names.host} type veth peer name ${uplink} ${mtu} netns ${names.outside}`,
    );
    const inside = (name: string, ...lines: readonly string[]): void => {
      execFileSync("ip", ["-n", name, "-batch", "-"], { input: `${lines.join("\n")}\n` });
    };
    inside(
      names.host,
      "link set lo up",
      `address add ${host}/24 dev ${uplink}`,
      `link set ${uplink} up`,
      `route add default via ${outside}`,
    );
    inside(
      names.outside,
      "link set lo up",
      `address add ${outside}/24 dev ${uplink}`,
      `address add ${metadata}/32 dev ${uplink}`,
      `link set ${uplink} up`,
      `route add ${subnet} via ${host}`,
    );
    this.onHost("sysctl", "-qw", "net.ipv4.ip_forward=1");
  }

  #removeNamespaces(): void {
    for (const name of Object.values(this.#namespaces))
      spawnSync("ip", ["netns", "delete", name], { stdio: "ignore" });
  }
}
