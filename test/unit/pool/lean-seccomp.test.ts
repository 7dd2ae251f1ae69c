// The seccomp compiler, its programs run by an interpreter of the few BPF instructions that it may use.

import { readFileSync } from "node:fs";
import { expect } from "chai";
import { LeanError } from "../../../pool/lean/errors.ts";
import { repositoryFolder } from "../../../pool/lean/repository.ts";
import { compileProfile, type Profile, type ProfileRule } from "../../../pool/lean/seccomp.ts";
import { nativeFolder, syscallNumber } from "../../../restorer/index.ts";
import { loadPromises } from "../../prove/promises.ts";
import { answerOf } from "../../prove/refusals.ts";

const x86_64 = 0xc000003e;
const i386 = 0x40000003;

/** `struct seccomp_data` as the kernel shows it to a program. */
interface Call {
  readonly nr: number;
  readonly arch?: number;
  readonly args?: readonly bigint[];
}

function dataOf({ nr, arch = x86_64, args = [] }: Call): Buffer {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(nr, 0);
  data.writeUInt32LE(arch, 4);
  for (const [i, value] of args.entries()) data.writeBigUInt64LE(BigInt.asUintN(64, value), 16 + 8 * i);
  return data;
}

/** What the program answers: "allow", "kill" or the number of the error. Throws where the kernel would refuse it. */
function run(
  program: Buffer,
  call: Call,
): { readonly answer: "allow" | "kill" | number; readonly steps: number } {
  const data = dataOf(call);
  let accumulator = 0;
  let at = 0;
  for (let steps = 1; ; steps++) {
    const code = program.readUInt16LE(at * 8);
    const [ifTrue, ifFalse] = [program.readUInt8(at * 8 + 2), program.readUInt8(at * 8 + 3)];
    const operand = program.readUInt32LE(at * 8 + 4);
    at++;
    if (code === 0x20) accumulator = data.readUInt32LE(operand);
    else if (code === 0x54) accumulator = (accumulator & operand) >>> 0;
    else if (code === 0x05) at += operand;
    else if (code === 0x15) at += accumulator === operand ? ifTrue : ifFalse;
    else if (code === 0x35) at += accumulator >= operand ? ifTrue : ifFalse;
    else if (code === 0x06) {
      const action = (operand & 0xffff0000) >>> 0;
      if (action === 0x80000000) return { answer: "kill", steps };
      return { answer: action === 0x7fff0000 ? "allow" : operand & 0xffff, steps };
    } else throw new Error(`instruction ${code}`);
  }
}

const numbers: Readonly<Record<string, number>> = {
  read: 0,
  write: 1,
  open: 2,
  close: 3,
  ioctl: 16,
  socket: 41,
  clone: 56,
  last: 450,
};
const numberOf = (name: string): number | undefined => numbers[name];
const profileOf = (...syscalls: ProfileRule[]): Profile => ({
  defaultAction: "SCMP_ACT_ERRNO",
  defaultErrnoRet: 38,
  architectures: ["SCMP_ARCH_X86_64"],
  syscalls,
});
const allow = (names: string[], ...args: NonNullable<ProfileRule["args"]>): ProfileRule => ({
  names,
  action: "SCMP_ACT_ALLOW",
  args,
});
const answersOf = (profile: Profile): ((call: Call) => "allow" | "kill" | number) => {
  const program = compileProfile(profile, numberOf);
  return (call) => run(program, call).answer;
};

describe("a compiled seccomp profile", () => {
  it("allows what is named, denies what is denied, and knows nothing else", () => {
    const answer = answersOf(
      profileOf(
        allow(["read", "write", "close", "last"]),
        { names: ["open"], action: "SCMP_ACT_ERRNO", errnoRet: 13 },
        { names: ["ioctl"], action: "SCMP_ACT_ERRNO" },
      ),
    );
    const asked = [0, 1, 2, 3, 4, 15, 16, 17, 449, 450, 451, 0x3fffffff];
    expect(asked.map((nr) => answer({ nr }))).to.deep.equal([
      "allow",
      "allow",
      13,
      "allow",
      38,
      38,
      1,
      38,
      38,
      "allow",
      38,
      38,
    ]);
  });

  it("kills other architectures and does not know calls of the x32 kind", () => {
    const answer = answersOf(profileOf(allow(["read"])));
    expect(answer({ nr: 0, arch: i386 })).to.equal("kill");
    expect(answer({ nr: 0x40000000 })).to.equal(38);
    expect(answer({ nr: 0xffffffff })).to.equal(38);
  });

  it("lets an errno of 0 pretend success", () => {
    expect(
      answersOf(profileOf({ names: ["read"], action: "SCMP_ACT_ERRNO", errnoRet: 0 }))({ nr: 0 }),
    ).to.equal(0);
  });

  it("compares all 64 bits for equality", () => {
    const value = 2 ** 40 + 5;
    const answer = answersOf(profileOf(allow(["read"], { index: 2, value, op: "SCMP_CMP_EQ" })));
    const asked = [BigInt(value), 5n, BigInt(value) + 1n, (1n << 63n) | BigInt(value)];
    expect(asked.map((third) => answer({ nr: 0, args: [0n, 0n, third] }))).to.deep.equal([
      "allow",
      38,
      38,
      38,
    ]);
  });

  it("compares all 64 bits for inequality", () => {
    const answer = answersOf(profileOf(allow(["read"], { index: 0, value: 40, op: "SCMP_CMP_NE" })));
    expect([40n, 41n, (1n << 32n) | 40n].map((first) => answer({ nr: 0, args: [first] }))).to.deep.equal([
      38,
      "allow",
      "allow",
    ]);
  });

  it("compares under a mask, in either half", () => {
    const low = answersOf(
      profileOf(allow(["clone"], { index: 0, value: 0x7e020000, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" })),
    );
    expect(
      [0x11n, 0x10000011n, 0x20000n, 0xffffffff00000011n].map((flags) => low({ nr: 56, args: [flags] })),
    ).to.deep.equal(["allow", 38, 38, "allow"]);
    const high = answersOf(
      profileOf(allow(["clone"], { index: 1, value: 2 ** 33, valueTwo: 2 ** 33, op: "SCMP_CMP_MASKED_EQ" })),
    );
    expect([0n, 1n << 33n, (1n << 33n) | 7n].map((word) => high({ nr: 56, args: [0n, word] }))).to.deep.equal(
      [38, "allow", "allow"],
    );
    const whole = answersOf(
      profileOf(
        allow(["clone"], { index: 0, value: 2 ** 33 + 1, valueTwo: 2 ** 33, op: "SCMP_CMP_MASKED_EQ" }),
      ),
    );
    expect(
      [1n << 33n, (1n << 33n) | 1n, (1n << 33n) | 2n].map((word) => whole({ nr: 56, args: [word] })),
    ).to.deep.equal(["allow", 38, "allow"]);
  });

  it("takes several conditions together, several rules in their order, and the rest as unknown", () => {
    const is = (index: number, value: number) => ({ index, value, op: "SCMP_CMP_EQ" });
    const answer = answersOf(
      profileOf(
        allow(["socket"], is(0, 2), is(2, 6)),
        { names: ["socket"], action: "SCMP_ACT_ERRNO", errnoRet: 93, args: [is(0, 2)] },
        allow(["socket"], is(0, 1)),
      ),
    );
    const ask = (family: bigint, protocol: bigint) => answer({ nr: 41, args: [family, 1n, protocol] });
    expect([ask(2n, 6n), ask(2n, 7n), ask(1n, 7n), ask(3n, 6n)]).to.deep.equal(["allow", 93, "allow", 38]);
  });

  it("stops reading at a rule without conditions", () => {
    const answer = answersOf(
      profileOf(allow(["read"]), { names: ["read"], action: "SCMP_ACT_ERRNO", errnoRet: 1 }),
    );
    expect(answer({ nr: 0 })).to.equal("allow");
  });

  it("leaves out names that this machine does not know", () => {
    expect(answersOf(profileOf(allow(["read", "made_up_later"])))({ nr: 0 })).to.equal("allow");
  });

  it("jumps over more than 255 instructions", () => {
    const many = Array.from({ length: 200 }, (_, i) =>
      allow([`call${2 * i}`], { index: 0, value: i + 1, op: "SCMP_CMP_EQ" }),
    );
    const program = compileProfile(profileOf(...many), (name) => Number(name.slice(4)));
    expect(program.length / 8).to.be.greaterThan(1000);
    for (const i of [0, 1, 63, 64, 127, 128, 199]) {
      expect(run(program, { nr: 2 * i, args: [BigInt(i + 1)] }).answer).to.equal("allow");
      expect(run(program, { nr: 2 * i, args: [BigInt(i)] }).answer).to.equal(38);
      expect(run(program, { nr: 2 * i + 1, args: [BigInt(i + 1)] }).answer).to.equal(38);
    }
  });

  it("refuses what it does not understand instead of guessing", () => {
    const refused: Partial<Profile>[] = [
      { defaultAction: "SCMP_ACT_ALLOW" },
      { architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"] },
      { syscalls: [{ names: ["read"], action: "SCMP_ACT_TRACE" }] },
      { syscalls: [allow(["read"], { index: 0, value: 1, op: "SCMP_CMP_GT" })] },
      { syscalls: [allow(["read"], { index: 6, value: 1, op: "SCMP_CMP_EQ" })] },
      { syscalls: [allow(["read"], { index: 0, value: -1, op: "SCMP_CMP_EQ" })] },
      { syscalls: [allow(["read"], { index: 0, value: 1, valueTwo: 2, op: "SCMP_CMP_MASKED_EQ" })] },
      {
        syscalls: [
          allow(
            ["read"],
            { index: 0, value: 1, op: "SCMP_CMP_EQ" },
            { index: 0, value: 2, op: "SCMP_CMP_EQ" },
          ),
        ],
      },
    ];
    for (const changes of refused)
      expect(() => compileProfile({ ...profileOf(), ...changes }, numberOf))
        .to.throw(LeanError)
        .with.property("code", "profile");
  });
});

describe("the profile of lean containers", () => {
  const profile = JSON.parse(readFileSync(`${repositoryFolder}/pool/lean/seccomp.json`, "utf8")) as Profile;
  const program = compileProfile(profile, syscallNumber);
  const ask = (name: string, ...args: bigint[]) =>
    run(program, { nr: syscallNumber(name) ?? Number.NaN, args });

  it("says of every rule why it is there", () => {
    for (const { comment = "" } of profile.syscalls) expect(comment).to.match(/^.{3,}\.$/);
  });

  it("says of all that it allows which promises tell what becomes of what is left, and what stays", () => {
    const promised = new Set(loadPromises().flatMap(({ rows }) => rows.map(({ id }) => id)));
    const document = readFileSync(`${repositoryFolder}/docs/PROMISES.md`, "utf8");
    const declared = document.slice(document.indexOf("\n## Not protected\n"));
    for (const [, what = ""] of declared.matchAll(/^- _(.+?)_/gm))
      promised.add(`not protected: ${what.charAt(0).toLowerCase()}${what.slice(1)}`);
    for (const { action, comment, leaves } of profile.syscalls) {
      if (action !== "SCMP_ACT_ALLOW") continue;
      expect(leaves, comment).to.be.an("array");
      for (const id of leaves ?? []) expect(promised, comment).to.include(id);
    }
  });

  it("decides every call that this machine has a name for, and is newer than it of those it does not", () => {
    const header = readFileSync(`${nativeFolder}syscall_names.h`, "utf8");
    const known = [...header.matchAll(/"(\w+)", (\d+)/g)].map(([, name = "", number]) => ({
      name,
      number: Number(number),
    }));
    const named = new Set(profile.syscalls.flatMap(({ names }) => names));
    const newest = Math.max(...known.filter(({ name }) => named.has(name)).map(({ number }) => number));
    expect(known.length).to.be.greaterThan(300);
    expect(known.filter(({ name, number }) => number <= newest && !named.has(name))).to.deep.equal([]);
  });

  it("has no rule behind one of the same call that decides whatever the arguments", () => {
    const decided = new Set<string>();
    for (const { names, args } of profile.syscalls)
      for (const name of names) {
        expect(decided).not.to.include(name);
        if (args === undefined) decided.add(name);
      }
  });

  it("decides the most frequent calls in few steps", () => {
    for (const name of ["read", "write", "futex", "epoll_wait", "mmap", "openat"]) {
      expect(ask(name).answer).to.equal("allow");
      expect(ask(name).steps).to.be.lessThan(16);
    }
  });

  it("answers every call that the machine knows as its rules say, read one by one", () => {
    const words = [
      0n,
      1n,
      2n,
      4n,
      8n,
      15n,
      16n,
      17n,
      40n,
      1030n,
      0x5421n,
      0x10000011n,
      (1n << 32n) | 8n,
      0xffffffffn,
    ];
    for (const { names } of profile.syscalls)
      for (const name of names) {
        if (syscallNumber(name) === undefined) continue;
        for (const a of words)
          for (const b of words)
            expect(ask(name, a, b, a).answer, `${name} ${a} ${b} ${a}`).to.equal(
              answerOf(profile, name, [a, b, a]),
            );
      }
  });

  it("lets no file be mapped with flags that no list of mappings shows", () => {
    const mmap = (flags: bigint) => ask("mmap", 0n, 4096n, 1n, flags).answer;
    const [shared, isPrivate, fixed, anonymous, droppable] = [1n, 2n, 0x10n, 0x20n, 8n];
    const hidden = [0x2000n, 0x4000n, 0x20000n];
    for (const type of [shared, isPrivate, shared | isPrivate]) {
      expect(mmap(type | fixed)).to.equal("allow");
      for (const flag of hidden) {
        expect(mmap(type | fixed | flag), String(flag)).to.equal(22);
        expect(mmap(type | fixed | flag | anonymous), String(flag)).to.equal("allow");
      }
    }
    for (const more of [0n, fixed, anonymous, anonymous | fixed, 1n << 32n])
      expect(mmap(droppable | more), String(more)).to.equal(22);
  });

  it("disguises nothing by upper bits of an integer argument that is denied", () => {
    for (const command of [8n, 10n, 15n, 1024n, 1026n, 1031n]) {
      expect(ask("fcntl", 1n, command).answer).to.equal(1);
      expect(ask("fcntl", 1n, (0xabcdn << 32n) | command).answer).to.equal(1);
    }
  });
});
