// A process that is booted from another one's checkpoint equals it, goes on as it would, and is rewound as it is.

import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  rmdirSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { chooseUnifiedBase, parseMounts, parseOwnCgroup } from "../../pool/lean/cgroup-tree.ts";
import { ContainerCheckpoint, type Embryo, RestorerError, type Rung } from "../../restorer/index.ts";
import { loadPromises } from "../prove/promises.ts";
import { holdsWithin } from "../within.ts";
import { lowestGapKB, Victim, victimProgram } from "./victim.ts";

const rung: Rung = "write-protect";

type Use = (victim: Victim, checkpoint: ContainerCheckpoint) => Promise<void>;

/** With the checkpoint of a victim; `use` is given the victim as well, which is ended afterwards. */
async function withImage(name: string, use: Use, start = Victim.startAlone): Promise<void> {
  const template = await start(victimProgram(name));
  try {
    const image = await ContainerCheckpoint.take([template.pid], { rung });
    try {
      await use(template, image);
    } finally {
      image.release();
    }
  } finally {
    await template.end();
  }
}

async function bootFrom(
  image: ContainerCheckpoint,
  victim: Victim,
  verify: boolean,
): Promise<ContainerCheckpoint> {
  const template = image.template();
  try {
    return await ContainerCheckpoint.boot(template, victim, { verify });
  } finally {
    template.release();
  }
}

/** With a process that waits to be booted from `image`, and its checkpoint once it was. */
async function withBooted(name: string, image: ContainerCheckpoint, use: Use): Promise<void> {
  const victim = await Victim.startWaiting(victimProgram(name));
  try {
    const booted = await bootFrom(image, victim, true);
    try {
      await use(victim, booted);
    } finally {
      booted.release();
    }
  } finally {
    await victim.end();
  }
}

/** With an embryo of `image`, and its id. */
async function withEmbryo(
  name: string,
  image: ContainerCheckpoint,
  use: (embryo: Embryo, pid: number) => Promise<void>,
): Promise<void> {
  const waiting = await Victim.startWaitingHere(victimProgram(name));
  try {
    const template = image.template();
    const embryo = await template.embryo(waiting, () => waiting.end()).finally(() => template.release());
    try {
      await use(embryo, waiting.pid);
    } finally {
      embryo.release();
    }
  } finally {
    await waiting.end();
  }
}

/** With a process that is born of it, and its checkpoint. */
async function withBornOf(embryo: Embryo, use: Use, joinFiles: readonly string[] = []): Promise<void> {
  const vacant = await Victim.startVacant();
  try {
    const vacancy = { ...vacant.vacancy, joinFiles };
    const born = await ContainerCheckpoint.bootFrom(embryo, vacancy, { verify: true });
    try {
      await use(vacant.adopt(), born);
    } finally {
      born.release();
    }
  } finally {
    await vacant.end();
  }
}

/** With a process that was born of an embryo of `image`, and its checkpoint. */
async function withBorn(name: string, image: ContainerCheckpoint, use: Use): Promise<void> {
  await withEmbryo(name, image, (embryo) => withBornOf(embryo, use));
}

/** What these have at the checkpoint cannot be made anew. */
const refused: Readonly<Record<string, RegExp>> = {
  "descriptors-passed": /descriptor 5 \(socket:.* cannot be made anew/,
  "options-changed": /descriptor 5 \(socket:.* cannot be made anew/,
  "objects-changed": /descriptor 12 \(socket:.* cannot be made anew/,
  "times-changed": /descriptor 7 \(socket:.* cannot be made anew/,
  "locks-left": /No such file or directory/,
  "flags-changed": /No such file or directory/,
  "guard-accounted": /injected calls failed/,
  "text-deleted": /injected calls failed/,
  "filter-added": /was "NoNewPrivs:\t1"/,
  "file-watched": /descriptor 5 \(anon_inode:inotify\) cannot be made anew/,
  "timer-descriptor-set": /descriptor 5 \(anon_inode:\[timerfd\]\) cannot be made anew/,
  "watch-changed": /descriptor 5 \(anon_inode:\[signalfd\]\) cannot be made anew/,
};

/** Of all sorts of state that a rewind puts back; and of what only a boot has to make. */
const victims = [
  ...loadPromises()
    .flatMap(({ rows }) => rows)
    .filter(({ decision }) => decision === "put back")
    .flatMap(({ proofs }) => proofs)
    .flatMap((proof) => ("victim" in proof && (proof.rungs?.includes(rung) ?? true) ? [proof.victim] : []))
    .filter((name) => refused[name] === undefined),
  ...["boot-objects", "boot-zeroes", "boot-advice", "boot-threads", "boot-stack", "boot-divided"],
];

/** A cgroup of version 1 and one of version 2, where there are such: with the file by which a single thread joins. */
function makeCgroups(): { readonly folder: string; readonly name: string; readonly joinFile: string }[] {
  const mounts = parseMounts(readFileSync("/proc/self/mountinfo", "utf8"));
  const own = parseOwnCgroup(readFileSync("/proc/self/cgroup", "utf8"));
  const unified = mounts.find(({ version }) => version === 2);
  const bases = [
    mounts.find(({ version, options }) => version === 1 && options.includes("pids"))?.mountPoint,
    unified && chooseUnifiedBase(unified, own),
  ];
  const name = `rewhisk-boot-test-${process.pid}`;
  return bases.flatMap((base, index) => {
    if (base === undefined) return [];
    const folder = join(base, name);
    mkdirSync(folder);
    return [{ folder, name, joinFile: join(folder, index === 0 ? "tasks" : "cgroup.procs") }];
  });
}

/** As soon as nobody is left in it. */
function isRemoved(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

/** As /proc shows a process: what names it, and where it believes its parts to be. */
function appearance(pid: number): readonly string[] {
  const read = (name: string): string => readFileSync(`/proc/${pid}/${name}`, "latin1");
  const stat = read("stat");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // Those of proc_pid_stat(5) that tell of code, stack, data, heap, arguments and environment.
  const limits = [26, 27, 28, 45, 46, 47, 48, 49, 50, 51].map((number) => fields[number - 3]);
  const links = ["exe", "cwd", "root"].map((name) => readlinkSync(`/proc/${pid}/${name}`));
  return [...limits, ...links, ...["cmdline", "environ", "auxv", "comm", "personality"].map(read)].map(
    String,
  );
}

/** But for what are the files of our own mappings. */
function layout(pid: number): string {
  return readFileSync(`/proc/${pid}/maps`, "latin1").replaceAll(
    / \d+ +(?=\/memfd:rewhisk-(code|table) )/g,
    " ",
  );
}

describe("a process booted from a checkpoint", () => {
  for (const name of new Set(victims))
    it(`equals it, answers, and is rewound to it: ${name.replaceAll("-", " ")}`, () =>
      withImage(name, async (template, image) => {
        await template.end();
        await withBooted(name, image, async (victim, checkpoint) => {
          for (let i = 0; i < 3; i++) {
            await victim.change();
            expect(await checkpoint.rewind({ verify: true })).to.include({ verified: true });
          }
          await victim.change();
        });
      }));

  for (const name of new Set(victims))
    it(`does so as well where it shares the memory of an embryo: ${name.replaceAll("-", " ")}`, () =>
      withImage(
        name,
        async (template, image) => {
          await template.end();
          await withBorn(name, image, async (victim, checkpoint) => {
            for (let i = 0; i < 3; i++) {
              await victim.change();
              expect(await checkpoint.rewind({ verify: true })).to.include({ verified: true });
            }
            await victim.change();
          });
        },
        Victim.startPlain,
      ));

  it("is found to differ where it shares memory no more and has other bytes in it", () =>
    withImage(
      "memory-written",
      (_, image) =>
        withBorn("memory-written", image, async (victim, checkpoint) => {
          expect(await checkpoint.verify()).to.equal(undefined);
          const [, end = ""] = /-([0-9a-f]+) .*\[stack\]$/m.exec(layout(victim.pid)) ?? [];
          const at = Number.parseInt(end, 16) - 16;
          const memory = openSync(`/proc/${victim.pid}/mem`, "r+");
          const byte = Buffer.alloc(1);
          readSync(memory, byte, 0, 1, at);
          writeSync(memory, Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, at);
          closeSync(memory);
          expect(await checkpoint.verify()).to.match(/\[stack\].*byte is/);
          expect(await checkpoint.rewind({ verify: true })).to.include({ verified: true });
          expect(await checkpoint.verify()).to.equal(undefined);
        }),
      Victim.startPlain,
    ));

  it("is found to differ whichever page of what it shares has another byte", () =>
    withImage(
      "memory-written",
      (_, image) =>
        withBorn("memory-written", image, async (victim, checkpoint) => {
          const ranges = Array.from(
            layout(victim.pid).matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw-p /gm),
            ([, ...ends]) => ends.map((end) => Number.parseInt(end, 16)),
          );
          const [first = 0] = ranges.find(([start = 0, end = 0]) => end - start >= 8 << 20) ?? [];
          expect(first).to.not.equal(0);
          // The oracle asks for the frames of 512 at a time; so many have been written to before the checkpoint.
          const pages = [0, 1, 2, 254, 255, 256, 510, 511, 512, 513, 2047].map((page) => first + page * 4096);
          const memory = openSync(`/proc/${victim.pid}/mem`, "r+");
          const byte = Buffer.alloc(1);
          for (const at of pages) {
            readSync(memory, byte, 0, 1, at);
            writeSync(memory, Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, at);
            expect(await checkpoint.verify()).to.match(/byte is/);
            writeSync(memory, byte, 0, 1, at);
            expect(await checkpoint.verify(), "its own, and equal").to.equal(undefined);
          }
          closeSync(memory);
        }),
      Victim.startPlain,
    ));

  for (const name of ["memory-written", "break-regrown", "break-regrown-deep"])
    it(`is put back to a level over it as well, where it shares memory: ${name.replaceAll("-", " ")}`, () =>
      withImage(
        name,
        (_, image) =>
          withBorn(name, image, async (victim, checkpoint) => {
            await victim.change();
            await checkpoint.takeLevel();
            for (let i = 0; i < 3; i++) {
              await victim.change();
              expect(await checkpoint.rewind({ verify: true, to: "level" })).to.include({ verified: true });
            }
            expect(await checkpoint.rewind({ verify: true })).to.include({ verified: true });
            await victim.change();
            expect(await checkpoint.rewind({ verify: true })).to.include({ verified: true });
          }),
        Victim.startPlain,
      ));

  it("looks to others as the checkpointed one does, too, where it was born of an embryo", () =>
    withImage(
      "boot-threads",
      (template, image) =>
        withBorn("boot-threads", image, async (victim) => {
          expect(appearance(victim.pid)).to.deep.equal(appearance(template.pid));
          expect(layout(victim.pid)).to.equal(layout(template.pid));
        }),
      Victim.startPlain,
    ));

  it("is born in its own container also where the embryo has not come to rest since the last birth", () =>
    withImage(
      "memory-written",
      (_, image) =>
        withEmbryo("memory-written", image, async (embryo, pid) => {
          // Whoever is stopped by a signal does not run a single instruction between two births.
          process.kill(pid, "SIGSTOP");
          for (let i = 0; i < 3; i++)
            await withBornOf(embryo, async (victim, checkpoint) => {
              await victim.change();
              expect(await checkpoint.rewind({ verify: true })).to.include({ verified: true });
            });
        }),
      Victim.startPlain,
    ));

  it("is in the cgroups of its container, of both versions, with all its threads", () =>
    withImage(
      "boot-threads",
      (_, image) =>
        withEmbryo("boot-threads", image, async (embryo) => {
          const made = makeCgroups();
          try {
            const files = made.map(({ joinFile }) => joinFile);
            await withBornOf(
              embryo,
              async (victim, checkpoint) => {
                for (const { name, joinFile } of made) {
                  expect(readFileSync(joinFile, "latin1").split("\n")).to.include(String(victim.pid));
                  for (const tid of readdirSync(`/proc/${victim.pid}/task`))
                    expect(readFileSync(`/proc/${victim.pid}/task/${tid}/cgroup`, "latin1")).to.include(name);
                }
                await victim.change();
                expect(await checkpoint.rewind({ verify: true })).to.include({ verified: true });
              },
              files,
            );
          } finally {
            for (const { folder } of made) await holdsWithin(10_000, () => isRemoved(folder));
          }
        }),
      Victim.startPlain,
    ));

  it("looks to others as the checkpointed one does, which lives on beside it", () =>
    withImage("boot-threads", (template, image) =>
      withBooted("boot-threads", image, async (victim, checkpoint) => {
        expect(appearance(victim.pid)).to.deep.equal(appearance(template.pid));
        expect(layout(victim.pid)).to.equal(layout(template.pid));
        await template.change();
        await victim.change();
        expect(await image.rewind({ verify: true })).to.include({ verified: true });
        expect(await checkpoint.rewind({ verify: true })).to.include({ verified: true });
      }),
    ));

  it("can be booted from in turn", () =>
    withImage("boot-objects", (_, image) =>
      withBooted("boot-objects", image, (first, checkpoint) =>
        withBooted("boot-objects", checkpoint, async (second, last) => {
          await first.change();
          await second.change();
          expect(await last.rewind({ verify: true })).to.include({ verified: true });
          expect(await checkpoint.rewind({ verify: true })).to.include({ verified: true });
        }),
      ),
    ));
});

/** The first one of a file whose name has `name` in it. */
function mappingOf(pid: number, name: string): { readonly start: number; readonly end: number } {
  const line = readFileSync(`/proc/${pid}/maps`, "latin1")
    .split("\n")
    .find((text) => text.includes(name));
  const [start = Number.NaN, end = Number.NaN] = (line ?? "")
    .split(/[- ]/)
    .map((word) => Number(`0x${word}`));
  return { start, end };
}

/** Code and message of the error with which a boot fails, after which its process is gone. */
async function refusal(image: ContainerCheckpoint, victim: Victim): Promise<RestorerError> {
  try {
    const booted = await bootFrom(image, victim, false).catch((error: unknown) => error);
    expect(booted).to.be.instanceOf(RestorerError);
    expect(await victim.answer()).to.equal(undefined);
    return booted as RestorerError;
  } finally {
    await victim.end();
  }
}

describe("a boot", () => {
  for (const [name, why] of Object.entries(refused))
    it(`refuses, and ends the process, what cannot be made anew: ${name.replaceAll("-", " ")}`, () =>
      withImage(name, async (_, image) => {
        const error = await refusal(image, await Victim.startWaiting(victimProgram(name)));
        expect(error.message).to.match(why);
        expect(error.untouched).to.equal(false);
      }));

  it("makes its first calls although all text of the process that makes any lies where our own mappings will", async () => {
    const program = victimProgram("memory-written");
    await withImage(
      "memory-written",
      async ({ pid }, image) => {
        const [ours, loader] = [mappingOf(pid, "rewhisk-image"), mappingOf(pid, "ld-linux")];
        const downKB = (loader.start - (ours.start + ours.end) / 2) / 1024;
        const victim = await Victim.startWaiting(program, lowestGapKB + 4 * Math.round(downKB / 4));
        try {
          const booted = await bootFrom(image, victim, true);
          await victim.change();
          expect(await booted.rewind({ verify: true })).to.include({ verified: true });
          booted.release();
        } finally {
          await victim.end();
        }
      },
      () => Victim.startAlone(program, lowestGapKB),
    );
  });

  it("refuses a process that has another id to itself", () =>
    withImage("memory-written", async (_, image) => {
      const error = await refusal(image, await Victim.startWaitingHere(victimProgram("memory-written")));
      expect(error).to.include({ code: "unsupported", untouched: false });
      expect(error.message).to.match(/was 2 to itself, and is \d+/);
    }));

  it("refuses a process that executes another program", () =>
    withImage("memory-written", async (_, image) => {
      const error = await refusal(image, await Victim.startWaiting(victimProgram("boot-stack")));
      expect(error.message).to.match(/executes another program than the template/);
    }));

  it("says so where the process ends instead of executing a program", () =>
    withImage("memory-written", async (_, image) => {
      const error = await refusal(image, await Victim.startWaiting("/nonexistent"));
      expect(error).to.include({ code: "process-gone", untouched: false });
    }));
});
