/* The native library's interface: checkpoint a process, rewind it in place, verify it, probe the kernel. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REWIND_H
#define REWIND_H

#include <stdint.h>

/*
 * The error contract
 *
 * Every function returns 0 or -errno and, on failure, fills the caller's struct rw_error. `reason` is what to count;
 * `what` is for people, and nothing may be decided on it. `untouched` is the most important bit: 1 means that the
 * process was thawed exactly as it was found (or was never stopped), 0 means that it may be half rewound and must never
 * be used again. Once rw_rewind() has failed with untouched == 0 the process has been killed.
 *
 * Every call freezes, works and thaws within itself, on the thread that calls it. No ptrace state outlives a call. Should
 * the calling process die in the middle, the kernel kills the frozen process (PTRACE_O_EXITKILL).
 *
 * Sizes are bytes, times microseconds, addresses are the target's. Handles belong to the caller and are not locked: one
 * call at a time for each handle.
 */

enum rw_reason {
	RW_OK = 0,
	RW_PROCESS_GONE = 1,		/* it exited or was killed: replace the container */
	RW_LOST_THREAD = 2,		/* a thread of the checkpoint has ended: replace */
	RW_LOST_DESCRIPTOR = 3,		/* a descriptor of the checkpoint was closed: replace */
	RW_REPLACED_DESCRIPTOR = 4,	/* its number now names another open file: replace */
	RW_KERNEL_STATE = 5,		/* credentials, filters, timers ... differ for good: replace */
	RW_MAPPING = 6,			/* a mapping that cannot be made again was lost: replace */
	RW_SURVIVOR = 7,		/* a child process outlived its killing: replace */
	RW_INJECTION = 8,		/* injected code did not run as it should: replace */
	RW_DIFFERENCE = 9,		/* verify found a difference: replace, and report it */
	RW_NOT_QUIESCENT = 10,		/* rw_checkpoint: no thread may run, and the leader must sit in a system call */
	RW_UNSUPPORTED = 11,		/* this kernel or this process offers no way: see `what` */
	RW_SYSTEM = 12,			/* the system refused (memory, descriptors, privileges): see `what` */
	RW_TOO_LARGE = 13,		/* rw_take_level: it would hold more pages than it may */
};

/* The ways of finding the pages written since the checkpoint, best first. */
enum rw_rung {
	RW_WRITE_PROTECT = 1,	/* userfaultfd write-protection read by PAGEMAP_SCAN; Linux 6.7 and newer */
	RW_SOFT_DIRTY = 2,	/* soft-dirty bits of /proc/PID/pagemap; CONFIG_MEM_SOFT_DIRTY */
	RW_COPY_ALL = 3,	/* none: every saved page is copied back, every other one dropped; any kernel */
};

struct rw_error {
	int32_t errnum;		/* errno, or 0 where no system call failed */
	uint32_t reason;	/* enum rw_reason */
	uint32_t untouched;
	char what[244];
};

/* What a checkpoint holds. */
struct rw_summary {
	uint32_t threads, regions, descriptors, reserved;
	uint64_t pages;		/* saved in the image */
	double took_us;
};

/* What one rewind did and how long each phase took. */
struct rw_timings {
	double total_us, freeze_us, layout_us, scan_us, plan_us, run_us, state_us, registers_us, verify_us, thaw_us;
	uint32_t pages_copied, pages_zeroed, pages_dropped, threads_ended, mappings_changed, reserved;
};

/* What the probe found of one rung. */
struct rw_rung_result {
	uint32_t rung;		/* enum rw_rung */
	uint32_t proven;	/* 1: a real process was put back under it and verified */
	double rewind_us;	/* of the proving rewind, median; 0 where not proven */
	char why[232];		/* where not proven: what happened */
};

/* One live process that can be put back to its image. */
struct rw_process;

#define RW_API __attribute__((visibility("default"), warn_unused_result))

/*
 * rw_checkpoint
 * Does:   freezes process `pid`, saves all that a rewind puts back as an image (one sealed memory file of pages, and
 *         tables that hold no reference to the process), maps the image and a page of code into the process, arms
 *         the rung, thaws.
 * Needs:  CAP_SYS_PTRACE and CAP_SYS_ADMIN; a process at a quiescent point that is not the caller's own child by
 *         way of a library that waits for it (libuv); nobody else tracing it.
 * Gives:  *process, to be freed by rw_release(); *summary.
 * Fails:  any reason but RW_DIFFERENCE; untouched == 1 unless the injection itself broke (then the process is killed).
 * Thread: any, start to end.
 */
RW_API int rw_checkpoint(int32_t pid, uint32_t rung, struct rw_process **process, struct rw_summary *summary,
			 struct rw_error *error);

/* What rw_rewind() is to do besides. */
enum rw_how {
	RW_VERIFY = 1,
	RW_HALT = 2,
};

/*
 * rw_rewind
 * Does:   freezes the process, ends threads born since the checkpoint, closes surplus descriptors, reaps dead
 *         children, drains signals, puts back layout, program break, pages, signal handlers, timers, masks, registers;
 *         with RW_VERIFY compares everything the image covers before the thaw; thaws. With RW_HALT none of its threads goes on
 *         before somebody sends it SIGCONT.
 * Needs:  the other processes of the container dead or dying.
 * Gives:  *timings; the process continues at the checkpoint.
 * Fails:  every reason. untouched == 0: the process has been killed.
 * Thread: any, start to end. Blocks while a thread of the process cannot be stopped: kill the process to end that.
 */
RW_API int rw_rewind(struct rw_process *process, uint32_t how, struct rw_timings *timings, struct rw_error *error);

/*
 * rw_take_level
 * Does:   freezes the process and saves it once more as it is now, as a level over its base: what differs of memory, and all
 *         tables; maps the level's image into the process, arms the rung anew, thaws.
 * Needs:  a process at a quiescent point that is at no level, alone in its container, and whose files nobody can change: what
 *         is in them is not saved. Sockets, shared memory and other things that only the base may have are refused.
 * Gives:  *summary; its pages are those of the level alone, at most `pages`.
 * Fails:  any reason. untouched == 1: no level was taken and the process goes on as it was (RW_NOT_QUIESCENT, RW_UNSUPPORTED,
 *         RW_TOO_LARGE and others); untouched == 0: it has been killed.
 * Thread: any, start to end.
 */
RW_API int rw_take_level(struct rw_process *process, uint64_t pages, struct rw_summary *summary, struct rw_error *error);

/*
 * rw_rewind_to_level
 * Does:   what rw_rewind() does, to the level.
 * Needs:  a level, and what rw_rewind() needs.
 * Gives:  *timings; the process continues where its level was taken. rw_rewind() leads back to the base, and ends the level.
 * Fails:  as rw_rewind().
 * Thread: any, start to end.
 */
RW_API int rw_rewind_to_level(struct rw_process *process, uint32_t how, struct rw_timings *timings, struct rw_error *error);

/*
 * rw_share_level
 * Gives:  *shared, to be freed by rw_release(): the level of the process, and no process. It serves for rw_bring_to_level() alone,
 *         there for any number of calls at once, whatever becomes of the process and its handle.
 * Needs:  a process that has a level. Refused are levels with other threads or descriptors than the base has, or where those, the
 *         directory or the credentials have changed, or with mappings of files that have no name: these are the process's own. Under other rungs than
 *         RW_WRITE_PROTECT all are.
 * Fails:  RW_UNSUPPORTED, RW_SYSTEM; always untouched.
 * Thread: any.
 */
RW_API int rw_share_level(struct rw_process *process, struct rw_process **shared, struct rw_error *error);

/*
 * rw_bring_to_level
 * Does:   puts the process to a level that another one has taken, as rw_rewind_to_level() does there; with `verify` compares
 *         everything the level covers before the thaw. The level is the process's own from then on, but for the file of its pages.
 * Needs:  a process at no level, of the same image as the one that has taken it: booted from that, or the one that it is of. What
 *         rw_rewind() needs. Files that the level has mapped must be found by their paths in the process's container.
 * Gives:  *timings; the process continues where the level was taken. rw_rewind() leads back to its base, and ends the level.
 * Fails:  as rw_rewind(); RW_UNSUPPORTED and untouched where the base is another.
 * Thread: any, start to end.
 */
RW_API int rw_bring_to_level(struct rw_process *process, struct rw_process *shared, uint32_t verify, struct rw_timings *timings,
			     struct rw_error *error);

/*
 * rw_verify
 * Does:   freezes, compares memory byte for byte, mappings, threads, registers, descriptors and what lies behind them,
 *         and kernel state with the image of the level, if there is one, or of the base, thaws. Changes nothing, but that an interrupted system call is made again.
 * Gives:  0 where all is equal.
 * Fails:  RW_DIFFERENCE with the first difference in `what`; other reasons where it could not look.
 * Thread: any, start to end.
 */
RW_API int rw_verify(struct rw_process *process, struct rw_error *error);

/*
 * rw_template
 * Gives:  *template, to be freed by rw_release(): the process's image, and no process. It serves for rw_boot() alone, there
 *        for any number of calls at once, whatever becomes of the process and its handle.
 * Needs:  a process that is at no level.
 * Fails:  RW_UNSUPPORTED, RW_SYSTEM.
 * Thread: any.
 */
RW_API int rw_template(struct rw_process *process, struct rw_process **template, struct rw_error *error);

/*
 * rw_template_save
 * Does:   writes the template to `fd`, from where that is: for the same build of this library on the same machine. There is no checksum in it.
 * Gives:  0; what is written may be anything where it fails.
 * Fails:  RW_SYSTEM.
 * Thread: any.
 */
RW_API int rw_template_save(struct rw_process *template, int32_t fd, struct rw_error *error);

/*
 * rw_template_load
 * Gives:  *template, as rw_template() does, of what rw_template_save() has written. Nothing of `bytes` is used afterwards.
 * Needs:  bytes that do not change meanwhile. They may be anything, and are refused where they are no template; but what a process does
 *         that is booted from one is for those to answer who wrote it.
 * Fails:  RW_UNSUPPORTED, RW_SYSTEM.
 * Thread: any.
 */
RW_API int rw_template_load(const void *bytes, uint64_t length, struct rw_process **template, struct rw_error *error);

/*
 * rw_boot
 * Does:   makes process `pid` another one of the template: lets it execute its program, stops it before the first
 *         instruction, gives it the image's memory, descriptors, threads and kernel state, thaws it. It goes on where
 *         the template was checkpointed; with `verify` all the image covers is compared before.
 * Needs:  as rw_checkpoint; a process with one thread that executes the template's program as soon as it can read a byte from
 *         whatever `go` writes to, in a pid namespace where it has the id that the template had in its own and where nobody else
 *         is born meanwhile; in a file system where the files that the template has mapped and opened are found by their paths.
 *         What it has of the template's descriptors by then takes their place (sockets, pipes that lead elsewhere); pipes
 *         to itself, counters, interest lists and files are made anew. The template need not live.
 * Gives:  *process, as rw_checkpoint does; *summary. Memory is its own but for the image, which both have.
 * Fails:  every reason; the process has been killed (untouched == 1: it was not stopped at all).
 * Thread: one without children of its own, start to end. Blocks until the process executes or ends.
 */
RW_API int rw_boot(struct rw_process *template, int32_t pid, int32_t go, uint32_t verify, struct rw_process **process,
		   struct rw_summary *summary, struct rw_error *error);

/*
 * rw_embryo
 * Does:   makes process `pid` an embryo of the template: a process that has its memory, compared byte for byte, and nothing else,
 *         never runs an instruction of its own, and is forked for each rw_boot_from().
 * Needs:  as rw_boot, but that the process is root in our pid namespace, and has what its children are to inherit: limits, filter,
 *         and a file system of its own in which the template's files are found by their paths.
 * Gives:  *embryo, for rw_boot_from() alone, any number of calls at once; to be freed by rw_release() after the last. The process
 *         is the caller's to end: those that were born of it live on.
 * Fails:  every reason; the process has been killed (untouched == 1: it was not stopped at all).
 * Thread: as rw_boot.
 */
RW_API int rw_embryo(struct rw_process *template, int32_t pid, int32_t go, struct rw_process **embryo, struct rw_error *error);

/*
 * rw_boot_from
 * Does:   what rw_boot does, by a process that is forked from the embryo into the namespaces of the launcher, whose child it
 *         becomes: it gets what lies between launcher and host, joins the cgroups, drops all privileges.
 * Needs:  as rw_boot; a container with nobody in it but its launcher, which takes it over at SIGUSR1: `init`, a pidfd, that stays open
 *         meanwhile, and `init_pid`, its number as long as it is not collected. `cgroups`:
 *         files by which a process joins them ("tasks" of version 1, "cgroup.procs" of version 2), one after the other, each with
 *         its NUL, `cgroups_length` bytes in all.
 *         `given`: so many of the launcher's descriptors, from the first on, are the runtime's as well.
 * Gives:  as rw_boot; memory is shared with the embryo and its other children as long as nobody writes to it.
 * Fails:  every reason, RW_LOST_THREAD where the embryo has ended; no new process is left.
 * Thread: as rw_boot.
 */
RW_API int rw_boot_from(struct rw_process *embryo, int32_t init_pid, int32_t init, uint32_t uid, uint32_t gid, const char *cgroups,
			uint64_t cgroups_length, uint32_t given, uint32_t verify, struct rw_process **process,
			struct rw_summary *summary, struct rw_error *error);

/* rw_release: frees the handle and its image; the process lives on, with the mapped image still in it. */
__attribute__((visibility("default"))) void rw_release(struct rw_process *process);

/*
 * rw_probe
 * Does:   for each rung, starts a process of its own (`victim`: the path of build/native/probe-victim),
 *         checkpoints it, lets it change its memory in every way, shows that verify notices, rewinds, verifies.
 * Needs:  as rw_checkpoint.
 * Gives:  results[0..2], best rung first; `proven` is only set by what was seen.
 * Fails:  RW_SYSTEM where the victim could not be started at all.
 * Thread: any.
 */
RW_API int rw_probe(const char *victim, struct rw_rung_result results[3], struct rw_error *error);

#endif
