// The native border: native/rewind.h and native/lean.h declaration by declaration. The only file that loads koffi.
//
// Rules: every handle is used by one call at a time; asynchronous calls run start to end on one worker thread (ptrace
// belongs to the thread that attached); structures are filled by the library and copied out before the call returns.

import { fileURLToPath } from "node:url";
import koffi from "koffi";

/** build/native, beside build/js/restorer where this file is compiled to. */
export const nativeFolder = fileURLToPath(new URL("../../native/", import.meta.url));

/** Tests give another build of the library. */
export const libraryFile = process.env.REWHISK_NATIVE_LIBRARY ?? `${nativeFolder}librewind.so`;
const library = koffi.load(libraryFile);

const errorStruct = koffi.struct("rw_error", {
  errnum: "int32_t",
  reason: "uint32_t",
  untouched: "uint32_t",
  what: koffi.array("char", 244, "String"),
});
koffi.struct("rw_summary", {
  threads: "uint32_t",
  regions: "uint32_t",
  descriptors: "uint32_t",
  reserved: "uint32_t",
  pages: "uint64_t",
  took_us: "double",
});
koffi.struct("rw_timings", {
  total_us: "double",
  freeze_us: "double",
  layout_us: "double",
  scan_us: "double",
  plan_us: "double",
  run_us: "double",
  state_us: "double",
  registers_us: "double",
  verify_us: "double",
  thaw_us: "double",
  pages_copied: "uint32_t",
  pages_zeroed: "uint32_t",
  pages_dropped: "uint32_t",
  threads_ended: "uint32_t",
  mappings_changed: "uint32_t",
  reserved: "uint32_t",
});
const rungResult = koffi.struct("rw_rung_result", {
  rung: "uint32_t",
  proven: "uint32_t",
  rewind_us: "double",
  why: koffi.array("char", 232, "String"),
});
koffi.opaque("rw_process");

export interface NativeError {
  errnum: number;
  reason: number;
  untouched: number;
  what: string;
}
export interface NativeSummary {
  threads: number;
  regions: number;
  descriptors: number;
  pages: number;
  took_us: number;
}
export interface NativeTimings {
  total_us: number;
  freeze_us: number;
  layout_us: number;
  scan_us: number;
  plan_us: number;
  run_us: number;
  state_us: number;
  registers_us: number;
  verify_us: number;
  thaw_us: number;
  pages_copied: number;
  pages_zeroed: number;
  pages_dropped: number;
  threads_ended: number;
  mappings_changed: number;
}
export interface NativeRungResult {
  rung: number;
  proven: number;
  rewind_us: number;
  why: string;
}

/** Where calls that are made all the time leave their error: it becomes an object only where there is one. */
export class ErrorRoom {
  readonly bytes = Buffer.alloc(koffi.sizeof(errorStruct));

  read(): NativeError {
    return koffi.decode(this.bytes, errorStruct) as NativeError;
  }
}

/** An opaque struct rw_process pointer. */
export type ProcessHandle = { readonly __handle: unique symbol };

/** A native function called on a worker thread: 0 or -errno. */
type Asynchronous<Arguments extends readonly unknown[]> = (...args: Arguments) => Promise<number>;

function asynchronous<Arguments extends readonly unknown[]>(declaration: string): Asynchronous<Arguments> {
  const native = library.func(declaration);
  return (...args) =>
    new Promise((resolve, reject) => {
      native.async(...args, (failure: Error | null, result: number) =>
        failure ? reject(failure) : resolve(result),
      );
    });
}

// SAFETY: out-parameters are one-element arrays and objects that koffi fills when the call has ended.
export const rwCheckpoint = asynchronous<
  [pid: number, rung: number, process: [ProcessHandle | null], summary: object, error: object]
>(
  "int rw_checkpoint(int32_t pid, uint32_t rung, _Out_ rw_process **process, _Out_ rw_summary *summary, _Out_ rw_error *error)",
);

// SAFETY: synchronous: no call may be under way on the handle.
export const rwTemplate: (process: ProcessHandle, template: [ProcessHandle | null], error: object) => number =
  library.func("int rw_template(rw_process *process, _Out_ rw_process **template, _Out_ rw_error *error)");

// SAFETY: neither may the template be released before the promise has settled, nor `fd` closed.
export const rwTemplateSave = asynchronous<[template: ProcessHandle, fd: number, error: object]>(
  "int rw_template_save(rw_process *template, int32_t fd, _Out_ rw_error *error)",
);

// SAFETY: `bytes` live until the promise has settled, and nobody writes to them.
export const rwTemplateLoad = asynchronous<
  [bytes: Buffer, length: number, template: [ProcessHandle | null], error: object]
>(
  "int rw_template_load(const void *bytes, uint64_t length, _Out_ rw_process **template, _Out_ rw_error *error)",
);

// SAFETY: as rwCheckpoint; the template must not be released before the promise has settled, nor `go` closed.
export const rwBoot = asynchronous<
  [
    template: ProcessHandle,
    pid: number,
    go: number,
    verify: number,
    process: [ProcessHandle | null],
    summary: object,
    error: object,
  ]
>(
  "int rw_boot(rw_process *template, int32_t pid, int32_t go, uint32_t verify, _Out_ rw_process **process, _Out_ rw_summary *summary, _Out_ rw_error *error)",
);

// SAFETY: as rwBoot.
export const rwEmbryo = asynchronous<
  [template: ProcessHandle, pid: number, go: number, embryo: [ProcessHandle | null], error: object]
>(
  "int rw_embryo(rw_process *template, int32_t pid, int32_t go, _Out_ rw_process **embryo, _Out_ rw_error *error)",
);

// SAFETY: as rwBoot; `init` stays open, and the strings of `cgroups` live, until the promise has settled.
export const rwBootFrom = asynchronous<
  [
    embryo: ProcessHandle,
    initPid: number,
    init: number,
    uid: number,
    gid: number,
    cgroups: Buffer,
    length: number,
    given: number,
    verify: number,
    process: [ProcessHandle | null],
    summary: object,
    error: object,
  ]
>(
  "int rw_boot_from(rw_process *embryo, int32_t init_pid, int32_t init, uint32_t uid, uint32_t gid, const void *cgroups, uint64_t length, uint32_t given, uint32_t verify, _Out_ rw_process **process, _Out_ rw_summary *summary, _Out_ rw_error *error)",
);

/** Bits, as enum rw_how in native/rewind.h. */
export const rwHow = { verify: 1, halt: 2 } as const;

// SAFETY: the handle must not be released before the promise has settled.
export const rwRewind = asynchronous<[process: ProcessHandle, how: number, timings: object, error: object]>(
  "int rw_rewind(rw_process *process, uint32_t how, _Out_ rw_timings *timings, _Out_ rw_error *error)",
);

// SAFETY: as rwRewind.
export const rwTakeLevel = asynchronous<
  [process: ProcessHandle, pages: number, summary: object, error: object]
>("int rw_take_level(rw_process *process, uint64_t pages, _Out_ rw_summary *summary, _Out_ rw_error *error)");

// SAFETY: as rwRewind.
export const rwRewindToLevel = asynchronous<
  [process: ProcessHandle, how: number, timings: object, error: object]
>(
  "int rw_rewind_to_level(rw_process *process, uint32_t how, _Out_ rw_timings *timings, _Out_ rw_error *error)",
);

// SAFETY: synchronous: no call may be under way on the process.
export const rwShareLevel: (process: ProcessHandle, shared: [ProcessHandle | null], error: object) => number =
  library.func("int rw_share_level(rw_process *process, _Out_ rw_process **shared, _Out_ rw_error *error)");

// SAFETY: as rwRewind; the shared level must not be released before the promise has settled.
export const rwBringToLevel = asynchronous<
  [process: ProcessHandle, shared: ProcessHandle, verify: number, timings: object, error: object]
>(
  "int rw_bring_to_level(rw_process *process, rw_process *shared, uint32_t verify, _Out_ rw_timings *timings, _Out_ rw_error *error)",
);

// SAFETY: as rwRewind.
export const rwVerify = asynchronous<[process: ProcessHandle, error: object]>(
  "int rw_verify(rw_process *process, _Out_ rw_error *error)",
);

const probeCall = asynchronous<[victim: string, results: Buffer, error: object]>(
  "int rw_probe(const char *victim, _Out_ void *results, _Out_ rw_error *error)",
);

/** rw_probe: the results of the three rungs, best first. */
export async function rwProbe(victim: string, error: object): Promise<readonly NativeRungResult[] | number> {
  const results = Buffer.alloc(3 * koffi.sizeof(rungResult));
  const failed = await probeCall(victim, results, error);
  return failed === 0 ? koffi.decode(results, koffi.array(rungResult, 3)) : failed;
}

// SAFETY: no other call on the handle may be under way, and none may follow.
export const rwRelease: (process: ProcessHandle) => void = library.func(
  "void rw_release(rw_process *process)",
);

// -- native/lean.h ------------------------------------------------------------------------------------------------

koffi.struct("lean_started", {
  init_pid: "int32_t",
  channel: "int32_t",
  out: "int32_t",
  err: "int32_t",
  status: "int32_t",
});
export interface NativeStarted {
  init_pid: number;
  channel: number;
  out: number;
  err: number;
  status: number;
}

// SAFETY: the strings of `argv` live until the promise has settled.
export const leanStart = asynchronous<
  [launcher: string, argv: Buffer, length: number, inOurPids: number, started: object, error: object]
>(
  "int lean_start(const char *launcher, const void *arguments, uint64_t length, uint32_t in_our_pids, _Out_ lean_started *started, _Out_ rw_error *error)",
);

// SAFETY: only for a pid that lean_start gave and that has not been reported as ended. Synchronous: it is not reported meanwhile.
export const leanOpen: (pid: number, pidfd: [number], error: object) => number = library.func(
  "int lean_open(int32_t init_pid, _Out_ int32_t *pidfd, _Out_ rw_error *error)",
);

// SAFETY: only for a pid that lean_start gave and that has not been reported as ended: no other process can have it.
export const leanReap: (pid: number, ended: [number], status: [number], error: object) => number =
  library.func(
    "int lean_reap(int32_t init_pid, _Out_ uint32_t *ended, _Out_ int32_t *status, _Out_ rw_error *error)",
  );

// SAFETY: `unread` and `unsent` have room for one number each, `error` for a struct rw_error; they are filled before the call returns.
export const leanPending: (
  fd: number,
  unread: BigUint64Array,
  unsent: BigUint64Array,
  error: Buffer,
) => number = library.func("int lean_pending(int32_t fd, void *unread, void *unsent, void *error)");

// SAFETY: removes files below `fd`, which must be the root of a container's scratch space. The rest as leanPending.
export const leanEmptyScratch: (
  fd: number,
  hasCode: number,
  atMost: number,
  removed: Uint32Array,
  empty: Uint32Array,
  error: Buffer,
) => number = library.func(
  "int lean_empty_scratch(int32_t scratch_fd, uint32_t has_code, uint32_t at_most, void *removed, void *empty, void *error)",
);

// SAFETY: only for the pid of a launcher that has not been reported as ended; the strings are held until the promise has settled.
export const leanShowCode = asynchronous<[initPid: number, source: string, target: string, error: object]>(
  "int lean_show_code(int32_t init_pid, const char *source, const char *target, _Out_ rw_error *error)",
);

// SAFETY: as above.
export const leanHideCode = asynchronous<[initPid: number, target: string, busy: [number], error: object]>(
  "int lean_hide_code(int32_t init_pid, const char *target, _Out_ uint32_t *busy, _Out_ rw_error *error)",
);

// SAFETY: `scratchFd` stays open until the promise has settled.
export const leanKeepCode = asynchronous<
  [scratchFd: number, name: string, into: string, atMost: number, bytes: [number], error: object]
>(
  "int lean_keep_code(int32_t scratch_fd, const char *name, const char *into, uint64_t at_most, _Out_ uint64_t *bytes, _Out_ rw_error *error)",
);

// SAFETY: the string is held until the promise has settled.
export const leanRemove = asynchronous<[path: string, error: object]>(
  "int lean_remove(const char *path, _Out_ rw_error *error)",
);

// SAFETY: the worker thread is in the new network namespace meanwhile, and back when the call has ended.
export const leanMakeNetwork = asynchronous<[namespaceFd: [number], error: object]>(
  "int lean_make_network(_Out_ int32_t *namespace, _Out_ rw_error *error)",
);

// SAFETY: as above; `bytes` is held by the caller until the promise has settled, and `namespaceFd` stays open.
export const leanDescribeNetwork = asynchronous<
  [namespaceFd: number, bytes: Buffer, size: number, length: [number], error: object]
>(
  "int lean_describe_network(int32_t namespace, void *bytes, uint64_t size, _Out_ uint64_t *length, _Out_ rw_error *error)",
);

// SAFETY: synchronous: the calling thread is in the other network namespace meanwhile, and back when the call returns.
export const leanOpenNetwork: (
  namespaceFd: number,
  sockets: [number],
  flows: [number],
  error: object,
) => number = library.func(
  "int lean_open_network(int32_t namespace, _Out_ int32_t *sockets, _Out_ int32_t *flows, _Out_ rw_error *error)",
);

// SAFETY: only for the descriptors that lean_open_network gave.
export const leanEndConnections: (sockets: number, error: object) => number = library.func(
  "int lean_end_connections(int32_t sockets, _Out_ rw_error *error)",
);

// SAFETY: only for the descriptors that lean_open_network gave.
export const leanForgetFlows: (flows: number, error: object) => number = library.func(
  "int lean_forget_flows(int32_t flows, _Out_ rw_error *error)",
);

export const leanSyscallNumber: (name: string) => number = library.func(
  "int lean_syscall_number(const char *name)",
);

// -- libc ---------------------------------------------------------------------------------------------------------

// SAFETY: each end is null or 152 bytes, a struct sigaction of glibc on 64 bits.
export const signalAction: (signal: number, next: Buffer | null, current: Buffer | null) => number = koffi
  .load(null)
  .func("int sigaction(int signal, const void *next, void *current)");
