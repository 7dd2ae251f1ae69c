// Starts and stops a CouchDB-compatible server with OpenWhisk's databases, in a process of its own.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { StartError } from "../errors.ts";

export interface DatabaseSettings {
  /** Where its files are; what is there is served again. */
  readonly folder: string;
  /** 127.0.0.1 by default. */
  readonly host?: string;
  /** 0: any free one. */
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** Before the names `subjects`, `whisks` and `activations`, such as `whisk_local_`. */
  readonly prefix: string;
}

/** A running server; it ends with this process, whatever ends that. */
export interface DatabaseServer {
  /** Without name and password. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Ends it without warning. */
  kill(): Promise<void>;
  /** Ends it in order. Idempotent. */
  stop(): Promise<void>;
}

/** Resolves when the server answers and has its databases. Throws StartError with what it printed. */
export async function startDatabase(settings: DatabaseSettings): Promise<DatabaseServer> {
  mkdirSync(settings.folder, { recursive: true, mode: 0o700 });
  const program = join(import.meta.dirname, "database-program.js");
  const child = spawn(process.execPath, [program], { stdio: "pipe", detached: true });
  const ended = once(child, "close");
  // An end before that is seen by its output.
  child.stdin.on("error", () => {});
  child.stdin.write(`${JSON.stringify(settings)}\n`);
  const port = await portOf(child);
  return {
    url: `http://${settings.host ?? "127.0.0.1"}:${port}`,
    port,
    pid: child.pid ?? 0,
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}

function portOf(child: ChildProcess): Promise<number> {
  let output: string | undefined = "";
  return new Promise((resolve, reject) => {
    const read = (piece: Buffer): void => {
      if (output === undefined) return;
      output += piece.toString();
      const [, port] = /^port (\d+)$/m.exec(output) ?? [];
      if (port === undefined) return;
      output = undefined;
      resolve(Number(port));
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("error", reject);
    child.once("close", (code) =>
      reject(new StartError(`The database server ended with ${code} before it was ready: ${output}`)),
    );
  });
}
