// A level over a checkpoint: what a victim was at the level comes back, what it did since does not, and so with its base.

import { expect } from "chai";
import { type ContainerCheckpoint, RestorerError, type Rung, rungs } from "../../restorer/index.ts";
import { loadPromises } from "../prove/promises.ts";
import { type Victim, withVictim } from "./victim.ts";

const rounds = 3;

const putBack = loadPromises()
  .flatMap(({ rows }) => rows)
  .filter(({ decision }) => decision === "put back")
  .flatMap(({ proofs }) => proofs.flatMap((proof) => ("victim" in proof ? [proof] : [])));

/** What these change forbids a level: it is refused, and they are put back to their base as ever. */
const refused: { readonly [victim: string]: string } = {
  "code-written": "unsupported",
  "critical-section-set": "not-quiescent",
  "descriptors-surplus": "unsupported",
  "identification-flag": "unsupported",
  "locks-left": "not-quiescent",
  "mapping-new": "unsupported",
  "memory-shared": "unsupported",
  "other-moved": "not-quiescent",
  "other-signals": "not-quiescent",
  "others-many": "not-quiescent",
  "signals-changed": "not-quiescent",
  "stack-growing": "not-quiescent",
  stopped: "not-quiescent",
  "thread-narrow": "not-quiescent",
  "threads-blocked": "not-quiescent",
  "threads-born": "not-quiescent",
  "timer-set": "not-quiescent",
};

/** What the victim level-restless does in turn, before all its threads wait for each other alone. */
const waysToGoOn = [
  ...["sleeps", "locks for a time", "polls for a time", "polls what others write", "watches for a time"],
  ...["watches what others read", "watches what is put back"],
];

/** What the victim level-refused does in turn, before all of that is gone. */
const lateRefusals = [
  "a locked page",
  "a large semaphore",
  "6 GB in small mappings",
  "no descriptor left",
  "65 descriptors",
  "20,000 mappings",
  "a long rseq area",
];

/** These have threads that wait for a time from the start: they are never at a level. */
const restless = ["threads-blocked"];

/** These cannot do what they do a second time, or a container is replaced where they do. */
const once = [
  ...["flags-lost", "handler-changed", "mapping-moved", "mapping-part-replaced", "objects-changed"],
  ...["text-deleted", "text-unwritable"],
];

async function requireEqual(checkpoint: ContainerCheckpoint): Promise<void> {
  expect(await checkpoint.verify()).to.equal(undefined);
}

/** Where nothing has changed since the base, as after an init that does next to nothing. */
async function overTheBase(victim: Victim, checkpoint: ContainerCheckpoint): Promise<void> {
  await checkpoint.takeLevel();
  await requireEqual(checkpoint);
  for (let use = 0; use < rounds; use++) {
    await victim.change();
    await checkpoint.rewind({ verify: use % 2 === 1, to: "level" });
    await requireEqual(checkpoint);
  }
  await victim.change();
  await checkpoint.rewind({ verify: false });
  await requireEqual(checkpoint);
}

/** Where nobody has come back to the level before it is left. */
async function leftAtOnce(victim: Victim, checkpoint: ContainerCheckpoint): Promise<void> {
  await victim.change();
  await checkpoint.takeLevel();
  await checkpoint.rewind({ verify: false });
  await requireEqual(checkpoint);
}

/** Where the base is changed first; the level is changed again only `twice`: not everything can be done a second time. */
async function overAChange(
  victim: Victim,
  checkpoint: ContainerCheckpoint,
  twice: boolean,
  limits: { readonly pages?: number } = {},
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await victim.change();
    await checkpoint.takeLevel(limits);
    await requireEqual(checkpoint);
    for (let use = 0; use < rounds; use++) {
      if (twice) await victim.change();
      await checkpoint.rewind({ verify: use % 2 === 1, to: "level" });
      await requireEqual(checkpoint);
    }
    if (twice) await victim.change();
    await checkpoint.rewind({ verify: round % 2 === 0 });
    expect(checkpoint.level).to.equal(undefined);
    await requireEqual(checkpoint);
    await victim.change();
    await checkpoint.rewind({ verify: round % 2 === 1 });
    await requireEqual(checkpoint);
  }
}

async function requireRefusal(checkpoint: ContainerCheckpoint, code: string, why?: string): Promise<void> {
  const failure = await checkpoint.takeLevel({ tries: 3 }).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure, why).to.be.instanceOf(RestorerError);
  expect(failure).to.include({ code, untouched: true });
}

async function refuse(victim: Victim, checkpoint: ContainerCheckpoint, code: string): Promise<void> {
  await victim.change();
  await requireRefusal(checkpoint, code);
  await checkpoint.rewind({ verify: true });
  await requireEqual(checkpoint);
}

function showsUnder(rung: Rung): void {
  const names = putBack.filter((proof) => (proof.rungs ?? rungs).includes(rung)).map(({ victim }) => victim);
  describe(`a level under ${rung}`, () => {
    it("holds all that was made since the base, in place of that or beside it", () =>
      withVictim("level-made", rung, (victim, checkpoint) => overAChange(victim, checkpoint, true)));

    it("is taken only where no thread can go on by itself, and is what is found later", () =>
      withVictim("level-restless", rung, async (victim, checkpoint) => {
        for (const way of waysToGoOn) {
          await victim.change();
          await requireRefusal(checkpoint, "not-quiescent", way);
        }
        await victim.change();
        await checkpoint.takeLevel();
        await requireEqual(checkpoint);
        await checkpoint.rewind({ verify: true, to: "level" });
        await requireEqual(checkpoint);
        await checkpoint.rewind({ verify: true });
      }));

    it("is refused where that shows late, and the process goes on", () =>
      withVictim("level-refused", rung, async (victim, checkpoint) => {
        await victim.change();
        for (const pages of [31, 0]) expect(await checkpoint.takeLevel({ pages })).to.equal(undefined);
        for (const way of lateRefusals) {
          await victim.change();
          await requireRefusal(checkpoint, "unsupported", way);
        }
        await victim.change();
        await checkpoint.takeLevel();
        await requireEqual(checkpoint);
        await checkpoint.rewind({ verify: true, to: "level" });
        await checkpoint.rewind({ verify: true });
      }));

    for (const [why, changes] of [
      ["too large", 1],
      ["locked", 2],
    ] as const)
      it(`is refused of what is ${why}, and what is in place of the base's is seen as ever`, () =>
        withVictim("level-refused", rung, async (victim, checkpoint) => {
          for (let i = 0; i < changes; i++) await victim.change();
          if (changes > 1) await requireRefusal(checkpoint, "unsupported");
          else expect(await checkpoint.takeLevel({ pages: 31 })).to.equal(undefined);
          const lost = await checkpoint.rewind({ verify: false }).then(
            () => undefined,
            (error: RestorerError) => error.code,
          );
          expect(lost).to.equal(rung === "write-protect" ? "mapping" : undefined);
          if (lost === undefined) await requireEqual(checkpoint);
        }));

    for (const name of new Set(names)) {
      const text = name.replaceAll("-", " ");
      const code = refused[name];
      if (!restless.includes(name))
        it(`is come back to from ${text}`, () => withVictim(name, rung, overTheBase));
      if (code !== undefined)
        it(`is refused of ${text}, and the base is come back to`, () =>
          withVictim(name, rung, (victim, checkpoint) => refuse(victim, checkpoint, code)));
      else {
        it(`keeps ${text}, and its base does not`, () =>
          withVictim(name, rung, (victim, checkpoint) =>
            overAChange(victim, checkpoint, !once.includes(name)),
          ));
        it(`is left with ${text}, and the base is as it was`, () => withVictim(name, rung, leftAtOnce));
      }
    }
  });
}

describe("at a level", () => {
  it("what is reserved and never touched is passed over, and not reserved in this process", () =>
    withVictim("level-reserved", "write-protect", (victim, checkpoint) =>
      overAChange(victim, checkpoint, true, { pages: 64 }),
    ));

  it("nothing is booted from a process, and it is put back as ever", () =>
    withVictim("level-made", "write-protect", async (victim, checkpoint) => {
      await victim.change();
      await checkpoint.takeLevel();
      expect(() => checkpoint.template())
        .to.throw(RestorerError)
        .which.includes({ code: "unsupported", untouched: true });
      await checkpoint.rewind({ verify: true, to: "level" });
      await checkpoint.rewind({ verify: true });
      checkpoint.template().release();
      await checkpoint.rewind({ verify: true });
    }));
});

for (const rung of rungs.filter((rung) => rung !== "soft-dirty")) showsUnder(rung);
