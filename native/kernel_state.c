/* What the kernel keeps of a process beside memory and descriptors: handlers, timers, masks, credentials, children. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Where the calls' data lie in the constants of the table. */
enum {
	AT_ACTIONS = 0,
	AT_STACK = SIGNALS * sizeof(struct kernel_sigaction),
	AT_ZERO = AT_STACK + 24,	/* 32 bytes of zeroes: an itimerval, a timespec */
	AT_ALL_SIGNALS = AT_ZERO + 32,
	AT_NAME = AT_ALL_SIGNALS + 8,
	AT_CWD = AT_NAME + 16,
};

#define CHILD_PATIENCE_US 20000
#define PENDING_AT_MOST 4096
#define STATUS_SIZE 8192
#define ROBUST_LIST_SIZE 24 /* the only one that set_robust_list() takes */

/* Lines of /proc/PID/status that no activation may change for good. */
static bool must_stay(const char *line)
{
	static const char *const keys[] = {
		"Umask:", "Uid:", "Gid:", "Groups:", "SigPnd:", "ShdPnd:", "SigIgn:", "SigCgt:", "CapInh:", "CapPrm:",
		"CapEff:", "CapBnd:", "CapAmb:", "NoNewPrivs:", "Seccomp:", "Seccomp_filters:",
		"Speculation_Store_Bypass:", "SpeculationIndirectBranch:", "Cpus_allowed:", "Mems_allowed:", "THP_enabled:",
		"VmLck:", "VmPin:",
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (!strncmp(line, keys[i], strlen(keys[i])))
			return true;
	return false;
}

static int read_status(struct rw_process *p, char text[STATUS_SIZE], struct rw_error *error)
{
	ssize_t got = pread(p->status, text, STATUS_SIZE - 1, 0);

	if (got <= 0)
		return rw_fail(error, RW_PROCESS_GONE, errno, "cannot read the status of process %d", p->pid);
	text[got] = 0;
	return 0;
}

static int ask(struct rw_process *p, struct rw_error *error, int64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return rw_op(p, error, nr, 0, a, b, c, d, 0, 0);
}

/* The leader asks what only the process itself can ask, into memory that it maps for it and gives back. */
static int look_inside(struct rw_process *p, struct inside *inside, struct rw_error *error)
{
	int64_t answers = 0, program_break = 0;
	uint64_t at;
	int failed = rw_op(p, error, SYS_mmap, OP_CAPTURE, 0, sizeof(*inside), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   (uint64_t)-1, 0);

	if (!failed)
		failed = rw_run_ops(p, &answers, error);
	at = (uint64_t)answers;
	for (uint64_t signal = 1; signal <= SIGNALS && !failed; signal++)
		failed = ask(p, error, SYS_rt_sigaction, signal, 0, at + offsetof(struct inside, actions[signal - 1]), 8);
	for (uint64_t which = ITIMER_REAL; which <= ITIMER_PROF && !failed; which++)
		failed = ask(p, error, SYS_getitimer, which, at + offsetof(struct inside, timers[which]), 0, 0);
	if (!failed)
		failed = ask(p, error, SYS_sigaltstack, 0, at + offsetof(struct inside, alternate_stack), 0, 0);
	if (!failed)
		failed = ask(p, error, SYS_prctl, PR_GET_NAME, at + offsetof(struct inside, name), 0, 0);
	if (!failed)
		failed = ask(p, error, SYS_prctl, PR_GET_TID_ADDRESS, at + offsetof(struct inside, tid_address), 0, 0);
	if (!failed)
		failed = ask(p, error, SYS_getcwd, at + offsetof(struct inside, cwd), CWD_SIZE, 0, 0);
	if (!failed)
		failed = rw_op(p, error, SYS_brk, OP_CAPTURE, 0, 0, 0, 0, 0, 0);
	if (!failed)
		failed = rw_run_ops(p, &program_break, error);
	if (!failed && rw_read_memory(p, at, inside, sizeof(*inside)))
		failed = rw_fail(error, RW_SYSTEM, errno, "cannot read what process %d says of itself", p->pid);
	inside->program_break = (uint64_t)program_break;
	if (!failed)
		failed = ask(p, error, SYS_munmap, at, sizeof(*inside), 0, 0);
	return failed ? failed : rw_run_ops(p, NULL, error);
}

static int refuse_timers(struct rw_process *p, struct rw_error *error)
{
	static const struct itimerval none[ITIMERS];
	char timer;

	if (p->timers >= 0 && pread(p->timers, &timer, 1, 0) > 0)
		return rw_fail(error, RW_NOT_QUIESCENT, 0, "the process has a POSIX timer");
	if (memcmp(p->image->kernel.inside.timers, none, sizeof(none)))
		return rw_fail(error, RW_NOT_QUIESCENT, 0, "the process has an interval timer");
	return 0;
}

int rw_kernel_save(struct rw_process *p, struct rw_error *error)
{
	struct kernel_state *kernel = &p->image->kernel;
	char status[STATUS_SIZE];
	const char *umask_line;
	int failed = look_inside(p, &kernel->inside, error);

	if (!failed)
		failed = refuse_timers(p, error);
	if (!failed)
		failed = read_status(p, status, error);
	if (failed)
		return failed;
	kernel->status = strdup(status);
	umask_line = strstr(status, "Umask:");
	if (!kernel->status || !umask_line)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "status of process %d", p->pid);
	kernel->umask = (uint32_t)strtoul(umask_line + 6, NULL, 8);
	return 0;
}

/* Writes the data that the plan's calls point to. */
static int put_constants(struct rw_process *p, struct rw_error *error)
{
	static const uint64_t zero[4];
	const uint64_t all = ~0ULL;
	const struct kernel_state *kernel = &p->image->kernel;
	uint64_t ignored;

	if (rw_constants_put(p, AT_ACTIONS, kernel->inside.actions, sizeof(kernel->inside.actions), &ignored) ||
	    rw_constants_put(p, AT_STACK, kernel->inside.alternate_stack, sizeof(kernel->inside.alternate_stack), &ignored) ||
	    rw_constants_put(p, AT_ZERO, zero, sizeof(zero), &ignored) ||
	    rw_constants_put(p, AT_ALL_SIGNALS, &all, sizeof(all), &ignored) ||
	    rw_constants_put(p, AT_NAME, kernel->inside.name, sizeof(kernel->inside.name), &ignored) ||
	    rw_constants_put(p, AT_CWD, kernel->inside.cwd, strlen(kernel->inside.cwd) + 1, &ignored))
		return rw_fail(error, RW_SYSTEM, E2BIG, "constants");
	return 0;
}

static int drain_one_signal(struct rw_process *p, struct rw_error *error)
{
	uint64_t table = p->image->table;

	return rw_op(p, error, SYS_rt_sigtimedwait, OP_MAY_FAIL, table + AT_ALL_SIGNALS, 0, table + AT_ZERO, 8, 0, 0);
}

/*
 * Put back without looking: a call that changes nothing costs 0.12 us, asking from outside costs more. The last call tells
 * whether there are children.
 */
int rw_kernel_plan(struct rw_process *p, struct rw_error *error)
{
	const struct kernel_state *kernel = &p->image->kernel;
	uint64_t table = p->image->table;
	int failed = put_constants(p, error);

	for (uint64_t signal = 1; signal <= SIGNALS && !failed; signal++)
		if (signal != SIGKILL && signal != SIGSTOP)
			failed = rw_op(p, error, SYS_rt_sigaction, 0, signal,
				       table + AT_ACTIONS + (signal - 1) * sizeof(struct kernel_sigaction), 0, 8, 0, 0);
	for (uint64_t which = ITIMER_REAL; which <= ITIMER_PROF && !failed; which++)
		failed = rw_op(p, error, SYS_setitimer, 0, which, table + AT_ZERO, 0, 0, 0, 0);
	if (!failed)
		failed = rw_op(p, error, SYS_sigaltstack, 0, table + AT_STACK, 0, 0, 0, 0, 0);
	if (!failed)
		failed = rw_op(p, error, SYS_brk, 0, kernel->inside.program_break, 0, 0, 0, 0, 0);
	if (!failed)
		failed = rw_op(p, error, SYS_umask, 0, kernel->umask, 0, 0, 0, 0, 0);
	if (!failed)
		failed = rw_op(p, error, SYS_chdir, 0, table + AT_CWD, 0, 0, 0, 0, 0);
	if (!failed)
		failed = rw_op(p, error, SYS_prctl, 0, PR_SET_NAME, table + AT_NAME, 0, 0, 0, 0);
	if (!failed)
		failed = rw_op(p, error, SYS_set_robust_list, 0, p->image->threads[0].robust_list, ROBUST_LIST_SIZE, 0, 0, 0, 0);
	if (!failed)
		failed = rw_op(p, error, SYS_set_tid_address, 0, kernel->inside.tid_address, 0, 0, 0, 0, 0);
	if (!failed)
		failed = rw_op(p, error, SYS_wait4, OP_MAY_FAIL | OP_CAPTURE, (uint64_t)-1, 0, WNOHANG | __WALL, 0, 0, 0);
	return failed ? failed : drain_one_signal(p, error);
}

/* Reaps until there is no child left. Killed ones may take a moment to become zombies. */
static int reap(struct rw_process *p, int64_t waited, struct rw_error *error)
{
	double patience = rw_now_us() + CHILD_PATIENCE_US;

	while (waited != -ECHILD) {
		const struct timespec moment = { 0, 50000 };
		int failed;

		if (waited == 0 && rw_now_us() > patience)
			return rw_fail(error, RW_SURVIVOR, 0, "a child process outlived its killing");
		if (waited < 0 && waited != -EINTR)
			return rw_fail(error, RW_INJECTION, (int)-waited, "cannot reap children");
		if (waited == 0)
			nanosleep(&moment, NULL);
		failed = rw_op(p, error, SYS_wait4, OP_MAY_FAIL | OP_CAPTURE, (uint64_t)-1, 0, WNOHANG | __WALL, 0, 0, 0);
		if (!failed)
			failed = rw_run_ops(p, &waited, error);
		if (failed)
			return failed;
	}
	return 0;
}

static bool has_pending(const char *status)
{
	const char *thread = strstr(status, "SigPnd:"), *shared = strstr(status, "ShdPnd:");

	return !thread || !shared || strtoull(thread + 7, NULL, 16) || strtoull(shared + 7, NULL, 16);
}

/* Line by line, which stand in the same order: most are equal, and only of the others the key is looked up. */
static int compare_status(struct rw_process *p, const char *is, struct rw_error *error)
{
	const char *was = p->image->kernel.status;
	char timer;

	if (p->timers >= 0 && pread(p->timers, &timer, 1, 0) > 0)
		return rw_fail(error, RW_KERNEL_STATE, 0, "a POSIX timer is left");
	while (*was && *is) {
		size_t was_length = strcspn(was, "\n"), is_length = strcspn(is, "\n");

		if ((was_length != is_length || memcmp(was, is, was_length)) && must_stay(was))
			return rw_fail(error, RW_KERNEL_STATE, 0, "status differs: was \"%.*s\", is \"%.*s\"",
				       (int)was_length, was, (int)is_length, is);
		was += was_length + (was[was_length] == '\n');
		is += is_length + (is[is_length] == '\n');
	}
	return *was || *is ? rw_fail(error, RW_KERNEL_STATE, 0, "status has other lines") : 0;
}

static int compare_inside(const struct inside *was, const struct inside *is, struct rw_error *error)
{
	for (int i = 0; i < SIGNALS; i++)
		if (memcmp(&was->actions[i], &is->actions[i], sizeof(was->actions[i])))
			return rw_fail(error, RW_DIFFERENCE, 0, "the handler of signal %d differs", i + 1);
	for (int i = 0; i < ITIMERS; i++)
		if (memcmp(&was->timers[i], &is->timers[i], sizeof(was->timers[i])))
			return rw_fail(error, RW_DIFFERENCE, 0, "interval timer %d is set", i);
	if (memcmp(was->alternate_stack, is->alternate_stack, sizeof(was->alternate_stack)))
		return rw_fail(error, RW_DIFFERENCE, 0, "the alternate signal stack differs");
	if (memcmp(was->name, is->name, sizeof(was->name)))
		return rw_fail(error, RW_DIFFERENCE, 0, "name is \"%.16s\", was \"%.16s\"", is->name, was->name);
	if (strcmp(was->cwd, is->cwd))
		return rw_fail(error, RW_DIFFERENCE, 0, "the working directory is %.80s, was %.80s", is->cwd, was->cwd);
	if (was->tid_address != is->tid_address)
		return rw_fail(error, RW_DIFFERENCE, 0, "the word cleared at the leader's exit is elsewhere");
	if (was->program_break != is->program_break)
		return rw_fail(error, RW_DIFFERENCE, 0, "the break is %llx, was %llx", (unsigned long long)is->program_break,
			       (unsigned long long)was->program_break);
	return 0;
}

int rw_kernel_compare(struct rw_process *p, struct rw_error *error)
{
	const struct kernel_state *was = &p->image->kernel;
	char status[STATUS_SIZE];
	struct inside now = { 0 };
	int failed = read_status(p, status, error);

	if (!failed)
		failed = compare_status(p, status, error);
	if (!failed)
		failed = look_inside(p, &now, error);
	return failed ? failed : compare_inside(&was->inside, &now, error);
}

int rw_kernel_settle(struct rw_process *p, int64_t first_wait, struct rw_error *error)
{
	char status[STATUS_SIZE];
	int failed = reap(p, first_wait, error);

	RW_STEP(error, "settle");
	for (int drained = 0; !failed; drained++) {
		failed = read_status(p, status, error);
		if (failed)
			return failed;
		if (!has_pending(status))
			return compare_status(p, status, error);
		if (drained > PENDING_AT_MOST)
			return rw_fail(error, RW_KERNEL_STATE, 0, "pending signals do not end");
		failed = drain_one_signal(p, error);
		if (!failed)
			failed = rw_run_ops(p, NULL, error);
	}
	return failed;
}
