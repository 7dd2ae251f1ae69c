/* What the kernel keeps of a process beside memory and descriptors: handlers, timers, masks, credentials, children. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILD_PATIENCE_US 20000
#define PENDING_AT_MOST 4096

static bool begins_with(const char *line, const char *const keys[])
{
	for (; *keys; keys++)
		if (!strncmp(line, *keys, strlen(*keys)))
			return true;
	return false;
}

/* Lines of /proc/PID/status that no activation may change, and those that the table puts back: only the oracle looks there. */
static const char *const lasting[] = {
	"Uid:", "Gid:", "Groups:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:", "NoNewPrivs:", "Seccomp:",
	"Seccomp_filters:", "Speculation_Store_Bypass:", "SpeculationIndirectBranch:", "Cpus_allowed:", "Mems_allowed:",
	"THP_enabled:", "VmLck:", "VmPin:", NULL
};
static const char *const passing[] = { "Umask:", "SigPnd:", "ShdPnd:", "SigIgn:", "SigCgt:", NULL };

static int read_status(struct rw_process *p, char text[STATUS_SIZE], struct rw_error *error)
{
	ssize_t got = pread(p->status, text, STATUS_SIZE - 1, 0);

	if (got <= 0)
		return rw_fail(error, RW_PROCESS_GONE, got < 0 ? errno : 0, "cannot read the status of process %d", p->pid);
	text[got] = 0;
	return 0;
}

static bool has_sigkill(const char *text, const char *key)
{
	const char *line = strstr(text, key);

	return line && strtoull(line + strlen(key), NULL, 16) >> (SIGKILL - 1) & 1;
}

bool rw_was_killed(struct rw_process *p)
{
	char text[STATUS_SIZE];
	struct rw_error ignored;

	/* The signal stays in the set that all threads share, until the last of them has ended and there is no set. */
	return read_status(p, text, &ignored) || strstr(text, "\nState:\tZ") || strstr(text, "\nState:\tX") ||
	       has_sigkill(text, "\nShdPnd:") || has_sigkill(text, "\nSigPnd:");
}

static int refuse_posix_timers(const struct rw_process *p, enum rw_reason reason, struct rw_error *error)
{
	char timer;
	ssize_t got = p->timers < 0 ? 0 : pread(p->timers, &timer, 1, 0);

	if (got < 0)
		return rw_fail(error, RW_SYSTEM, errno, "cannot read the timers of process %d", p->pid);
	return got ? rw_fail(error, reason, 0, "the process has a POSIX timer") : 0;
}

static int refuse_timers(struct rw_process *p, struct rw_error *error)
{
	static const struct itimerval none[ITIMERS];
	int failed = refuse_posix_timers(p, RW_NOT_QUIESCENT, error);

	if (failed)
		return failed;
	if (memcmp(p->image->kernel.inside.timers, none, sizeof(none)))
		return rw_fail(error, RW_NOT_QUIESCENT, 0, "the process has an interval timer");
	return 0;
}

int rw_put_constants(struct rw_process *p, struct rw_error *error)
{
	static const uint64_t zero[4];
	const uint64_t all = ~0ULL;
	const struct flock unlock = { .l_type = F_UNLCK, .l_whence = SEEK_SET };
	const struct image *image = p->image;
	uint64_t ignored;

	memset(p->table, 0, TABLE_PASSING);
	if (rw_constants_put(p, AT_ACTIONS, image->kernel.inside.actions, sizeof(image->kernel.inside.actions), &ignored) ||
	    rw_constants_put(p, AT_ZERO, zero, sizeof(zero), &ignored) ||
	    rw_constants_put(p, AT_ALL_SIGNALS, &all, sizeof(all), &ignored) ||
	    rw_constants_put(p, AT_UNLOCK, &unlock, sizeof(unlock), &ignored) ||
	    rw_constants_put(p, AT_CWD, image->kernel.inside.cwd, strlen(image->kernel.inside.cwd) + 1, &ignored))
		return rw_fail(error, RW_SYSTEM, E2BIG, "constants");
	for (uint32_t i = 0; i < image->thread_count; i++)
		if (rw_constants_put(p, AT_THREADS + i * sizeof(struct thread_inside), &image->threads[i].inside,
				     sizeof(struct thread_inside), &ignored))
			return rw_fail(error, RW_UNSUPPORTED, E2BIG, "%u threads", image->thread_count);
	return 0;
}

/* For the leader or for the process. */
static bool has_pending(const char *status)
{
	const char *thread = strstr(status, "SigPnd:"), *shared = strstr(status, "ShdPnd:");

	return !thread || !shared || strtoull(thread + 7, NULL, 16) || strtoull(shared + 7, NULL, 16);
}

int rw_kernel_save(struct rw_process *p, struct rw_error *error)
{
	struct image *image = p->image;
	struct thread_inside *threads cleanup_(rw_free) = calloc(image->thread_count, sizeof(*threads));
	char status[STATUS_SIZE];
	const char *umask_line;
	int failed;

	if (!threads)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "threads");
	failed = rw_inside_look(p, &image->kernel.inside, threads, error);
	for (uint32_t i = 0; i < image->thread_count && !failed; i++) {
		image->threads[i].inside = threads[i];
		if (threads[i].pending)
			failed = rw_fail(error, RW_NOT_QUIESCENT, 0, "a signal is pending for thread %d", image->threads[i].tid);
	}
	if (!failed)
		failed = refuse_timers(p, error);
	if (!failed)
		failed = rw_put_constants(p, error);
	if (!failed)
		failed = read_status(p, status, error);
	/* It may have come since the process was asked, and would be looked for after every rewind. */
	if (!failed && has_pending(status))
		failed = rw_fail(error, RW_NOT_QUIESCENT, 0, "a signal is pending for process %d", p->pid);
	if (failed)
		return failed;
	image->kernel.status = strdup(status);
	umask_line = strstr(status, "Umask:");
	if (!image->kernel.status || !umask_line)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "status of process %d", p->pid);
	image->kernel.umask = (uint32_t)strtoul(umask_line + 6, NULL, 8);
	return 0;
}

int rw_plan_handlers(struct rw_process *p, struct rw_error *error)
{
	int failed = 0;

	for (uint64_t signal = 1; signal <= SIGNALS && !failed; signal++)
		if (signal != SIGKILL && signal != SIGSTOP)
			failed = rw_op(p, error, SYS_rt_sigaction, 0, signal,
				       p->image->table + AT_ACTIONS + (signal - 1) * sizeof(struct kernel_sigaction), 0, 8, 0, 0);
	return failed;
}

int rw_plan_interval_timers(struct rw_process *p, struct rw_error *error)
{
	int failed = 0;

	for (uint64_t which = ITIMER_REAL; which <= ITIMER_PROF && !failed; which++)
		failed = rw_op(p, error, SYS_setitimer, 0, which, p->image->table + AT_ZERO, 0, 0, 0, 0);
	return failed;
}

int rw_plan_umask(struct rw_process *p, struct rw_error *error)
{
	return rw_op(p, error, SYS_umask, 0, p->image->kernel.umask, 0, 0, 0, 0, 0);
}

int rw_plan_directory(struct rw_process *p, struct rw_error *error)
{
	return rw_op(p, error, SYS_chdir, 0, p->image->table + AT_CWD, 0, 0, 0, 0, 0);
}

/* Its answer tells whether there are more. */
int rw_plan_children(struct rw_process *p, struct rw_error *error)
{
	return rw_op(p, error, SYS_wait4, OP_MAY_FAIL | OP_CAPTURE, (uint64_t)-1, 0, WNOHANG | __WALL, 0, 0, 0);
}

/* The leader's own or the process's; its answer tells whether there was one. */
int rw_plan_signal(struct rw_process *p, struct rw_error *error)
{
	uint64_t table = p->image->table;

	return rw_op(p, error, SYS_rt_sigtimedwait, OP_MAY_FAIL | OP_CAPTURE_ASIDE, table + AT_ALL_SIGNALS, 0, table + AT_ZERO, 8, 0, 0);
}

/* Until there is no child left. Killed ones may take a moment to become zombies. */
int rw_reap_children(struct rw_process *p, struct rw_error *error)
{
	double patience = rw_now_us() + CHILD_PATIENCE_US;

	while (p->waited != -ECHILD) {
		const struct timespec moment = { 0, 50000 };
		int failed;

		if (p->waited == 0 && rw_now_us() > patience)
			return rw_fail(error, RW_SURVIVOR, 0, "a child process outlived its killing");
		if (p->waited < 0 && p->waited != -EINTR)
			return rw_fail(error, RW_INJECTION, (int)-p->waited, "cannot reap children");
		if (p->waited == 0)
			nanosleep(&moment, NULL);
		failed = rw_plan_children(p, error);
		if (!failed)
			failed = rw_run_ops(p, &p->waited, error);
		if (failed)
			return failed;
	}
	return 0;
}

int rw_drain_signals(struct rw_process *p, struct rw_error *error)
{
	for (int drained = 0; p->signalled != -EAGAIN; drained++) {
		int failed = rw_plan_signal(p, error);

		if (!failed)
			failed = rw_run_ops(p, NULL, error);
		if (failed)
			return failed;
		if (drained > PENDING_AT_MOST)
			return rw_fail(error, RW_KERNEL_STATE, 0, "pending signals do not end");
	}
	return 0;
}

int rw_check_posix_timers(struct rw_process *p, struct rw_error *error)
{
	return refuse_posix_timers(p, RW_KERNEL_STATE, error);
}

/* Line by line, which stand in the same order: most are equal, and only of the others the key is looked up. */
static int compare_status(struct rw_process *p, bool oracle, struct rw_error *error)
{
	char text[STATUS_SIZE];
	const char *was = p->image->kernel.status, *is = text;
	int failed = read_status(p, text, error);

	if (failed)
		return failed;
	while (*was && *is) {
		size_t was_length = strcspn(was, "\n"), is_length = strcspn(is, "\n");

		if ((was_length != is_length || memcmp(was, is, was_length)) &&
		    (begins_with(was, lasting) || (oracle && begins_with(was, passing))))
			return rw_fail(error, oracle ? RW_DIFFERENCE : RW_KERNEL_STATE, 0, "status differs: was \"%.*s\", is \"%.*s\"",
				       (int)was_length, was, (int)is_length, is);
		was += was_length + (was[was_length] == '\n');
		is += is_length + (is[is_length] == '\n');
	}
	return *was || *is ? rw_fail(error, RW_KERNEL_STATE, 0, "status has other lines") : 0;
}

static size_t line_length(const char *text)
{
	const size_t length = strcspn(text, "\n");

	return length + (text[length] == '\n');
}

bool rw_status_lasts(const char *was, const char *is)
{
	while (*was && *is) {
		const size_t was_length = line_length(was), is_length = line_length(is);

		if (begins_with(was, lasting) && (was_length != is_length || memcmp(was, is, was_length)))
			return false;
		was += was_length;
		is += is_length;
	}
	return !*was && !*is;
}

char *rw_status_of_level(const char *own, const char *level)
{
	char *text = malloc(strlen(own) + strlen(level) + 1), *to = text;

	while (text && *own && *level) {
		const char *from = begins_with(level, passing) ? level : own;

		memcpy(to, from, line_length(from));
		to += line_length(from);
		own += line_length(own);
		level += line_length(level);
	}
	if (text)
		*to = 0;
	return text;
}

int rw_check_status(struct rw_process *p, struct rw_error *error)
{
	return compare_status(p, false, error);
}

int rw_kernel_compare(struct rw_process *p, struct rw_error *error)
{
	int failed = compare_status(p, true, error);

	if (!failed)
		failed = refuse_posix_timers(p, RW_DIFFERENCE, error);
	return failed ? failed : rw_inside_compare(p, error);
}
