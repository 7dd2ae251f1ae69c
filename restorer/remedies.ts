// What an operator can do where this machine refuses: by the settings that are known to forbid rewinding, and by error.

import { readFileSync } from "node:fs";
import { constants } from "node:os";

const { ENOMEM, EMFILE, ENFILE } = constants.errno;

const remedies: ReadonlyMap<number, string> = new Map([
  [
    ENOMEM,
    "give all containers together less memory (whisk.container-pool.user-memory), or the machine more",
  ],
  [EMFILE, "raise the limit of open files for this process (ulimit -n)"],
  [ENFILE, "raise fs.file-max"],
]);

/** What to do where a system call failed with `errnum`, as the rest of a sentence; empty where nothing is known. */
export function remedyFor(errnum: number): string {
  const remedy = remedies.get(errnum);
  return remedy === undefined ? "" : `; ${remedy}`;
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}

/**
 * What forbids rewinding by whatever rung, each with its remedy. Not among them: vm.unprivileged_userfaultfd, for the kernel's
 * own faults are never asked for (UFFD_USER_MODE_ONLY), and kernel.perf_event_paranoid, for nothing here uses perf events.
 */
export function obstacles(read: (file: string) => string = readIfThere): readonly string[] {
  const found: string[] = [];
  // Documentation/admin-guide/LSM/Yama.rst: 1 and 2 let CAP_SYS_PTRACE pass, 3 nobody, and cannot be changed back.
  if (Number(read("/proc/sys/kernel/yama/ptrace_scope")) === 3)
    found.push("kernel.yama.ptrace_scope is 3: set it to 2 or less in /etc/sysctl.d, and boot anew");
  // kernel/ptrace.c, check_ptrace_options: who is filtered may not suspend the filter of another.
  if (/^Seccomp:\s+[12]$/m.test(read("/proc/self/status")))
    found.push(
      "rewhisk runs under a seccomp filter itself: start it without one (Docker: --security-opt seccomp=unconfined)",
    );
  return found;
}
