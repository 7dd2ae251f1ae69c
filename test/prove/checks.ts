// Promises about what no action can see: the host looks at the container itself, from one activation to the next.

import { writeFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import type { Sandbox } from "../../pool/index.ts";
import type { Family } from "../corpus.ts";
import { Ground, type GroundOptions, kindOf, memoryMB, rewoundBy } from "./ground.ts";
import { hostilePrelude } from "./hostile.ts";
import { complaintOfShownCode } from "./shown-code.ts";

type Check = (family: Family, options: Partial<GroundOptions>) => Promise<string | undefined>;

const idle = {
  nodejs: "const main = () => ({});",
  python: "def main(args): return {}",
  ruby: "def main(args) {} end",
} as const;

/** A job of more memory than its container was made for: afterwards the container has its own again. */
const memoryLimit: Check = async (family, options) => {
  const kind = options.kind ?? kindOf[family];
  const ownMB = memoryMB / 2;
  const made: Sandbox[] = [];
  const ground = await Ground.start({
    ...{ family, name: `limit-${family}` },
    ...options,
    pool: { ...options.pool, stemCells: [{ kind, count: 1, memoryMB: ownMB }] },
    change: (machine) => {
      const { change = (one) => one } = options;
      const { factory, ...others } = change(machine);
      const create: typeof factory.create = async (...order) => {
        const sandbox = await factory.create(...order);
        made.push(sandbox);
        return sandbox;
      };
      return { ...others, factory: Object.assign(Object.create(factory), { create }) };
    },
  });
  try {
    const before = made[0]?.memoryMB;
    let during: number | undefined;
    const beforeRelease = async (): Promise<void> => {
      during = made[0]?.memoryMB;
    };
    await ground.visit({ source: idle[family] }, {}, { beforeRelease });
    const after = made[0]?.memoryMB;
    if (before === ownMB && during === memoryMB && after === ownMB) return undefined;
    return `${before} MB before the job, ${during} during it, ${after} after it`;
  } finally {
    await ground.stop();
  }
};

/** Output that the host has not read by the end of the rewind is nobody's, and costs no container. */
const outputRest: Check = async (family, options) => {
  const rest = "the rest";
  const ground = await Ground.start({
    ...{ family, name: `rest-${family}` },
    ...options,
    change: (machine) => {
      const { change = (one) => one } = options;
      const { takeCheckpoint, ...others } = change(machine);
      return {
        ...others,
        takeCheckpoint: async (pids) => {
          const checkpoint = await takeCheckpoint?.(pids);
          let rewinds = 0;
          if (checkpoint === undefined) throw new Error("no rung is proven on this machine");
          const rewind: typeof checkpoint.rewind = async (how) => {
            const timings = await checkpoint.rewind(how);
            // As if it had been printed right before the freeze. The first rewind proves the checkpoint.
            if (rewinds++ > 0) writeFileSync(`/proc/${pids[0]}/fd/1`, `${rest}\n`);
            return timings;
          };
          return rewoundBy(checkpoint, rewind);
        },
      };
    },
  });
  try {
    const visits = [
      await ground.visit({ source: idle[family] }, {}),
      await ground.visit({ source: idle[family] }, {}),
    ];
    for (const { taint, logs } of visits) {
      if (taint !== undefined) return `the container was replaced: ${taint.reason}: ${taint.detail}`;
      if (logs.length > 0) return `somebody else's log has ${logs.join()}`;
    }
    return undefined;
  } finally {
    await ground.stop();
  }
};

/** TABLE_PASSING in native/inject.h: what lies before it is the process's own and the same for all. */
const passingAt = 24_576;

/** Reads what the process can see of the table by which it is put back. */
const tableReader = `
def main(args):
    with open("/proc/self/maps") as maps:
        start = next(int(line.split("-")[0], 16) for line in maps if "rewhisk-table" in line)
    with open("/proc/self/mem", "rb", 0) as memory:
        memory.seek(start + ${passingAt})
        return {"written": sum(byte != 0 for byte in memory.read(65536))}
`;

const clearedTable: Check = async (family, options) => {
  // The oracle clears the table that it has used itself.
  const ground = await Ground.start({ family, name: "table", verify: false, ...options });
  try {
    await ground.visit({ source: tableReader }, {});
    const { result } = await ground.visit({ source: tableReader }, {});
    const { written } = result as { written: number };
    return written === 0 ? undefined : `${written} bytes of the table tell what was put back`;
  } finally {
    await ground.stop();
  }
};

/** Reads a text that the process has had from its start, and may leave a thread that makes siblings which change it as they end. */
const haunting = `${hostilePrelude.python}
def main(args):
    text = act("peek", act("old_text"))
    if args.get("haunts"): act("haunt", act("old_text"), 1000)
    return {"text": text}
`;
/** Without the step, one in five is noticed. */
const hauntings = 25;

/** A process that shares the runtime's memory, born between the killing of the others and the freeze, could undo a rewind. */
const lateSiblings: Check = async (family, options) => {
  const ground = await Ground.start({ family, name: "siblings", verify: false, ...options });
  try {
    const fresh = await ground.visit({ source: haunting }, {});
    for (let i = 0; i < hauntings; i++) {
      const { result, taint } = await ground.visit({ source: haunting }, { haunts: true });
      if (taint !== undefined) return `the container was replaced: ${taint.reason}: ${taint.detail}`;
      if (!isDeepStrictEqual(result, fresh.result)) return "a sibling has changed the next owner's memory";
    }
    return undefined;
  } finally {
    await ground.stop();
  }
};

/** By name, as rows name them. */
export const checks: Readonly<Record<string, Check>> = {
  "memory-limit": memoryLimit,
  "output-rest": outputRest,
  "cleared-table": clearedTable,
  "late-siblings": lateSiblings,
  "shown-code": complaintOfShownCode,
};
