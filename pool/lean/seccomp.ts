// Compiles a seccomp profile in the format of OCI runtimes into the program that the kernel runs at every system call.

import { LeanError } from "./errors.ts";

/** How an argument, 64 bits wide, is compared. MASKED_EQ: `value` is the mask, `valueTwo` what must remain. */
const operators = ["SCMP_CMP_EQ", "SCMP_CMP_NE", "SCMP_CMP_MASKED_EQ"] as const;
const actions = ["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"] as const;

export interface ProfileArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: string;
}

export interface ProfileRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly ProfileArgument[];
  readonly comment?: string;
  /** Rows of docs/PROMISES.md: what becomes of what the calls of an allowing rule can leave behind. */
  readonly leaves?: readonly string[];
}

/** Of the OCI runtime specification's `linux.seccomp`, what is understood here. Anything else is refused. */
export interface Profile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly ProfileRule[];
  readonly comment?: string;
}

// linux/bpf_common.h, linux/seccomp.h, linux/audit.h
const loadWord = 0x20;
const jumpAlways = 0x05;
const jumpIfEqual = 0x15;
const jumpIfAtLeast = 0x35;
const andWith = 0x54;
const giveBack = 0x06;
const allow = 0x7fff0000;
const failWith = 0x00050000;
const killProcess = 0x80000000;
const x86_64 = 0xc000003e;
const x32Bit = 0x40000000;
const enosys = 38;
const eperm = 1;
const offsetOfNumber = 0;
const offsetOfArchitecture = 4;
const offsetOfArguments = 16;
/** BPF_MAXINSNS. */
const maxInstructions = 4096;
const farthestJump = 255;

interface Instruction {
  readonly code: number;
  readonly ifTrue: number;
  readonly ifFalse: number;
  readonly operand: number;
}
type Code = readonly Instruction[];

function instruction(code: number, operand: number, ifTrue = 0, ifFalse = 0): Instruction {
  if (ifTrue > farthestJump || ifFalse > farthestJump) throw new RangeError("a jump too far for one byte");
  return { code, ifTrue, ifFalse, operand };
}

const answer = (value: number): Code => [instruction(giveBack, value)];

function low(value: number): number {
  return Number(BigInt(value) & 0xffffffffn);
}

function high(value: number): number {
  return Number(BigInt(value) >> 32n);
}

/** Goes on behind `body` unless the 32 bits at `offset`, masked, are `value`. Nothing to load where nothing can differ. */
function compareWord(offset: number, mask: number, value: number): readonly Instruction[] {
  if (mask === 0) return [];
  const masked = mask === 0xffffffff ? [] : [instruction(andWith, mask)];
  return [instruction(loadWord, offset), ...masked, instruction(jumpIfEqual, value)];
}

/** `body` where the argument is as the rule says; otherwise control falls out behind it. */
function whenArgument(argument: ProfileArgument, body: Code): Code {
  const offset = offsetOfArguments + 8 * argument.index;
  const isMasked = argument.op === "SCMP_CMP_MASKED_EQ";
  const wanted = isMasked ? (argument.valueTwo ?? 0) : argument.value;
  const maskOf = (half: (value: number) => number): number => (isMasked ? half(argument.value) : 0xffffffff);
  const lowTest = compareWord(offset, maskOf(low), low(wanted));
  const highTest = compareWord(offset + 4, maskOf(high), high(wanted));
  if (argument.op === "SCMP_CMP_NE") {
    // Equal in both halves: skip the body. Different in the upper one: no need to look at the lower.
    const skip = aim(lowTest, body.length, 0);
    return [...aim(highTest, 0, skip.length), ...skip, ...body];
  }
  const inner = [...aim(lowTest, 0, body.length), ...body];
  return [...aim(highTest, 0, inner.length), ...inner];
}

/** Gives the comparison that ends `test` its targets: instructions to skip when equal, and when not. */
function aim(test: Code, whenEqual: number, whenNot: number): Code {
  return test.map((step, i) =>
    i === test.length - 1 ? instruction(step.code, step.operand, whenEqual, whenNot) : step,
  );
}

function actionValue(action: string, errno: number | undefined): number {
  return action === "SCMP_ACT_ALLOW" ? allow : failWith | (errno ?? eperm);
}

/** The rules of one system call, the first that matches deciding. */
function ruleCode(rules: readonly ProfileRule[], otherwise: number): Code {
  const code: Instruction[] = [];
  for (const rule of rules) {
    const body = answer(actionValue(rule.action, rule.errnoRet));
    const conditions = rule.args ?? [];
    code.push(...conditions.reduceRight<Code>((inner, argument) => whenArgument(argument, inner), body));
    if (conditions.length === 0) return code;
  }
  return [...code, ...answer(otherwise)];
}

interface Range {
  readonly from: number;
  readonly code: Code;
}

function isSame(a: Code, b: Code): boolean {
  return a.length === 1 && b.length === 1 && a[0]?.operand === b[0]?.operand;
}

/** From each number on, what is to be done up to the next. */
function ranges(byNumber: ReadonlyMap<number, Code>, otherwise: Code): readonly Range[] {
  const found: Range[] = [{ from: 0, code: otherwise }];
  const put = (from: number, code: Code): void => {
    const last = found.at(-1);
    if (last?.from === from) found.pop();
    const before = found.at(-1);
    if (before === undefined || !isSame(before.code, code)) found.push({ from, code });
  };
  for (const number of [...byNumber.keys()].sort((a, b) => a - b)) {
    put(number, byNumber.get(number) ?? otherwise);
    put(number + 1, otherwise);
  }
  return found;
}

/** Binary search: the number is in the accumulator. */
function search(among: readonly Range[]): Code {
  const [only] = among;
  if (only === undefined) throw new RangeError("nothing to search");
  if (among.length === 1) return only.code;
  const middle = among.length >> 1;
  const before = search(among.slice(0, middle));
  const from = search(among.slice(middle));
  const pivot = among[middle]?.from ?? 0;
  const branch =
    before.length <= farthestJump
      ? [instruction(jumpIfAtLeast, pivot, before.length, 0)]
      : [instruction(jumpIfAtLeast, pivot, 0, 1), instruction(jumpAlways, before.length)];
  return [...branch, ...before, ...from];
}

function check(profile: Profile): void {
  const refuse = (what: string): never => {
    throw new LeanError("profile", `the seccomp profile has ${what}`);
  };
  const known = (action: string): boolean => (actions as readonly string[]).includes(action);
  if (profile.architectures.join() !== "SCMP_ARCH_X86_64")
    refuse("architectures other than SCMP_ARCH_X86_64");
  if (profile.defaultAction !== "SCMP_ACT_ERRNO") refuse(`the default action ${profile.defaultAction}`);
  for (const rule of profile.syscalls) {
    const where = `(${rule.names.slice(0, 3).join(", ")})`;
    if (!known(rule.action)) refuse(`the action ${rule.action} ${where}`);
    const indexes = new Set((rule.args ?? []).map(({ index }) => index));
    // OCI runtimes read two conditions on one argument as "or".
    if (indexes.size !== (rule.args ?? []).length) refuse(`two conditions on one argument ${where}`);
    for (const { index, op, value, valueTwo = 0 } of rule.args ?? []) {
      if (!(operators as readonly string[]).includes(op)) refuse(`the operator ${op} ${where}`);
      if (!Number.isInteger(index) || index < 0 || index > 5) refuse(`an argument ${index} ${where}`);
      if (![value, valueTwo].every((word) => Number.isSafeInteger(word) && word >= 0))
        refuse(`a value that is no natural number ${where}`);
      if (op === "SCMP_CMP_MASKED_EQ" && (BigInt(value) | BigInt(valueTwo)) !== BigInt(value))
        refuse(`a condition that can never be true ${where}`);
    }
  }
}

/**
 * The program as an array of `struct sock_filter`. `numberOf` gives a system call's number; a name it does not know is left
 * out, as libseccomp does: such a call gets the default. Rules are tried in the order of the file and the first match
 * decides. Processes of another architecture are killed, calls of the x32 kind fail with ENOSYS. Throws LeanError.
 */
export function compileProfile(profile: Profile, numberOf: (name: string) => number | undefined): Buffer {
  check(profile);
  const byNumber = new Map<number, ProfileRule[]>();
  for (const rule of profile.syscalls) {
    for (const name of rule.names) {
      const number = numberOf(name);
      if (number === undefined) continue;
      const rules = byNumber.get(number);
      if (rules) rules.push(rule);
      else byNumber.set(number, [rule]);
    }
  }
  const otherwise = actionValue(profile.defaultAction, profile.defaultErrnoRet);
  const codes = new Map([...byNumber].map(([number, rules]) => [number, ruleCode(rules, otherwise)]));
  const program: Code = [
    instruction(loadWord, offsetOfArchitecture),
    instruction(jumpIfEqual, x86_64, 1, 0),
    instruction(giveBack, killProcess),
    instruction(loadWord, offsetOfNumber),
    instruction(jumpIfAtLeast, x32Bit, 0, 1),
    instruction(giveBack, failWith | enosys),
    ...search(ranges(codes, answer(otherwise))),
  ];
  return encode(program);
}

function encode(program: Code): Buffer {
  if (program.length > maxInstructions)
    throw new LeanError("profile", `the seccomp profile needs ${program.length} instructions`);
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(({ code, ifTrue, ifFalse, operand }, i) => {
    bytes.writeUInt16LE(code, i * 8);
    bytes.writeUInt8(ifTrue, i * 8 + 2);
    bytes.writeUInt8(ifFalse, i * 8 + 3);
    bytes.writeUInt32LE(operand, i * 8 + 4);
  });
  return bytes;
}
