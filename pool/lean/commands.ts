// Runs the system's own programs that set up networks: ip, nft, iptables, sh.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { LeanError } from "./errors.ts";

/** Debian keeps them in folders that are not on everybody's path. */
const environment = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };
const timeoutMs = 10_000;

export interface Ran {
  /** False also where there is no such program. */
  readonly succeeded: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Blocks for some milliseconds: only for what is done once. */
export function tryCommand(program: string, args: readonly string[], input = ""): Ran {
  const options = { input, env: environment, encoding: "utf8", timeout: timeoutMs } as const;
  const { status, stdout, stderr, error } = spawnSync(program, args, options);
  return { succeeded: status === 0, stdout: stdout ?? "", stderr: stderr || (error?.message ?? "") };
}

/** What it printed. Throws LeanError `network` with what it said. */
export function runCommand(program: string, args: readonly string[], input = ""): string {
  const { succeeded, stdout, stderr } = tryCommand(program, args, input);
  if (!succeeded) throw new LeanError("network", `${program} ${args.join(" ")}: ${stderr.trim()}`);
  return stdout;
}

/** Runs a script by sh, which ends at the first command that fails. Rejects with LeanError `network` and what was said. */
export async function runScript(what: string, script: string): Promise<void> {
  const child = spawn("sh", ["-e"], {
    env: environment,
    stdio: ["pipe", "ignore", "pipe"],
    timeout: timeoutMs,
  });
  let said = "";
  child.stderr.on("data", (piece: Buffer) => {
    said += piece.toString();
  });
  // It may end before it has read all: its status says so.
  child.stdin.on("error", () => undefined);
  child.stdin.end(script);
  const [status] = (await once(child, "close")) as [number | null];
  if (status !== 0) throw new LeanError("network", `${what}: ${said.trim() || "ended early"}`);
}
