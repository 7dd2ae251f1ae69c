// What a promise that something is denied stands for: who refuses each call of a message, by which errno, and who else would.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { constants, release, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Profile } from "../../pool/lean/seccomp.ts";
import type { Json } from "../corpus.ts";
import type { PromiseRow } from "./promises.ts";

const repository = fileURLToPath(new URL("../../../../", import.meta.url));
const profileFile = "pool/lean/seccomp.json";

/** One call that a message tried. `result`: of the call, or its negated error number. */
export interface Attempt {
  readonly call: readonly [name: string, ...numbers: readonly number[]];
  readonly result: number;
}

/** Who else refuses calls: what the filter lets pass, or what it need not refuse everywhere. */
export interface OtherRefusal {
  /** Names; where the filter decides by an argument, with a number: `prctl 28`. */
  readonly calls: readonly string[];
  /** One of these. */
  readonly errno: readonly string[];
  /** In words, for people. */
  readonly by: string;
  /** Only kernels older than this one. */
  readonly kernelsBefore?: string;
}

/** Errors that say that a call was made wrongly: they are no refusals, but where the filter answers them. */
const clumsy: readonly string[] = ["EINVAL", "EFAULT", "EBADF", "ENOENT"];

/** The profile of lean containers. */
export function ownProfile(): Profile {
  return JSON.parse(readFileSync(join(repository, profileFile), "utf8")) as Profile;
}

/** What a profile answers to a call, read rule by rule as people do. */
export function answerOf(profile: Profile, name: string, args: readonly bigint[]): "allow" | number {
  const rule = profile.syscalls.find(
    ({ names, args: conditions = [] }) =>
      names.includes(name) &&
      conditions.every(({ index, value, valueTwo = 0, op }) => {
        const word = args[index] ?? 0n;
        if (op === "SCMP_CMP_MASKED_EQ") return (word & BigInt(value)) === BigInt(valueTwo);
        return op === "SCMP_CMP_EQ" ? word === BigInt(value) : word !== BigInt(value);
      }),
  );
  if (rule === undefined) return profile.defaultErrnoRet ?? 1;
  return rule.action === "SCMP_ACT_ALLOW" ? "allow" : (rule.errnoRet ?? 1);
}

/** A folder like the repository's but for the profile, which lets pass all that it knows. The caller removes it. */
export function withoutFilter(): { readonly folder: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "rewhisk-unfiltered-"));
  for (const name of ["runtimes", "build", "node_modules"])
    symlinkSync(join(repository, name), join(folder, name));
  const { syscalls, ...rest } = ownProfile();
  const names = [...new Set(syscalls.flatMap((rule) => rule.names))];
  mkdirSync(join(folder, "pool/lean"), { recursive: true });
  writeFileSync(
    join(folder, profileFile),
    JSON.stringify({ ...rest, syscalls: [{ names, action: "SCMP_ACT_ALLOW" }] } satisfies Profile),
  );
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

function isAttempt(value: Json): boolean {
  const { call, result } = Object(value) as Partial<Attempt>;
  return Array.isArray(call) && typeof call[0] === "string" && Number.isInteger(result);
}

/** What a message says that it tried; undefined where it says something else, or nothing. */
export function attemptsOf(said: Json | undefined): readonly Attempt[] | undefined {
  if (!Array.isArray(said) || said.length === 0 || !said.every(isAttempt)) return undefined;
  return said as unknown as readonly Attempt[];
}

function errorName(result: number): string {
  const named = Object.entries(constants.errno).find(([, number]) => number === -result);
  return result < 0 ? (named?.[0] ?? String(result)) : "success";
}

function isOlder(than: string): boolean {
  const [ours = [], other = []] = [release(), than].map((text) => text.split(".").map(Number.parseFloat));
  const at = other.findIndex((number, i) => number !== ours[i]);
  return at >= 0 && (ours[at] ?? 0) < (other[at] ?? 0);
}

/** How a refusal is named in a row: what the filter decides by, and no more. */
function labels({ call: [name, ...numbers] }: Attempt): readonly string[] {
  return [name, ...numbers.map((number) => `${name} ${number}`)];
}

function othersRefusal(row: PromiseRow, attempt: Attempt): OtherRefusal | undefined {
  return row.alsoRefused?.find(
    ({ calls, kernelsBefore }) =>
      labels(attempt).some((label) => calls.includes(label)) &&
      (kernelsBefore === undefined || isOlder(kernelsBefore)),
  );
}

function answerTo({ call: [name, ...numbers] }: Attempt, profile: Profile): "allow" | number {
  return answerOf(
    profile,
    name,
    numbers.map((number) => BigInt.asUintN(64, BigInt(number))),
  );
}

/** Whether the filter refuses any of them. */
export function areFiltered(attempts: readonly Attempt[]): boolean {
  const profile = ownProfile();
  return attempts.some((attempt) => answerTo(attempt, profile) !== "allow");
}

/** How a call was not refused as its row and the profile promise; undefined where it was. */
function complaintOfRefusal(row: PromiseRow, profile: Profile, attempt: Attempt): string | undefined {
  const { call, result } = attempt;
  const promised = answerTo(attempt, profile);
  const errno =
    promised === "allow"
      ? othersRefusal(row, attempt)?.errno.filter((name) => !clumsy.includes(name))
      : [errorName(-promised)];
  if (errno === undefined) return `${call.join(" ")}: neither the filter nor the row says who refuses it`;
  if (errno.includes(errorName(result))) return undefined;
  return `${call.join(" ")}: ${errorName(result)} instead of ${errno.join(" or ")}`;
}

/** How something that no row speaks of refuses this call where no filter does; undefined where it is refused otherwise, or done. */
function complaintOfControl(row: PromiseRow, attempt: Attempt, unfiltered: Attempt): string | undefined {
  const { call, result } = attempt;
  if (unfiltered.call[0] !== call[0]) return `without the filter it does not come to ${call.join(" ")}`;
  if (unfiltered.result !== result) return undefined;
  const named = errorName(result);
  if (othersRefusal(row, attempt)?.errno.includes(named) === true) return undefined;
  return `${call.join(" ")}: ${named} without the filter too`;
}

/** All that is wrong with how a message was refused; undefined where nothing is. */
export function complaintOfRefusals(row: PromiseRow, attempts: readonly Attempt[]): string | undefined {
  const profile = ownProfile();
  const complaints = attempts.map((attempt) => complaintOfRefusal(row, profile, attempt));
  return complaints.filter((complaint) => complaint !== undefined).join("; ") || undefined;
}

/** Which calls are refused without the filter as well, though nothing else is said to refuse them; undefined where none is. */
export function complaintOfControls(
  row: PromiseRow,
  attempts: readonly Attempt[],
  unfiltered: readonly Attempt[],
): string | undefined {
  if (unfiltered.length !== attempts.length) return "without the filter it makes other calls";
  const complaints = attempts.map((attempt, i) => complaintOfControl(row, attempt, unfiltered[i] as Attempt));
  return complaints.filter((complaint) => complaint !== undefined).join("; ") || undefined;
}
