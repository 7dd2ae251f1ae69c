// OpenWhisk's playbook with our role in it, in a folder of its own, run by a real Ansible.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectFolder } from "../../invoker/config/entries.ts";
import { freePort } from "../../standalone/cluster/java.ts";

export const role = join(projectFolder(), "ansible", "roles", "invoker");
export const pack = join(projectFolder(), "ansible", "pack.mjs");
const commands = join(projectFolder(), "build", "ansible", "bin");

export interface Ran {
  readonly status: number | null;
  /** Both streams. */
  readonly output: string;
  /** By host: how many tasks say that they changed something. */
  readonly changed: { readonly [host: string]: number };
}

/** Runs a program of Ansible's, which sees nothing of whoever runs the tests; `inside` is put before it. */
export async function ansible(
  command: string,
  args: readonly string[],
  folder: string,
  inside: readonly string[] = [],
): Promise<Ran> {
  const [program = "", ...rest] = [...inside, join(commands, command), ...args];
  const child = spawn(program, rest, {
    cwd: folder,
    env: {
      ...{ PATH: `${commands}:${process.env.PATH}`, HOME: folder, LANG: "C.UTF-8", ANSIBLE_NOCOLOR: "1" },
      ...{ OPENWHISK_HOME: join(folder, ".."), ANSIBLE_CONFIG: join(folder, "ansible.cfg") },
      ...{
        ANSIBLE_PIPELINING: "1",
        ANSIBLE_GATHERING: "explicit",
        ANSIBLE_PYTHON_INTERPRETER: join(commands, "python"),
      },
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (piece: string) => {
      output += piece;
    });
  }
  const [status] = (await once(child, "close")) as [number | null];
  const recap = output.matchAll(/^(\S+)\s+: ok=\d+\s+changed=(\d+)/gm);
  return {
    status,
    output,
    changed: Object.fromEntries([...recap].map(([, host, count]) => [host, Number(count)])),
  };
}

/** A checkout of OpenWhisk as far as it matters here, in which one line names our role, as the role's README says. */
export class Checkout {
  /** Temporary; what is deployed goes below it too. */
  readonly folder: string;
  /** Where the playbooks are. */
  readonly playbooks: string;

  constructor(manifest: object) {
    this.folder = mkdtempSync(join(tmpdir(), "rewhisk-ansible-"));
    this.playbooks = join(this.folder, "ansible");
    cpSync(join(projectFolder(), "test", "ansible", "openwhisk"), this.playbooks, { recursive: true });
    mkdirSync(join(this.playbooks, "files"));
    writeFileSync(join(this.playbooks, "files", "runtimes.json"), JSON.stringify(manifest));
    const play = join(this.playbooks, "invoker.yml");
    writeFileSync(play, readFileSync(play, "utf8").replace(/- invoker$/m, `- ${role}`));
  }

  async play(
    variables: object,
    options: readonly string[] = [],
    inside: readonly string[] = [],
  ): Promise<Ran> {
    const args = [join(this.playbooks, "invoker.yml"), "-e", JSON.stringify(variables), ...options];
    return await ansible("ansible-playbook", args, this.playbooks, inside);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The first of `count` ports in a row that nobody has, nor is given before the playbook has started its invokers. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = await freePort();
    const areFree = await Promise.all(Array.from({ length: count }, (_, i) => isFree(first + i)));
    if (!areFree.includes(false)) return first;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "0.0.0.0");
  return await once(server, "listening").then(
    () => new Promise<boolean>((resolve) => server.close(() => resolve(true))),
    () => false,
  );
}
