// Starts a victim (a small program that a test rewinds) as a process that libuv does not wait for.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { within } from "../../pool/index.ts";
import { ContainerCheckpoint, nativeFolder, type Rung, type Vacancy } from "../../restorer/index.ts";

const answerMs = 20_000;

/** What the kernel leaves to the stack at least. */
export const lowestGapKB = 128 * 1024;

/** A started victim: `pid` as the host sees it. */
export class Victim {
  readonly pid: number;
  readonly #shell: ChildProcess;
  readonly #answers: AsyncIterator<Buffer>;
  /** The shell waits for the victim; a checkpoint holds the answers' pipe open, so that its end says nothing. */
  readonly #ended: Promise<unknown>;

  private constructor(
    pid: number,
    shell: ChildProcess,
    answers: AsyncIterator<Buffer> = (shell.stdio[4] as Readable)[Symbol.asyncIterator](),
  ) {
    this.pid = pid;
    this.#shell = shell;
    this.#ended = once(shell, "exit");
    this.#answers = answers;
  }

  /** Started through a shell: a process traced here must not be Node's own child. Resolves when it has prepared itself. */
  static async start(program: string): Promise<Victim> {
    const script = '"$0" 3<&3 4>&4 5<&- </dev/null & echo $!; exec 3<&- 4>&- 5<&-; wait';
    const victim = await Victim.#spawn("/bin/sh", ["-c", script, program]);
    await victim.answer();
    return victim;
  }

  /**
   * As `start`, as the second process of a pid namespace of its own. Its mappings begin so far below the end of its memory as
   * `stackKB` says, which the kernel leaves to the stack, instead of at random.
   */
  static async startAlone(program: string, stackKB?: number): Promise<Victim> {
    const victim = await Victim.#spawnAlone('exec "$0" 5<&-', program, stackKB);
    await victim.answer();
    return victim;
  }

  /** As `startAlone`, but that it executes its program only when a byte is written to `goFd`, and has answered nothing. */
  static async startWaiting(program: string, stackKB?: number): Promise<Victim> {
    return await Victim.#spawnAlone('read -r go <&5; exec "$0" 5<&-', program, stackKB);
  }

  /** As `startWaiting`, in our own pid namespace. */
  static async startWaitingHere(program: string): Promise<Victim> {
    return await Victim.#spawn("/bin/sh", ["-c", Victim.#script('read -r go <&5; exec "$0" 5<&-'), program]);
  }

  /** As `startAlone`, without any privilege. */
  static async startPlain(program: string): Promise<Victim> {
    const powerless = "setpriv --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all";
    const victim = await Victim.#spawnAlone(`exec ${powerless} "$0" 5<&-`, program);
    await victim.answer();
    return victim;
  }

  /** Only the first process of a pid namespace, which waits for a child that is made elsewhere. Its `pid` is that one's until `adopt`. */
  static async startVacant(): Promise<Victim> {
    const script = 'trap "" USR1; read -r pid rest </proc/self/stat; echo $pid; exec sleep infinity 5<&-';
    const options = [
      "--pid",
      "--fork",
      "--kill-child",
      "/bin/sh",
      "-c",
      `{ ${script}; } 3<&3 4>&4 5<&5 </dev/null`,
    ];
    return await Victim.#spawn("/usr/bin/unshare", options);
  }

  /** Where a process can be put by Embryo.boot(). */
  get vacancy(): Vacancy {
    return { initPid: this.pid, uid: 0, gid: 0, joinFiles: [], given: 5 };
  }

  /** The victim that has been put here. */
  adopt(): Victim {
    const [child] = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, "latin1").split(" ");
    return new Victim(Number(child), this.#shell, this.#answers);
  }

  static async #spawnAlone(execute: string, program: string, stackKB?: number): Promise<Victim> {
    const placed = stackKB === undefined ? [] : ["/usr/bin/setarch", "x86_64", "--addr-no-randomize"];
    const limit = stackKB === undefined ? "" : `ulimit -S -s ${stackKB}; `;
    const shell = [...placed, "/bin/sh", "-c", Victim.#script(`${limit}${execute}`), program];
    return await Victim.#spawn("/usr/bin/unshare", ["--pid", "--fork", "--kill-child", ...shell]);
  }

  /** /proc is the host's: it tells the host's ids. */
  static #script(execute: string): string {
    const self = "read -r pid rest </proc/self/stat; echo $pid";
    return `{ ${self}; ${execute}; } 3<&3 4>&4 5<&5 </dev/null & exec 3<&- 4>&- 5<&-; wait`;
  }

  static async #spawn(command: string, options: readonly string[]): Promise<Victim> {
    // No file is shared with others: where stderr is one, whoever else writes there moves the victim's position.
    const shell = spawn(command, options, { stdio: ["ignore", "pipe", "pipe", "pipe", "pipe", "pipe"] });
    shell.stderr?.on("data", (text) => process.stderr.write(text));
    const [line] = (await (shell.stdout as Readable)[Symbol.asyncIterator]().next()).value
      .toString()
      .split("\n");
    return new Victim(Number(line), shell);
  }

  /** Our descriptor of what a waiting one reads from. */
  get goFd(): number {
    const streams: readonly unknown[] = this.#shell.stdio;
    return (streams[5] as { readonly _handle: { readonly fd: number } })._handle.fd;
  }

  /** The next answer; undefined where the victim has ended. */
  async answer(): Promise<string | undefined> {
    const { value, done } = await this.#answers.next();
    return done ? undefined : value.toString();
  }

  /** Makes the victim change its state. Resolves when it has, or has ended. Throws where it does neither. */
  async change(): Promise<void> {
    (this.#shell.stdio[3] as Writable).write("d");
    const answered = Promise.race([this.answer(), this.#ended]).then(() => true);
    if (!(await within(answerMs, answered)))
      throw new Error(`the victim does not answer within ${answerMs} ms`);
  }

  /** Ends it and everything it started. */
  async end(): Promise<void> {
    try {
      process.kill(this.pid, "SIGKILL");
    } catch {
      // It has ended by itself: that is what some victims do.
    }
    for (const stream of this.#shell.stdio) stream?.destroy();
    await this.#ended;
  }
}

/** The C program of test/native/victims with this name, built by `make -C native test-build`. */
export function victimProgram(name: string): string {
  return `${nativeFolder}victims/${name}`;
}

/** Runs `use` with a victim's checkpoint, taken after `before`, and leaves nothing behind. */
export async function withVictim(
  name: string,
  rung: Rung,
  use: (victim: Victim, checkpoint: ContainerCheckpoint) => Promise<void>,
  before: (victim: Victim) => Promise<void> = async () => {},
): Promise<void> {
  const victim = await Victim.start(victimProgram(name));
  try {
    await before(victim);
    const checkpoint = await ContainerCheckpoint.take([victim.pid], { rung });
    try {
      await use(victim, checkpoint);
    } finally {
      checkpoint.release();
    }
  } finally {
    await victim.end();
  }
}
