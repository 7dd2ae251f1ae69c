// What is left on the machine after an end of any kind: nothing; and that the list of leftovers would show it.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, uptime } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { projectFolder } from "../../invoker/config/entries.ts";
import { hierarchiesHere } from "../../pool/lean/cgroup-tree.ts";
import { instanceName as instanceOfFolder } from "../../standalone/instance-name.ts";
import { within } from "../within.ts";
import { instanceName } from "./instance.ts";
import { StandaloneProgram } from "./standalone-program.ts";

/** What the list shows of an instance; throws where its exit code says something else. */
function leftovers(instance: string): readonly string[] {
  const script = join(projectFolder(), "test", "leftovers.mjs");
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, "--instance", instance], {
    encoding: "utf8",
  });
  const lines = stdout.split("\n").filter(Boolean);
  expect([status, stderr]).to.deep.equal([lines.length === 0 ? 0 : 1, ""]);
  return lines;
}

describe("the list of leftovers", () => {
  const instance = instanceName("planted");

  it("is empty where nothing is left", () => {
    expect(leftovers(instance)).to.deep.equal([]);
  });

  it("shows a file", () => {
    const file = join(tmpdir(), `rewhisk-filter-${instance}.x`);
    writeFileSync(file, "");
    try {
      expect(leftovers(instance)).to.deep.equal([`file ${file}`]);
    } finally {
      rmSync(file);
    }
  });

  it("shows a cgroup, a process in it, and the namespaces and mounts that this one holds", async () => {
    const base = hierarchiesHere().get("pids")?.base ?? "";
    const own = join(base, "rewhisk", instance);
    const life = join(own, "life");
    mkdirSync(life, { recursive: true });
    const mounting = "mount -t tmpfs rewhisk-scratch /tmp && echo && read -r _";
    const held = spawn("unshare", ["--mount", "--net", "sh", "-c", mounting], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    try {
      await once(held.stdout, "data");
      writeFileSync(join(life, "cgroup.procs"), `${held.pid}`);
      const idOf = (name: string): string => readlinkSync(`/proc/${held.pid}/ns/${name}`);
      expect(leftovers(instance)).to.have.members([
        `process ${held.pid} sh -c ${mounting}`,
        ...[`cgroup ${own}`, `cgroup ${life}`],
        `mount rewhisk-scratch, seen by process ${held.pid}`,
        `namespace ${idOf("mnt")}`,
        `namespace ${idOf("net")}`,
      ]);
    } finally {
      held.stdin.end();
      await once(held, "exit");
      for (const folder of [life, own]) rmdirSync(folder);
    }
    expect(leftovers(instance)).to.deep.equal([]);
  });
});

/** Namespaces that were there at a moment, in clock ticks since the machine's start. */
interface Namespaces {
  readonly ids: ReadonlySet<string>;
  readonly seenTicks: number;
  /** Who had any of them then. */
  readonly holders: readonly string[];
}

const ticksPerSecond = 100;
const nowTicks = (): number => Math.ceil(uptime() * ticksPerSecond);

/** In clock ticks since the machine's start (proc_pid_stat(5), field 22). */
function birthOf(pid: string): number {
  const stat = unlessGone(() => readFileSync(`/proc/${pid}/stat`, "latin1")) ?? "";
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
}

/**
 * Who has any of these namespaces: by being in it, by an open file, or by a mount. Not the dead, whose pid namespace is seen
 * until the machine's init has collected them, in its own time: they have no mount namespace any more. Nor who was born later, or
 * had none of them: the next namespace that anybody makes may have the number of one that is gone.
 */
function holdersOf({
  ids,
  seenTicks,
  holders,
}: Omit<Namespaces, "holders"> & Partial<Namespaces>): readonly string[] {
  const links = (folder: string): readonly string[] =>
    unlessGone(() => readdirSync(folder))?.flatMap(
      (name) => unlessGone(() => readlinkSync(join(folder, name))) ?? [],
    ) ?? [];
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid) || unlessGone(() => readlinkSync(`/proc/${pid}/ns/mnt`)) === undefined) {
      return false;
    }
    if (birthOf(pid) > seenTicks || holders?.includes(pid) === false) return false;
    const mounted =
      unlessGone(() => readFileSync(`/proc/${pid}/mountinfo`, "utf8"))?.match(/\b[a-z]+:\[\d+\]/g) ?? [];
    return [...links(`/proc/${pid}/ns`), ...links(`/proc/${pid}/fd`), ...mounted].some((link) =>
      ids.has(link),
    );
  });
}

function unlessGone<Result>(look: () => Result): Result | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

describe("npm start leaves nothing behind", function () {
  this.timeout(120_000);
  let folder: string;
  let instance: string;
  let program: StandaloneProgram;
  const options = (): { dataFolder: string } => ({ dataFolder: folder });
  const spin = { kind: "python:3", code: "def main(a):\n    while True: pass\n" };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-ends-"));
    instance = instanceOfFolder(folder);
    program = await StandaloneProgram.start(options());
    await program.send("PUT", "actions/spin?overwrite=false", { namespace: "_", name: "spin", exec: spin });
    await program.interrupt();
  });
  afterEach(() => program.kill());
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** All that there is of it now, for which the end will have to answer. */
  function present(): { readonly lines: readonly string[]; readonly namespaces: Namespaces } {
    const lines = leftovers(instance);
    const ids = new Set(lines.flatMap((line) => /^namespace (.*)$/.exec(line)?.[1] ?? []));
    const seen = { ids, seenTicks: nowTicks() };
    return { lines, namespaces: { ...seen, holders: holdersOf(seen) } };
  }

  /** As soon as the kernel and the guard have seen to it. */
  async function expectNothing(namespaces: Namespaces): Promise<void> {
    let last: readonly string[] = [];
    await within(60_000, () => {
      last = [...leftovers(instance), ...holdersOf(namespaces)];
      return last.length === 0 ? true : undefined;
    }).catch(() => expect(last).to.deep.equal([]));
  }

  it("when Ctrl-C ends it idle", async () => {
    program = await StandaloneProgram.start(options());
    // A container may just be replaced.
    const { namespaces } = await within(60_000, () => {
      const now = present();
      const isThere = (kind: string): boolean => now.lines.some((line) => line.startsWith(`${kind} `));
      return ["process", "cgroup", "mount", "namespace"].every(isThere) ? now : undefined;
    });
    expect(await program.interrupt()).to.deep.equal([0, null]);
    expect(leftovers(instance)).to.deep.equal([]);
    expect(holdersOf(namespaces)).to.deep.equal([]);
  });

  it("when Ctrl-C ends it while the pool is being opened", async () => {
    program = new StandaloneProgram(options());
    await within(60_000, () =>
      leftovers(instance).some((line) => line.startsWith("process ")) ? true : undefined,
    );
    const { namespaces } = present();
    expect(await program.interrupt()).to.deep.equal([0, null]);
    expect(leftovers(instance)).to.deep.equal([]);
    expect(holdersOf(namespaces)).to.deep.equal([]);
  });

  for (const [moment, arrive] of [
    ["idle", async () => void (await program.printed(/^ready after /m))],
    [
      "while an activation runs",
      async () => {
        await program.printed(/^ready after /m);
        await program.send("POST", "actions/spin?blocking=false&result=false", {});
        await sleep(300);
      },
    ],
    [
      "as soon as its first container is there",
      async () => void (await within(60_000, () => (present().namespaces.ids.size > 0 ? true : undefined))),
    ],
    [
      "as soon as its first cgroup is there",
      async () => void (await within(60_000, () => (present().lines.length > 0 ? true : undefined))),
    ],
  ] as const) {
    it(`when it is killed ${moment}, and finds its data at the next start`, async () => {
      program = new StandaloneProgram(options());
      await arrive();
      const { namespaces } = present();
      await program.kill();
      await expectNothing(namespaces);
      program = await StandaloneProgram.start(options());
      const { status, body } = await program.send("GET", "actions/spin?code=true");
      expect([status, body.exec.code]).to.deep.equal([200, spin.code]);
      await program.kill();
      await expectNothing({ ids: new Set(), seenTicks: 0, holders: [] });
    });
  }
});
