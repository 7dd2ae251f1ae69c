/* What the kernel keeps of a process beside memory and descriptors: handlers, timers, masks, credentials, children. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* The call writes to `scratch`, a page of the process that the caller has borrowed; *to gets a copy. */
static int ask(struct rw_process *p, const struct user_regs_struct *base, uint64_t at, long nr, const uint64_t arg[6],
	       uint64_t scratch, void *to, uint64_t length, struct rw_error *error)
{
	uint64_t ignored;
	int failed = rw_inject_step(p->pid, base, at, nr, arg, &ignored, error);

	if (failed)
		return failed;
	failed = rw_read_memory(p, scratch, to, length);
	return failed ? rw_fail(error, RW_SYSTEM, -failed, "cannot read the answer of call %ld", nr) : 0;
}

static int refuse_timers(struct rw_process *p, const struct user_regs_struct *base, uint64_t at, uint64_t scratch,
			 struct rw_error *error)
{
	char timer;

	if (p->timers >= 0 && pread(p->timers, &timer, 1, 0) > 0)
		return rw_fail(error, RW_NOT_QUIESCENT, 0, "the process has a POSIX timer");
	for (uint64_t which = ITIMER_REAL; which <= ITIMER_PROF; which++) {
		struct itimerval set;
		int failed = ask(p, base, at, SYS_getitimer, (const uint64_t[6]){ which, scratch }, scratch, &set,
				 sizeof(set), error);

		if (failed)
			return failed;
		if (set.it_value.tv_sec || set.it_value.tv_usec)
			return rw_fail(error, RW_NOT_QUIESCENT, 0, "the process has an interval timer");
	}
	return 0;
}

int rw_kernel_save(struct rw_process *p, const struct user_regs_struct *base, uint64_t at, uint64_t scratch,
		   struct rw_error *error)
{
	struct kernel_state *kernel = &p->image->kernel;
	char path[40], status[STATUS_SIZE];
	const char *umask_line;
	ssize_t length;
	int failed = refuse_timers(p, base, at, scratch, error);

	for (uint64_t signal = 1; signal <= SIGNALS && !failed; signal++)
		failed = ask(p, base, at, SYS_rt_sigaction, (const uint64_t[6]){ signal, 0, scratch, 8 }, scratch,
			     &kernel->actions[signal - 1], sizeof(struct kernel_sigaction), error);
	if (!failed)
		failed = ask(p, base, at, SYS_sigaltstack, (const uint64_t[6]){ 0, scratch }, scratch,
			     kernel->alternate_stack, sizeof(kernel->alternate_stack), error);
	if (!failed)
		failed = ask(p, base, at, SYS_prctl, (const uint64_t[6]){ PR_GET_NAME, scratch }, scratch, kernel->name,
			     sizeof(kernel->name), error);
	if (!failed)
		failed = rw_inject_step(p->pid, base, at, SYS_brk, (const uint64_t[6]){ 0 }, &kernel->program_break, error);
	if (!failed)
		failed = read_status(p, status, error);
	if (failed)
		return failed;
	kernel->status = strdup(status);
	umask_line = strstr(status, "Umask:");
	if (!kernel->status || !umask_line)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "status of process %d", p->pid);
	kernel->umask = (uint32_t)strtoul(umask_line + 6, NULL, 8);
	snprintf(path, sizeof(path), "/proc/%d/cwd", p->pid);
	length = readlink(path, kernel->cwd, sizeof(kernel->cwd) - 1);
	if (length <= 0)
		return rw_fail(error, RW_SYSTEM, errno, "cannot read %s", path);
	kernel->cwd[length] = 0;
	return 0;
}

/* Writes the data that the plan's calls point to. */
static int put_constants(struct rw_process *p, struct rw_error *error)
{
	static const uint64_t zero[4];
	const uint64_t all = ~0ULL;
	const struct kernel_state *kernel = &p->image->kernel;
	uint64_t ignored;

	if (rw_constants_put(p, AT_ACTIONS, kernel->actions, sizeof(kernel->actions), &ignored) ||
	    rw_constants_put(p, AT_STACK, kernel->alternate_stack, sizeof(kernel->alternate_stack), &ignored) ||
	    rw_constants_put(p, AT_ZERO, zero, sizeof(zero), &ignored) ||
	    rw_constants_put(p, AT_ALL_SIGNALS, &all, sizeof(all), &ignored) ||
	    rw_constants_put(p, AT_NAME, kernel->name, sizeof(kernel->name), &ignored) ||
	    rw_constants_put(p, AT_CWD, kernel->cwd, strlen(kernel->cwd) + 1, &ignored))
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
		failed = rw_op(p, error, SYS_brk, 0, kernel->program_break, 0, 0, 0, 0, 0);
	if (!failed)
		failed = rw_op(p, error, SYS_umask, 0, kernel->umask, 0, 0, 0, 0, 0);
	if (!failed)
		failed = rw_op(p, error, SYS_chdir, 0, table + AT_CWD, 0, 0, 0, 0, 0);
	if (!failed)
		failed = rw_op(p, error, SYS_prctl, 0, PR_SET_NAME, table + AT_NAME, 0, 0, 0, 0);
	if (!failed)
		failed = rw_op(p, error, SYS_set_robust_list, 0, p->image->threads[0].robust_list, ROBUST_LIST_SIZE, 0, 0, 0, 0);
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

int rw_kernel_compare(struct rw_process *p, struct rw_error *error)
{
	char status[STATUS_SIZE];
	int failed = read_status(p, status, error);

	return failed ? failed : compare_status(p, status, error);
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
