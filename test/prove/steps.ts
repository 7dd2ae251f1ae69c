// The steps of a rewind by name, and how a proof leaves one out: the rest must notice.

import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import koffi from "koffi";
import type { RewindStep } from "../../pool/index.ts";
import { nativeFolder, probe } from "../../restorer/index.ts";
import type { GroundOptions } from "./ground.ts";

/** The build of the native library that can leave steps out: for REWHISK_NATIVE_LIBRARY. */
export const testLibrary = `${nativeFolder}librewind-test.so`;

const repository = fileURLToPath(new URL("../../../../", import.meta.url));

const poolSteps: readonly RewindStep[] = [
  "kill-others",
  "drain-output",
  "quiet-channel",
  "hide-code",
  "empty-scratch",
  "no-sockets",
  "memory-limit",
];
const packages = "runtimes/nodejs/packages";
const renewRandomness = "renew-randomness";

/** What of a runtime does nothing any more where its randomness is not renewed. */
const idleRenewal = {
  "runtimes/nodejs/randomness.js":
    "module.exports = { createRenewal: () => ({ reseed: () => 1, renew() {}, rehearse() {}, watch() {}, watched: () => true }) };",
  "runtimes/python/rewhisk_proxy/randomness.py": "def renew_randomness():\n    pass\n",
  // OpenSSL's generator is there before the checkpoint, as it is where it is renewed in the warm-up.
  "runtimes/ruby/rewhisk_proxy/randomness.rb":
    "module RewhiskProxy\n  module Randomness\n    def self.keep = OpenSSL::Random.random_bytes(1)\n    def self.renew = nil\n    def self.watch = nil\n    def self.watched? = true\n  end\nend\n",
} as const;

let library: ReturnType<typeof koffi.load> | undefined;

/** The same instance of the library as the restorer's. Throws where that is not the test build. */
function testing(): ReturnType<typeof koffi.load> {
  if (process.env.REWHISK_NATIVE_LIBRARY !== testLibrary)
    throw new Error("steps are only left out of the test build of the library (see test/prove.mjs)");
  library ??= koffi.load(testLibrary);
  return library;
}

/** The steps of the native library in their order. */
export function nativeStepNames(): readonly string[] {
  const nameOf = testing().func("const char *rw_step_name(uint32_t i)");
  const names = new Set<string>();
  for (let i = 0; ; i++) {
    const name = nameOf(i) as string | null;
    if (name === null) return [...names];
    names.add(name);
  }
}

/** All steps in their order: the pool's first one, the native ones, the pool's others, the runtime's. */
export function stepNames(): readonly string[] {
  const [killOthers, ...afterwards] = poolSteps;
  return [killOthers as string, ...nativeStepNames(), ...afterwards, renewRandomness];
}

/** Leaves native steps out of all rewinds of this process, until called again. Throws on an unknown name. */
export function leaveOutNative(names: readonly string[]): void {
  const leaveOut = testing().func("int32_t rw_leave_out(const char *name)");
  for (const name of ["", ...names])
    if (leaveOut(name) !== 0) throw new Error(`there is no step ${name}: see npm run prove -- --steps`);
}

/** The project's runtimes, but for the renewal of randomness. The caller removes the folder. */
function withIdleRenewal(): string {
  const copy = mkdtempSync(join(tmpdir(), "rewhisk-proof-"));
  cpSync(join(repository, "runtimes"), join(copy, "runtimes"), {
    recursive: true,
    filter: (from) => !from.endsWith(packages),
  });
  for (const folder of ["pool", "build", "node_modules", packages])
    symlinkSync(join(repository, folder), join(copy, folder));
  for (const [file, text] of Object.entries(idleRenewal)) writeFileSync(join(copy, file), text);
  return copy;
}

/** Runs `use` with options for containers whose rewind lacks this step. Throws on an unknown name. */
export async function without<Result>(
  step: string,
  use: (options: Partial<GroundOptions>) => Promise<Result>,
): Promise<Result> {
  const { rung } = await probe();
  // The probe would notice first, and no rung would be proven.
  if (rung === undefined) throw new Error("no rung is proven on this machine");
  const leftOut = poolSteps.find((name) => name === step);
  if (leftOut !== undefined) return await use({ rung, change: (machine) => ({ ...machine, leftOut }) });
  if (step === renewRandomness) {
    const copy = withIdleRenewal();
    try {
      return await use({ rung, repository: copy });
    } finally {
      rmSync(copy, { recursive: true });
    }
  }
  leaveOutNative([step]);
  try {
    return await use({ rung });
  } finally {
    leaveOutNative([]);
  }
}
