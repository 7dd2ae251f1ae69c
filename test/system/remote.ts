// Calls functions of another process, which may be in another network namespace: one JSON line for each call and each answer.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

type Methods = Readonly<Record<string, (...args: never[]) => unknown>>;

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** In the other process: answers until its input ends, then calls `close`. */
export async function serve(methods: Methods, close: () => Promise<void>): Promise<void> {
  const answer = async (line: string): Promise<void> => {
    const { id, name, args } = JSON.parse(line) as { id: number; name: string; args: never[] };
    const said: Answer = await Promise.resolve()
      .then(() => methods[name]?.(...args))
      .then(
        (value) => ({ id, value: value ?? null }),
        (error: unknown) => ({ id, error: String(error) }),
      );
    process.stdout.write(`${JSON.stringify(said)}\n`);
  };
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => void answer(line));
  await once(lines, "close");
  await close();
}

/** The other process as its parent sees it. */
export class Remote {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #ended: Promise<unknown>;
  #calls = 0;

  constructor(command: readonly string[]) {
    const [program = "", ...args] = command;
    this.#child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#ended = once(this.#child, "close").then(() => {
      for (const [id, settle] of this.#waiting) settle({ id, error: "the other process has ended" });
    });
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      const answer = JSON.parse(line) as Answer;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  /** Throws what the function threw, as text. */
  async call(name: string, ...args: readonly unknown[]): Promise<unknown> {
    const id = ++this.#calls;
    const answered = new Promise<Answer>((settle) => this.#waiting.set(id, settle));
    this.#child.stdin?.write(`${JSON.stringify({ id, name, args })}\n`);
    const { value, error } = await answered;
    if (error !== undefined) throw new Error(error);
    return value;
  }

  async end(): Promise<void> {
    this.#child.stdin?.end();
    await this.#ended;
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
