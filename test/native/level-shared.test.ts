// A level that one process has taken, and to which others of the same base are brought: each equals it, and has its own base still.

import { expect } from "chai";
import {
  ContainerCheckpoint,
  type Embryo,
  RestorerError,
  type Rung,
  rungs,
  type SharedLevel,
} from "../../restorer/index.ts";
import { loadPromises } from "../prove/promises.ts";
import { Victim, victimProgram, withVictim } from "./victim.ts";

const rounds = 3;

const putBack = loadPromises()
  .flatMap(({ rows }) => rows)
  .filter(({ decision }) => decision === "put back")
  .flatMap(({ proofs }) => proofs.flatMap((proof) => ("victim" in proof ? [proof] : [])));

/** These cannot do what they do a second time, or a container is replaced where they do (level.test.ts). */
const once: readonly string[] = [
  ...["flags-lost", "handler-changed", "mapping-moved", "mapping-part-replaced", "text-deleted"],
  "text-unwritable",
];

async function requireEqual(checkpoint: ContainerCheckpoint): Promise<void> {
  expect(await checkpoint.verify()).to.equal(undefined);
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Brings a process there, changes it, and puts it back in both ways; several times. */
async function requireWay(
  victim: Victim,
  checkpoint: ContainerCheckpoint,
  level: SharedLevel,
  twice = true,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    expect(await checkpoint.bringToLevel(level, { verify: true })).to.include({ verified: true });
    expect(checkpoint.level).to.deep.equal(level.summary);
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
    // What it does at its base is no obstacle on the way to the level.
    if (twice && round > 0) await victim.change();
    if (round > 1) {
      await checkpoint.rewind({ verify: true });
      await requireEqual(checkpoint);
    }
  }
}

/** The level of a victim that has changed once, which is at its base afterwards. */
async function levelOf(victim: Victim, checkpoint: ContainerCheckpoint): Promise<SharedLevel> {
  await victim.change();
  await checkpoint.takeLevel();
  const level = checkpoint.shareLevel();
  await checkpoint.rewind({ verify: true });
  return level;
}

const rung: Rung = "write-protect";

describe("a shared level", () => {
  it("is come to anew by the process that has taken it", () =>
    withVictim("level-shared", rung, async (victim, checkpoint) => {
      const level = await levelOf(victim, checkpoint);
      await requireWay(victim, checkpoint, level);
      level.release();
    }));

  const names = putBack.filter((proof) => (proof.rungs ?? rungs).includes(rung)).map(({ victim }) => victim);
  for (const name of new Set(names))
    it(`is come to anew, or is the process's alone: ${name.replaceAll("-", " ")}`, () =>
      withVictim(name, rung, async (victim, checkpoint) => {
        const level = await levelOf(victim, checkpoint).catch((error: unknown) => error);
        if (level instanceof RestorerError) {
          // Why no level is taken is level.test.ts's; why it is not shared is always untouched.
          expect(level).to.include({ untouched: true });
          await checkpoint.rewind({ verify: true });
          await requireEqual(checkpoint);
          return;
        }
        await requireWay(victim, checkpoint, level as SharedLevel, !once.includes(name));
        (level as SharedLevel).release();
      }));

  it("is none under a rung that does not tell what was mapped since the base", () =>
    withVictim("level-shared", "copy-all", async (victim, checkpoint) => {
      const failure = await levelOf(victim, checkpoint).catch((error: unknown) => error);
      expect(failure).to.be.instanceOf(RestorerError);
      expect(failure).to.include({ code: "unsupported", untouched: true });
      await requireEqual(checkpoint);
    }));
});

/** With a victim in a pid namespace of its own, and its checkpoint. */
async function withFirst(
  name: string,
  use: (victim: Victim, checkpoint: ContainerCheckpoint) => Promise<void>,
  start = Victim.startPlain,
): Promise<void> {
  const victim = await start(victimProgram(name));
  try {
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

/** With one more that has memory of its own. */
async function withCopied(
  name: string,
  image: ContainerCheckpoint,
  use: (victim: Victim, checkpoint: ContainerCheckpoint) => Promise<void>,
): Promise<void> {
  const template = image.template();
  const victim = await Victim.startWaiting(victimProgram(name));
  try {
    const booted = await ContainerCheckpoint.boot(template, victim, { verify: true });
    try {
      await use(victim, booted);
    } finally {
      booted.release();
    }
  } finally {
    template.release();
    await victim.end();
  }
}

async function withEmbryo(
  name: string,
  image: ContainerCheckpoint,
  use: (embryo: Embryo) => Promise<void>,
): Promise<void> {
  const waiting = await Victim.startWaitingHere(victimProgram(name));
  try {
    const template = image.template();
    const embryo = await template.embryo(waiting, () => waiting.end()).finally(() => template.release());
    try {
      await use(embryo);
    } finally {
      embryo.release();
    }
  } finally {
    await waiting.end();
  }
}

/** With one more that shares the embryo's memory. */
async function withBorn(
  embryo: Embryo,
  use: (victim: Victim, checkpoint: ContainerCheckpoint) => Promise<void>,
): Promise<void> {
  const vacant = await Victim.startVacant();
  try {
    const born = await ContainerCheckpoint.bootFrom(embryo, vacant.vacancy, { verify: true });
    try {
      await use(vacant.adopt(), born);
    } finally {
      born.release();
    }
  } finally {
    await vacant.end();
  }
}

describe("a level of another process", () => {
  const name = "level-shared";

  it("is come to by one that was booted from that one, and lives on when that has ended", () =>
    withFirst(
      name,
      (first, image) =>
        withCopied(name, image, async (victim, checkpoint) => {
          const level = await levelOf(first, image);
          await requireWay(victim, checkpoint, level);
          await first.end();
          await requireWay(victim, checkpoint, level);
          await checkpoint.bringToLevel(level, { verify: true });
          level.release();
          await victim.change();
          await checkpoint.rewind({ verify: true, to: "level" });
          await requireEqual(checkpoint);
          await checkpoint.rewind({ verify: true });
          await requireEqual(checkpoint);
        }),
      Victim.startAlone,
    ));

  it("is come to by one from which that one was booted", () =>
    withFirst(
      name,
      (first, image) =>
        withCopied(name, image, async (victim, checkpoint) => {
          const level = await levelOf(victim, checkpoint);
          await requireWay(first, image, level);
          level.release();
        }),
      Victim.startAlone,
    ));

  it("is come to by those that were born of the same embryo, both at once", () =>
    withFirst(name, (_, image) =>
      withEmbryo(name, image, (embryo) =>
        withBorn(embryo, (first, taken) =>
          withBorn(embryo, (second, one) =>
            withBorn(embryo, async (third, other) => {
              const level = await levelOf(first, taken);
              const ways = [requireWay(second, one, level), requireWay(third, other, level)];
              for (const { reason } of (await Promise.allSettled(ways)) as { readonly reason?: unknown }[])
                if (reason !== undefined) throw reason;
              await requireWay(first, taken, level);
              level.release();
            }),
          ),
        ),
      ),
    ));

  it("is come to by one that was born of an embryo, and by the one that this was made of", () =>
    withFirst(name, (first, image) =>
      withEmbryo(name, image, (embryo) =>
        withBorn(embryo, async (victim, checkpoint) => {
          const level = await levelOf(first, image);
          await requireWay(victim, checkpoint, level);
          level.release();
          const another = await levelOf(victim, checkpoint);
          await requireWay(first, image, another);
          another.release();
        }),
      ),
    ));

  it("is refused, and nothing touched, where the base is another", () =>
    withFirst(name, (first, image) =>
      withFirst(name, async (other, checkpoint) => {
        const level = await levelOf(first, image);
        await other.change();
        const failure = await errorOf(checkpoint.bringToLevel(level, { verify: true }));
        expect(failure).to.be.instanceOf(RestorerError);
        expect(failure).to.include({ code: "unsupported", untouched: true });
        expect(checkpoint.level).to.equal(undefined);
        await checkpoint.rewind({ verify: true });
        await requireEqual(checkpoint);
        level.release();
      }),
    ));

  it("is refused, and nothing touched, by one that is at a level; and is none where there is no level", () =>
    withFirst(name, async (victim, checkpoint) => {
      expect(() => checkpoint.shareLevel())
        .to.throw(RestorerError)
        .which.includes({ code: "unsupported", untouched: true });
      const level = await levelOf(victim, checkpoint);
      await checkpoint.bringToLevel(level, { verify: false });
      const failure = await errorOf(checkpoint.bringToLevel(level, { verify: true }));
      expect(failure).to.be.instanceOf(RestorerError);
      expect(failure).to.include({ code: "unsupported", untouched: true });
      await requireEqual(checkpoint);
      level.release();
    }));

  it("is not shared where it has threads or descriptors that the base has not", () =>
    withFirst("level-made", async (victim, checkpoint) => {
      await victim.change();
      await checkpoint.takeLevel();
      expect(() => checkpoint.shareLevel())
        .to.throw(RestorerError)
        .which.includes({ code: "unsupported", untouched: true });
      await requireEqual(checkpoint);
    }));

  it("is used no more when it was released", () =>
    withFirst(name, async (victim, checkpoint) => {
      const level = await levelOf(victim, checkpoint);
      level.release();
      level.release();
      const failure = await errorOf(checkpoint.bringToLevel(level, { verify: true }));
      expect(failure).to.include({ code: "system", untouched: true });
      await requireEqual(checkpoint);
    }));
});
