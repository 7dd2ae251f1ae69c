// Templates that outlive the invoker, each in a file of its own: written when one is made, read when an invoker starts.

import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { libraryFile, RestorerError, type Rung, Template } from "../restorer/index.ts";
import { requireOwn } from "./code-folder.ts";
import {
  describeIn,
  type Facts,
  type Files,
  firstDifference,
  machineFacts,
  mappedFiles,
} from "./fingerprint.ts";
import type { Hold } from "./hold.ts";
import type { SandboxFactory } from "./lean/types.ts";
import { systemClock, toldMs } from "./machine.ts";
import { readStored, StoredError, writeStored } from "./template-file.ts";

export interface TemplateStoreOptions {
  /** Made where it is missing. */
  readonly folder: string;
  /** Of the folder: nobody else's invoker uses it. Released at the end. */
  readonly hold?: Hold;
  /** Which kinds' templates are kept: one of each, without libraries. */
  readonly kinds: readonly string[];
  /** All that a kind's template must find again, but for the files that it has mapped. */
  readonly facts: (kind: string) => Facts;
  /** The machine's clock. */
  readonly nowMs: () => number;
}

export interface StoredTemplate {
  readonly template: Template;
  readonly bornMs: number;
  /** Throws StoredError where its files are not the same to a process, of which nothing runs yet; RestorerError where that has ended. */
  readonly requireSameFiles: (pid: number) => void;
}

/** Of this machine's containers. Undefined where their factory tells nothing of them. Throws as TemplateStore does. */
export function openTemplateStore(
  where: Pick<TemplateStoreOptions, "folder" | "hold">,
  factory: SandboxFactory,
  { rung, launcher }: { readonly rung: Rung; readonly launcher: string },
): TemplateStore | undefined {
  if (factory.facts === undefined) return undefined;
  const machine = machineFacts(rung, [libraryFile, launcher]);
  return new TemplateStore({
    ...where,
    kinds: factory.kinds(),
    facts: (kind) => ({ ...machine, ...factory.facts?.(kind) }),
    nowMs: () => toldMs(systemClock),
  });
}

const suffix = ".template";
const ownNames = /\.template(?:\.new)?$/;

export class TemplateStore {
  readonly #options: TemplateStoreOptions;
  /** By kind: what is done to its file comes in turn. */
  readonly #underWay = new Map<string, Promise<unknown>>();

  /** Removes what is of no use any more. Throws where the folder cannot be had, or is not to be trusted. */
  constructor(options: TemplateStoreOptions) {
    const { folder, kinds } = options;
    this.#options = options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    requireOwn(folder);
    if ((lstatSync(folder).mode & 0o077) !== 0)
      throw new Error(`${folder} is open to others: its mode must be 700`);
    const wanted = new Set(kinds.map((kind) => this.#pathOf(kind)));
    for (const name of readdirSync(folder).filter((one) => ownNames.test(one)))
      if (!wanted.has(join(folder, name))) rmSync(join(folder, name), { recursive: true, force: true });
  }

  /** Of these there is a file. */
  stored(): readonly string[] {
    const names = new Set(readdirSync(this.#options.folder));
    return this.#options.kinds.filter((kind) => names.has(nameOf(kind)));
  }

  /** Of a template that was born `bornMs`, or undefined where it is older than `oldestMs`. What is not loaded is removed. Throws StoredError. */
  load(kind: string, oldestMs: number): Promise<StoredTemplate | undefined> {
    return this.#inTurn(kind, async () => {
      try {
        const stored = await this.#read(kind, oldestMs);
        if (stored === undefined) await this.#discard(kind);
        return stored;
      } catch (error) {
        await this.#discard(kind);
        if (error instanceof StoredError) throw error;
        throw new StoredError("corrupt", (error as Error).message, { cause: error });
      }
    });
  }

  async #read(kind: string, oldestMs: number): Promise<StoredTemplate | undefined> {
    const { facts, nowMs } = this.#options;
    const { head, body } = await readStored(this.#pathOf(kind));
    const difference = head.base === kind ? firstDifference(head.facts, facts(kind)) : "kind";
    if (difference !== undefined) throw new StoredError("changed", `another ${difference}`);
    const ageMs = nowMs() - head.bornMs;
    if (ageMs < 0) throw new StoredError("clock", "it was made later than now");
    if (ageMs > oldestMs) return undefined;
    const template = await Template.load(body);
    return { template, bornMs: head.bornMs, requireSameFiles: (pid) => requireSame(head.files, pid) };
  }

  /** Writes the template of a process that nobody has used; its files are looked at at once. False: none of this kind is kept. Rejects with StoredError. */
  async keep(kind: string, template: Template, pid: number, bornMs: number): Promise<boolean> {
    const { kinds, facts } = this.#options;
    if (!kinds.includes(kind)) return false;
    try {
      const head = { base: kind, bornMs, facts: facts(kind), files: mappedFiles(pid) };
      await this.#inTurn(kind, () => writeStored(this.#pathOf(kind), head, template));
      return true;
    } catch (cause) {
      throw new StoredError("unwritable", (cause as Error).message, { cause });
    }
  }

  /** Never rejects. */
  remove(kind: string): Promise<void> {
    return this.#inTurn(kind, () => this.#discard(kind));
  }

  /** Whatever it is. What cannot be removed is refused again. */
  async #discard(kind: string): Promise<void> {
    await rm(this.#pathOf(kind), { recursive: true, force: true }).catch(() => undefined);
  }

  /** Resolves when nothing is written any more. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#underWay.values());
    await this.#options.hold?.release();
  }

  #pathOf(kind: string): string {
    return join(this.#options.folder, nameOf(kind));
  }

  #inTurn<Result>(kind: string, run: () => Promise<Result>): Promise<Result> {
    const before = this.#underWay.get(kind) ?? Promise.resolve();
    const turn = before.catch(() => undefined).then(run);
    this.#underWay.set(kind, turn);
    return turn;
  }
}

function nameOf(kind: string): string {
  return `${encodeURIComponent(kind)}${suffix}`;
}

/** Throws StoredError `changed`; RestorerError where the process has ended, which says nothing of the files. */
export function requireSame(files: Files, pid: number): void {
  const root = `/proc/${pid}/root`;
  let now: Files;
  try {
    now = describeIn(root, Object.keys(files));
  } catch (cause) {
    const { message } = cause as Error;
    if (!existsSync(root)) throw new RestorerError("process-gone", message, true);
    throw new StoredError("changed", message, { cause });
  }
  const path = firstDifference(files, now);
  if (path !== undefined) throw new StoredError("changed", `another ${path}`);
}
