/* What the parts of the fault injection share: the calls of the library, the faults, one run and how it came out. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#define MUST(x) ((x) ? (void)0 : (fprintf(stderr, "%s:%d: %s: %m\n", __FILE__, __LINE__, #x), exit(1)))

/* The columns of the table. */
enum fault_kind {
	FAILS,		/* the call is not made and answers with an error */
	INTERRUPTED,	/* the same with EINTR or EAGAIN */
	SHORT,		/* it moves fewer bytes than asked */
	KILLED,		/* the victim is dead just before the call */
	DYING,		/* it has been sent SIGKILL just before the call */
	STOPPED,	/* SIGSTOP */
	CONTINUED,	/* SIGCONT */
	SIGNALLED,	/* a burst of queued signals */
	TRACER_KILLED,	/* whoever runs the library dies just before the call */
	FAULT_KINDS,
};

/* A real-time signal that every victim ignores; while it is traced, it is queued for it all the same. */
#define IGNORED_SIGNAL (SIGRTMIN + 5)

struct fault {
	enum fault_kind kind;
	int number;	/* errno, or per cent of the bytes asked for */
};

/* One call that the library makes. A site is a function together with the whole way by which the library came to call it. */
struct call {
	const char *function, *step;
	uint64_t site;
};

/* The fault comes at the n-th call (from 0) of a site. */
struct aim {
	uint64_t site;
	const char *function;	/* NULL: the site's; else any site of it */
	uint32_t occurrence;
	struct fault fault;
};

#define CALLS_AT_MOST (1U << 20)
#define WAY_AT_MOST 24

/* Shared memory: what has been seen of the calls, whoever has seen it. */
struct watch {
	struct aim aim;
	pid_t victim;
	bool recording, fired;
	bool is_launcher;		/* the victim: it is not dead before whoever is traced in its container has been collected */
	uint64_t way[WAY_AT_MOST];	/* the return addresses that led to where it fired */
	uint32_t count;
	struct call calls[CALLS_AT_MOST];
};

/* -- faults-calls.c: each call, by the wrappers of faults-wrap.c and faults-ptrace.c ------------------------------------- */

/* Notes every call, and carries out the aimed fault, from calls_begin() to calls_end(). `top`: the caller's frame. */
void calls_begin(struct watch *watch, void *top);
void calls_end(void);
/* NULL: whoever calls is not the library. */
extern struct watch *calls_watch;
/* By a wrapper, with its own frame. The fault that it has to carry out itself; NULL: none. */
const struct fault *calls_note(const char *function, const void *frame);
#define NOTE(function) calls_note(function, __builtin_frame_address(0))
/* Our view of a table is unmapped. */
void calls_forget_table(const void *at);
/* Memory that the library has allocated and not freed, in pieces. */
int64_t calls_live_allocations(void);

/* -- faults-kinds.c: which faults make sense for which call ------------------------------------------------------------ */

#define FAULTS_AT_MOST 32

extern const char *const kinds_names[FAULT_KINDS];
/* Into `faults`, how many: where there are several errors, the first `errors`. -1: the function is not known. */
int kinds_of(const char *function, int errors, struct fault faults[FAULTS_AT_MOST]);
/* Why there is no fault of a kind for it. NULL: there is. */
const char *kinds_why_not(const char *function, enum fault_kind kind);

/* -- faults-look.c: a process as seen from outside -------------------------------------------------------------------- */

#define REGIONS_AT_MOST 16384

struct look {
	uint32_t regions;
	uint64_t hashes[REGIONS_AT_MOST];	/* of the writable private memory, region by region */
	char maps[1 << 20], descriptors[1 << 14], status[1024], leader[256];
};

enum condition { DEAD, RUNNING, GROUP_STOPPED, TRACED };

extern const char *const look_conditions[];
/* Dead: a zombie or gone. Traced: some thread is, or sits in a stop that only a tracer can end. */
enum condition look_condition(pid_t pid);
/* Whether the leader waits for a command, and with `all` every other thread in some system call. */
bool look_waits(pid_t pid, bool all);
void look_at(pid_t pid, struct look *look);
/* What differs; NULL: nothing. */
const char *look_difference(const struct look *was, const struct look *is);
bool look_has_threads(pid_t pid);
int look_descriptors_of_ours(void);
int look_count_mappings(pid_t pid, const char *name);
/* The first, of its first thread; 0: there is none. */
pid_t look_for_child(pid_t pid);
/* Whether a being waits for its word. */
bool look_waits_for_word(pid_t pid);
/* Whether an embryo sleeps, untraced. */
bool look_is_parked(pid_t pid);
/* Where the first mapping starts whose line has this word; 0: there is none. */
uint64_t look_for_mapping(pid_t pid, const char *name);

/* -- faults-victim.c: as its parent sees it, and its tracer ------------------------------------------------------------ */

struct victim {
	pid_t pid;
	int to, from;
};

struct victim victim_start(const char *program, int cpu);
/* A dead one must be its parent's to reap, whatever the tracer still holds. */
bool victim_reap(const struct victim *victim);
void victim_end(const struct victim *victim);
/* Comes to wait for a command (true), or is dead (false), before long; anything else ends the run, here and below. */
bool victim_settles(const struct victim *victim, bool all);
void victim_await(const struct victim *victim);
void victim_change(const struct victim *victim);

/* -- faults-run.c: one victim, one call of the library, one fault ----------------------------------------------------- */

enum phase {
	CHECKPOINT, REWIND, REWIND_VERIFIED, VERIFY, VERIFY_CHANGED, LEVEL, REWIND_TO_LEVEL, REWIND_FROM_LEVEL, SHARE, BRING,
	RELEASE,
	/* Of boots. */
	TEMPLATE, SAVE, LOAD, EMBRYO, BOOT, BIRTH, BIRTH_STRUCK, PROOF,
	PHASES
};

struct run {
	/* In. */
	const char *program;
	uint32_t rung;
	enum phase phase;
	bool restless;		/* the victim changes without being told to: it cannot be compared with itself */
	bool refuses;		/* without a fault the call answers with an error */
	bool lost;		/* what the victim changes cannot be put back: a rewind of it refuses */
	bool changes_once;	/* it cannot be told to change a second time before it has been put back */
	char joins[512];	/* of a boot: cgroups, as rw_boot_from() has them */
	uint64_t joins_length;
	/* Out. */
	bool has_threads;	/* beside the leader, at the moment of the call */
	int result;		/* of the call */
	char outcome[16];	/* "untouched", "done", "tainted", "unreached" or "WRONG" */
	char detail[512];
	struct watch watch;
};

extern const char *const run_phases[PHASES];
/* Starts a victim (on that CPU) and, in a process of its own, the library; decides the outcome. `run` is shared memory. */
void run_one(struct run *run, int cpu);
/* Within that process: ends the run. */
_Noreturn void run_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void run_finish(const char *outcome);
/* Of that process: where it does not end well, the outcome is wrong. */
void run_await_end(pid_t tracer, int *status);

/* -- faults-being.c: processes that boots are about --------------------------------------------------------------------------- */

/* In a pid namespace of its own: started and at rest; waiting for a word to execute its program; a launcher. Or waiting in ours. */
enum role { BEING_STARTED, BEING_WAITING, BEING_VACANT, BEING_WAITING_HERE };

#define BEING_WORD 5 /* its descriptor */

struct being {
	pid_t top;	/* ours to reap, and all else with it; 0: there is none */
	pid_t pid;
	int to, from, go, pidfd;
};

struct being being_start(const char *program, enum role role, int cpu);
void being_end(struct being *being);

/* -- faults-boot.c ------------------------------------------------------------------------------------------------------------ */

/* As run_one(), which it is called by. */
void boot_run_one(struct run *run, int cpu);
/* What the process has made that calls this, for all runs. */
void boot_end(void);

#endif
