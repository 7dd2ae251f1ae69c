// Canary search: a fresh mark is spread over a container, and after the rewind nothing that can be read there holds it.

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Machine } from "../../pool/index.ts";
import { nativeFolder } from "../../restorer/index.ts";
import { type Family, type Json, type JsonObject, show } from "../corpus.ts";
import { watched } from "../system/watched.ts";
import { Ground, type GroundOptions } from "./ground.ts";
import { hostilePrelude } from "./hostile.ts";
import { formsOf, freshMark, type Pieces, piecesOf } from "./mark.ts";
import { endings, proveFolder } from "./promises.ts";

/** Data of the kernel, which it lets nobody but the process itself read; from inside they are searched. */
const unreadable = /^! memory \S+ \[vvar(_vclock)?\]/;

const searchTimeoutMs = 30_000;
const searchOutputBytes = 1 << 26;

/** Where a mark that was spread must be found: at least once each, from inside and from outside. */
const places: Readonly<Record<string, RegExp>> = {
  "the heap": /^memory \S+ \[heap\]/,
  "the stack": /^memory \S+ \[stack\]/,
  "anonymous memory": /^memory \S+ anonymous/,
  "shared memory": /^memory \S+ \/dev\/zero/,
  "a memory file": /^memory \S+ \/memfd:canary/,
  "a mapped file": /^memory \S+ \/dev\/shm\/deleted/,
  "a deleted file": /^descriptor/,
  "a pipe": /^pipe/,
  "a socket": /^socket/,
  "a file": /^file \S+\/content/,
  "a file's name": /^name/,
  "an attribute": /^attribute/,
  "a link": /^link \S+\/link /,
  "the working directory": /^link \S+\/cwd /,
  "the environment": /^file \S+\/environ /,
  "arguments of a process": /^file \S+\/cmdline /,
  "a thread's name": /^file \S+\/comm /,
  "a socket's name": /^file \S+\/net\/unix /,
  "what /proc says of descriptors": /^file \S+\/fdinfo\//,
};
const outsideOnly: typeof places = { registers: /^registers/ };

/** Where the mark was found: its form and the place. */
interface Find {
  readonly form: string;
  readonly where: string;
}

/** What the searches of one mark found: from inside by an action, from outside by the host. */
interface Finds {
  readonly inside: readonly Find[];
  readonly outside: readonly Find[];
}

const nothing: Finds = { inside: [], outside: [] };

export interface CanaryReport {
  readonly family: Family;
  readonly marks: number;
  /** Before the rewind: in how many places and forms the mark was found that was found least often. */
  readonly foundBefore: number;
  /** Before the rewind: places and forms in which a mark was not found, although it was there. */
  readonly missedBefore: readonly string[];
  /** After the rewind: every find, in words. */
  readonly foundAfter: readonly string[];
  /** Why containers were replaced, with which a mark is gone and another is spread: a busy machine kills too slowly. */
  readonly replaced: readonly string[];
}

/** One container in so many may be replaced. */
const marksPerReplaced = 10;

export interface CanaryOptions extends Omit<GroundOptions, "name"> {
  readonly marks: number;
}

/**
 * Spreads `marks` marks and looks for them, one after the other in one container. Throws where one could not be spread, or
 * too many containers were replaced.
 */
export async function canary({ marks, family, ...options }: CanaryOptions): Promise<CanaryReport> {
  const cage = await Cage.open(family, options);
  const missedBefore: string[] = [];
  const foundAfter: string[] = [];
  const replaced: string[] = [];
  let foundBefore = Number.POSITIVE_INFINITY;
  try {
    for (let done = 0; done < marks; ) {
      const { pieces, before, after, taint } = await cage.free();
      missedBefore.push(...missed(before, pieces));
      foundAfter.push(...inWords(after));
      foundBefore = Math.min(foundBefore, before.inside.length, before.outside.length);
      if (taint === undefined) done++;
      else replaced.push(taint);
      if (replaced.length > 1 + marks / marksPerReplaced) throw new Error(`replaced: ${replaced.join(", ")}`);
    }
  } finally {
    await cage.close();
  }
  return { family, marks, foundBefore, missedBefore, foundAfter, replaced };
}

function missed(finds: Finds, { forms }: Pieces): readonly string[] {
  return (["inside", "outside"] as const).flatMap((from) => {
    const found = finds[from];
    const expected = Object.entries(from === "inside" ? places : { ...places, ...outsideOnly });
    return [
      ...expected.filter(([, where]) => !found.some((find) => where.test(find.where))).map(([what]) => what),
      ...forms.filter((form) => !found.some((find) => find.form === form)),
    ].map((what) => `from ${from}: ${what}`);
  });
}

function inWords(finds: Finds): readonly string[] {
  return (["inside", "outside"] as const).flatMap((from) =>
    finds[from].map(({ form, where }) => `from ${from}: ${form} in ${where}`),
  );
}

/** What `seek` printed. Throws where something could not be read that another search does not see. */
function findsIn(printed: string, { forms }: Pieces): readonly Find[] {
  const lines = printed.split("\n").filter(Boolean);
  const unseen = lines.filter((line) => line.startsWith("!") && !unreadable.test(line));
  if (unseen.length > 0) throw new Error(`cannot be read: ${unseen.slice(0, 10).join(", ")}`);
  return lines
    .filter((line) => !line.startsWith("!"))
    .map((line) => {
      const [, form, where = ""] = /^(\d+) (.*)$/.exec(line) ?? [];
      return { form: forms[Number(form)] ?? line, where };
    });
}

interface Freed {
  readonly pieces: Pieces;
  readonly before: Finds;
  readonly after: Finds;
  /** Why the container was replaced instead of rewound. */
  readonly taint: string | undefined;
}

/** One container, and the means to search it. */
class Cage {
  readonly #ground: Ground;
  readonly #source: string;
  readonly #atLevel: boolean;
  readonly #pid: () => number;
  readonly #folder = mkdtempSync(join(tmpdir(), "rewhisk-canary-"));

  private constructor(ground: Ground, source: string, atLevel: boolean, pid: () => number) {
    this.#ground = ground;
    this.#source = source;
    this.#atLevel = atLevel;
    this.#pid = pid;
  }

  static async open(family: Family, options: Omit<CanaryOptions, "marks" | "family">): Promise<Cage> {
    let pid = 0;
    const change = (machine: Machine): Machine => {
      const changed = options.change?.(machine) ?? machine;
      const factory = watched(changed.factory, ({ runtimePid }) => {
        pid = runtimePid;
      });
      return { ...changed, factory };
    };
    const ground = await Ground.start({
      verify: false,
      ...options,
      family,
      name: `canary-${family}`,
      change,
    });
    const own = readFileSync(`${proveFolder}canary/canary.${endings[family]}`, "utf8");
    return new Cage(ground, hostilePrelude[family] + own, options.atLevel === true, () => pid);
  }

  async close(): Promise<void> {
    await this.#ground.stop();
    rmSync(this.#folder, { recursive: true });
  }

  /** One mark: spread, looked for before the rewind and after it. */
  async free(): Promise<Freed> {
    const mark = freshMark();
    const hex = mark.toString("hex");
    const pieces = piecesOf(mark);
    const asked = { pieces: pieces.file.toString("base64") };
    let before = nothing;
    // Whoever looks at an action checkpoint is of the same action, in whose code and init the mark cannot be.
    const own = this.#atLevel ? this.#source : this.#source.replace("@MARK@", hex);
    if (this.#atLevel) await this.#ground.visitFirst({ source: this.#source }, asked);
    const spread = await this.#ground.visit(
      { source: own },
      {
        mark: hex,
        forms: formsOf(mark).map(({ bytes }) => bytes.toString("base64")),
        isInCode: !this.#atLevel,
      },
      {
        environment: { CANARY: hex },
        beforeRelease: async (again) => {
          const outside = await this.#searchFromOutside(pieces);
          before = { outside, inside: findsIn(foundBy(await again(asked)), pieces) };
        },
      },
    );
    if ((spread.result as JsonObject | undefined)?.spread !== true)
      throw new Error(`not spread: ${show(spread.result ?? spread.outcome)}`);
    if (spread.taint !== undefined) return { pieces, before, after: nothing, taint: spread.taint.detail };
    const outside = await this.#searchFromOutside(pieces);
    const looked = await this.#ground.visit({ source: this.#source }, asked);
    if (this.#atLevel && looked.start !== "warm")
      throw new Error(`a ${looked.start} start, not at its checkpoint`);
    const after = { outside, inside: findsIn(foundBy(looked.result), pieces) };
    return { pieces, before, after, taint: undefined };
  }

  async #searchFromOutside(pieces: Pieces): Promise<readonly Find[]> {
    const file = join(this.#folder, "pieces");
    writeFileSync(file, pieces.file);
    const { stdout } = await promisify(execFile)(`${nativeFolder}seek`, [file, String(this.#pid())], {
      encoding: "latin1",
      timeout: searchTimeoutMs,
      maxBuffer: searchOutputBytes,
    });
    return findsIn(stdout, pieces);
  }
}

function foundBy(result: Json | undefined): string {
  const { found } = (result ?? {}) as JsonObject;
  if (typeof found !== "string") throw new Error(`not searched: ${show(result ?? "no answer")}`);
  return found;
}
