// A Docker daemon of one's own beside any other on this machine: its own folder, socket and bridge, and no word with the firewall.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface DockerDaemon {
  readonly socketPath: string;
  /** Of the process that runs now. */
  readonly pid: number;
  /** Ends the daemon at once, as a fault would; its containers go on until `restart` or `stop`. */
  kill(): Promise<void>;
  /** After `kill`, with the same folder and socket. Its containers are ended then, and known to it as dead. */
  restart(): Promise<void>;
  /** Ends the daemon with all its containers and removes what it made, its folder too. Idempotent. */
  stop(): Promise<void>;
}

const startLimitMs = 120_000;
const stopLimitMs = 30_000;
const pollMs = 20;

/**
 * Starts `dockerd` (Debian: docker.io) with all that it keeps in `folder`, which is its alone. Its containers have
 * addresses that this machine reaches; they reach nothing beyond it. Throws with the end of the daemon's log.
 */
export async function startDocker(folder: string): Promise<DockerDaemon> {
  mkdirSync(folder, { recursive: true });
  // In place of the machine's own; without what is for Kubernetes alone.
  writeFileSync(join(folder, "daemon.json"), "{}");
  writeFileSync(
    join(folder, "containerd.toml"),
    'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n',
  );
  const daemon = new Daemon(folder, await makeBridge());
  try {
    await daemon.restart();
    return daemon;
  } catch (error) {
    await daemon.stop();
    throw error;
  }
}

/** Beside a containerd of its own, as on servers: containers outlive a daemon that is killed. */
class Daemon implements DockerDaemon {
  readonly socketPath: string;
  readonly #folder: string;
  readonly #bridge: string;
  #containerd: Program | undefined;
  #dockerd: Program | undefined;
  #stopped: Promise<void> | undefined;

  constructor(folder: string, bridge: string) {
    this.socketPath = join(folder, "docker.sock");
    this.#folder = folder;
    this.#bridge = bridge;
  }

  get pid(): number {
    return this.#dockerd?.pid ?? 0;
  }

  async kill(): Promise<void> {
    await this.#dockerd?.end("SIGKILL");
  }

  async restart(): Promise<void> {
    this.#containerd ??= new Program("containerd", this.#containerdOptions(), this.#inside("containerd.log"));
    const log = this.#inside("dockerd.log");
    const dockerd = new Program("dockerd", this.#dockerdOptions(), log);
    this.#dockerd = dockerd;
    for (const startMs = performance.now(); performance.now() - startMs < startLimitMs; await sleep(pollMs)) {
      if (await serves(this.socketPath)) return;
      if (dockerd.hasEnded) break;
    }
    const lines = readFileSync(log, "utf8").trimEnd().split("\n").slice(-20).join("\n");
    throw new Error(`dockerd does not start (is the package docker.io installed?):\n${lines}`);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    // Only a daemon ends the containers of one that was killed.
    if (this.#dockerd?.hasEnded) await this.restart().catch(() => undefined);
    await this.#dockerd?.end("SIGTERM");
    await this.#containerd?.end("SIGTERM");
    endShims(this.#inside("containerd.sock"));
    for (const link of [...portsOf(this.#bridge), this.#bridge])
      await run("ip", ["link", "delete", link]).catch(() => undefined);
    await unmountBelow(this.#folder);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #inside(name: string): string {
    return join(this.#folder, name);
  }

  #containerdOptions(): string[] {
    return [
      ...["--config", this.#inside("containerd.toml"), "--address", this.#inside("containerd.sock")],
      ...["--root", this.#inside("containerd"), "--state", this.#inside("containerd-state")],
    ];
  }

  #dockerdOptions(): string[] {
    return [
      ...["--host", `unix://${this.socketPath}`, "--pidfile", this.#inside("dockerd.pid")],
      ...["--data-root", this.#inside("data"), "--exec-root", this.#inside("exec")],
      ...["--config-file", this.#inside("daemon.json"), "--containerd", this.#inside("containerd.sock")],
      ...["--bridge", this.#bridge, "--iptables=false", "--ip6tables=false"],
      ...["--ip-masq=false", "--ip-forward=false"],
    ];
  }
}

/** A process with its output in a file. */
class Program {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #hasEnded: boolean = false;

  constructor(command: string, options: readonly string[], logPath: string) {
    const log = openSync(logPath, "a");
    this.#child = spawn(command, options, { stdio: ["ignore", log, log] });
    closeSync(log);
    this.#ended = new Promise((resolve) => {
      const end = (): void => {
        this.#hasEnded = true;
        resolve();
      };
      this.#child.once("exit", end);
      this.#child.once("error", end);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Resolves when it has ended; after some patience it is killed. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.#child.kill(signal);
    const patience = setTimeout(() => this.#child.kill("SIGKILL"), stopLimitMs);
    await this.#ended;
    clearTimeout(patience);
  }
}

/** One that nobody has, with a network that nobody has a route to. */
async function makeBridge(): Promise<string> {
  for (;;) {
    const [second, third] = [randomInt(16, 32), randomInt(256)];
    const address = `172.${second}.${third}.1/24`;
    const bridge = `rwdock${second.toString(16)}${third.toString(16)}`;
    const { stdout: taken } = await run("ip", ["-4", "route", "show", "root", `172.${second}.${third}.0/24`]);
    if (taken !== "" || existsSync(`/sys/class/net/${bridge}`)) continue;
    await run("ip", ["link", "add", bridge, "type", "bridge"]);
    await run("ip", ["address", "add", address, "dev", bridge]);
    await run("ip", ["link", "set", bridge, "up"]);
    return bridge;
  }
}

/** Listening is not yet serving: a daemon that comes back first looks after its containers. */
function serves(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = get({ socketPath, path: "/_ping", agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.on("error", () => resolve(false));
  });
}

/** The host's ends of containers that a killed daemon forgot. */
function portsOf(bridge: string): readonly string[] {
  const folder = `/sys/class/net/${bridge}/brif`;
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** A daemon that is killed while it starts a container does not know of it afterwards: its shim and its processes go on. */
function endShims(containerdSocket: string): void {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      if (!command[0]?.includes("containerd-shim") || !command.includes(containerdSocket)) continue;
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
      for (const one of [...children, pid]) process.kill(Number(one), "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** What a daemon leaves that was killed: layers and network namespaces. */
async function unmountBelow(folder: string): Promise<void> {
  const points = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((point) => point.startsWith(`${folder}/`));
  for (const point of points.reverse()) await run("umount", ["-l", point]).catch(() => undefined);
}
