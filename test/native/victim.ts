// Starts a victim (a small program that a test rewinds) as a process that libuv does not wait for.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { within } from "../../pool/index.ts";
import { ContainerCheckpoint, nativeFolder, type Rung } from "../../restorer/index.ts";

const answerMs = 20_000;

/** A started victim: `pid` as the host sees it. */
export class Victim {
  readonly pid: number;
  readonly #shell: ChildProcess;
  readonly #answers: AsyncIterator<Buffer>;
  /** The shell waits for the victim; a checkpoint holds the answers' pipe open, so that its end says nothing. */
  readonly #ended: Promise<unknown>;

  private constructor(pid: number, shell: ChildProcess) {
    this.pid = pid;
    this.#shell = shell;
    this.#ended = once(shell, "exit");
    this.#answers = (shell.stdio[4] as Readable)[Symbol.asyncIterator]();
  }

  /** Started through a shell: a process traced here must not be Node's own child. Resolves when it has prepared itself. */
  static async start(program: string): Promise<Victim> {
    const script = '"$0" 3<&3 4>&4 </dev/null & echo $!; exec 3<&- 4>&-; wait';
    // No file is shared with others: where stderr is one, whoever else writes there moves the victim's position.
    const shell = spawn("/bin/sh", ["-c", script, program], {
      stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
    });
    shell.stderr?.on("data", (text) => process.stderr.write(text));
    const [line] = (await (shell.stdout as Readable)[Symbol.asyncIterator]().next()).value
      .toString()
      .split("\n");
    const victim = new Victim(Number(line), shell);
    await victim.answer();
    return victim;
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
