// Messages to the next activation: one program tries to leave one, another to read it, with the rewind and without.

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { type Family, type Json, type JsonObject, show } from "../corpus.ts";
import { Ground, type GroundOptions, type Program, type Visit } from "./ground.ts";
import { hostilePrelude } from "./hostile.ts";
import { messageFile, type PromiseRow } from "./promises.ts";
import {
  type Attempt,
  areFiltered,
  attemptsOf,
  complaintOfControls,
  complaintOfRefusals,
  withoutFilter,
} from "./refusals.ts";

/** Makes an action of the two functions that a file defines. */
const asAction: Readonly<Record<Family, (own: string) => string>> = {
  nodejs: (own) => `const { leave, read } = ((module) => {\n${own}\nreturn module.exports; })({});
async function main({ mark }) { return { said: mark === undefined ? await read() : await leave(mark) }; }`,
  python: (own) => `${own}
def main(args): return {'said': read() if args.get('mark') is None else leave(args['mark'])}`,
  ruby: (own) => `${own}
def main(args)
  { said: args['mark'].nil? ? read : leave(args['mark']) }
end`,
};

/** The program that leaves where it is given a mark, and reads where it is not. */
function programOf(family: Family, name: string): Program {
  const own = readFileSync(messageFile(family, name), "utf8");
  return { source: `${hostilePrelude[family]}\n${asAction[family](own)}\n` };
}

function said({ result }: Visit): Json | undefined {
  return (result as JsonObject | undefined)?.said;
}

interface Unfiltered {
  readonly ground: Ground;
  readonly remove: () => void;
}

interface BoardOptions {
  readonly atLevel: boolean;
  readonly openUnfiltered: (() => Promise<Unfiltered>) | undefined;
}

/**
 * Pools of one container: in one all is rewound and verified, in another nothing, and the containers of the third have no filter
 * and are used once.
 */
export class MessageBoard {
  readonly #family: Family;
  readonly #rewound: Ground;
  readonly #kept: Ground;
  readonly #atLevel: boolean;
  readonly #openUnfiltered: (() => Promise<Unfiltered>) | undefined;
  #unfiltered: Promise<Unfiltered> | undefined;

  private constructor(
    family: Family,
    rewound: Ground,
    kept: Ground,
    { atLevel, openUnfiltered }: BoardOptions,
  ) {
    this.#family = family;
    this.#atLevel = atLevel;
    this.#rewound = rewound;
    this.#kept = kept;
    this.#openUnfiltered = openUnfiltered;
  }

  static async open(family: Family, options: Partial<GroundOptions> = {}): Promise<MessageBoard> {
    const { kind = family, rung, atLevel = false } = options;
    const rewound = await Ground.start({ family, name: `messages-${kind}`, ...options });
    const kept = await Ground.start({
      family,
      name: `kept-${kind}`,
      ...options,
      pool: { rewind: "on-change" },
    });
    const openUnfiltered = async (): Promise<Unfiltered> => {
      const { folder, remove } = withoutFilter();
      const pool = { usesBeforeRetirement: 1 };
      const name = `unfiltered-${kind}`;
      return { ground: await Ground.start({ family, ...options, name, repository: folder, pool }), remove };
    };
    // No rung has to do with the filter: where one is asked for, the control has been or will be made without.
    const isControlled = rung === undefined && !atLevel;
    return new MessageBoard(family, rewound, kept, {
      atLevel,
      openUnfiltered: isControlled ? openUnfiltered : undefined,
    });
  }

  async close(): Promise<void> {
    await this.#rewound.stop();
    await this.#kept.stop();
    const unfiltered = await this.#unfiltered;
    await unfiltered?.ground.stop();
    unfiltered?.remove();
  }

  /** Says in words how the row's promise is not kept for this message; undefined where it is. */
  async complaint(row: PromiseRow, message: string): Promise<string | undefined> {
    const program = programOf(this.#family, message);
    const mark = randomBytes(16).toString("hex");
    // Each message is an action of its own.
    const owner = message;
    const fresh = await this.#rewound.visitFirst(program, {}, { owner });
    if (said(fresh) === undefined) return `cannot be read: ${show(fresh.result ?? fresh.outcome)}`;
    if (fresh.taint !== undefined) return `reading it costs the container: ${fresh.taint.detail}`;
    const left = await this.#rewound.visit(program, { mark }, { owner });
    const after = await this.#rewound.visit(program, {}, { owner });
    return (
      this.#misplaced(fresh, left, after, row) ??
      this.#judge(row, left) ??
      (isDeepStrictEqual(said(after), said(fresh))
        ? undefined
        : `the next one reads ${show(said(after) ?? after.outcome)} instead of ${show(said(fresh) as Json)}`) ??
      (await this.#control(row, message, { mark, left }))
    );
  }

  /** At an action checkpoint all but the first must begin there: else nothing is proved of it. */
  #misplaced(fresh: Visit, left: Visit, after: Visit, { decision }: PromiseRow): string | undefined {
    if (!this.#atLevel) return undefined;
    if (left.start !== "warm") return `there is no action checkpoint: ${fresh.refused}`;
    if (after.start === "warm" || decision === "replaced") return undefined;
    return `it was not come back to: ${left.taint?.detail ?? after.start}`;
  }

  /** What became of the leaving program and of its container. */
  #judge(row: PromiseRow, left: Visit): string | undefined {
    const { decision, reason } = row;
    const { taint } = left;
    if (decision === "replaced") {
      if (taint?.reason === reason) return undefined;
      return `expected ${reason}, but ${taint === undefined ? "the container was kept" : `${taint.reason}: ${taint.detail}`}`;
    }
    if (taint !== undefined) return `the container was replaced: ${taint.reason}: ${taint.detail}`;
    const word = said(left);
    if (decision === "denied") {
      const attempts = attemptsOf(word);
      if (attempts === undefined) return `no attempts: ${show(word ?? left.result ?? left.outcome)}`;
      return complaintOfRefusals(row, attempts);
    }
    return word === "left" ? undefined : `could not be left: ${show(left.result ?? left.outcome)}`;
  }

  /** The proof itself must be able to fail. */
  async #control(
    row: PromiseRow,
    message: string,
    { mark, left }: { mark: string; left: Visit },
  ): Promise<string | undefined> {
    const program = programOf(this.#family, message);
    if (row.decision === "put back") return await this.#controlReading(program, mark);
    const attempts = attemptsOf(said(left)) ?? [];
    // One family is enough for a filter that knows none.
    const isDone = this.#family !== "python" && existsSync(messageFile("python", message));
    return areFiltered(attempts) && !isDone ? await this.#controlRefusals(row, program, attempts) : undefined;
  }

  /** Where nothing is filtered the calls must be done, or refused otherwise: else the filter's refusal proves nothing. */
  async #controlRefusals(
    row: PromiseRow,
    program: Program,
    attempts: readonly Attempt[],
  ): Promise<string | undefined> {
    this.#unfiltered ??= this.#openUnfiltered?.();
    const ground = (await this.#unfiltered)?.ground;
    if (ground === undefined) return undefined;
    const visit = await ground.visit(program, { mark: randomBytes(16).toString("hex") });
    const unfiltered = attemptsOf(said(visit));
    if (unfiltered === undefined) return `without the filter: ${show(visit.result ?? visit.outcome)}`;
    return complaintOfControls(row, attempts, unfiltered);
  }

  /** Where nothing is rewound the reading must see it: else it proves nothing. */
  async #controlReading(program: Program, mark: string): Promise<string | undefined> {
    const owner = mark;
    const before = await this.#kept.visit(program, {}, { owner });
    await this.#kept.visit(program, { mark }, { owner });
    const after = await this.#kept.visit(program, {}, { owner });
    const mute = [before, after].find((visit) => said(visit) === undefined);
    if (mute !== undefined) return `without a rewind: ${show(mute.result ?? mute.outcome)}`;
    return isDeepStrictEqual(said(before), said(after))
      ? "without a rewind nothing is read either"
      : undefined;
  }
}
