/* All threads of a process stopped, or none: attach, stop, and let go again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_YET_STOPPED (-1)
#define SEIZE_OPTIONS (PTRACE_O_EXITKILL | RW_PTRACE_O_SUSPEND_SECCOMP)

static long trace(int request, pid_t tid, uintptr_t address, uintptr_t data)
{
	return syscall(SYS_ptrace, request, tid, address, data);
}

static bool contains(const struct frozen *frozen, pid_t tid)
{
	for (uint32_t i = 0; i < frozen->count; i++)
		if (frozen->tids[i] == tid)
			return true;
	return false;
}

/* In between a thread's end and its disappearance ptrace answers as to a thread that must not be traced. */
static bool has_ended(pid_t pid, pid_t tid)
{
	char path[64], text[512];
	const char *state;
	ssize_t got;
	int fd cleanup_(rw_close) = -1;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	if (got <= 0)
		return true;
	text[got] = 0;
	state = strrchr(text, ')');
	return state && (state[2] == 'Z' || state[2] == 'X');
}

/* Its number may be another's by now, of whatever process: ids are given again. As long as we trace it, it stays its own. */
static bool is_ours(const struct frozen *frozen, pid_t tid)
{
	return !syscall(SYS_tgkill, frozen->pid, tid, 0);
}

static bool is_there(int pidfd)
{
	return pidfd < 0 || !syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0);
}

/* Attaches to one thread and asks it to stop. -ESRCH: it has ended, or is not of the process. */
static int seize(struct frozen *frozen, pid_t tid)
{
	uint64_t tid_capacity = frozen->capacity, signal_capacity = frozen->capacity;

	if (!is_ours(frozen, tid))
		return -ESRCH;
	if (rw_reserve(&frozen->tids, &tid_capacity, frozen->count + 1, sizeof(pid_t)) ||
	    rw_reserve(&frozen->signals, &signal_capacity, frozen->count + 1, sizeof(int)))
		return -ENOMEM;
	frozen->capacity = (uint32_t)tid_capacity;
	if (trace(PTRACE_SEIZE, tid, 0, SEIZE_OPTIONS)) {
		int failed = errno;

		return failed == EPERM && has_ended(frozen->pid, tid) ? -ESRCH : -failed;
	}
	frozen->tids[frozen->count] = tid;
	frozen->signals[frozen->count++] = NOT_YET_STOPPED;
	if (trace(PTRACE_INTERRUPT, tid, 0, 0)) {
		/* It runs and is traced, and only a stopped one could be let go. */
		frozen->touched = true;
		return -errno;
	}
	return is_ours(frozen, tid) ? 0 : -ECHILD;
}

/*
 * A leader's end is not reported before those of all other traced threads have been collected (kernel/exit.c,
 * delay_group_leader). So whoever waits for the leader of a process that is killed meanwhile would wait for ever: the end of
 * any other of its threads, looked at and not collected, tells of its own.
 */
pid_t rw_wait(pid_t tid, int *status)
{
	pid_t got = 0;

	do {
		siginfo_t seen = { 0 };
		bool mine, ended;

		if (waitid(P_ALL, 0, &seen, WEXITED | WSTOPPED | WNOWAIT | __WALL | __WNOTHREAD) && errno == EINTR)
			continue;
		mine = seen.si_pid == tid;
		ended = seen.si_code == CLD_KILLED || seen.si_code == CLD_DUMPED || seen.si_code == CLD_EXITED;
		if (!mine && ended && !syscall(SYS_tgkill, tid, seen.si_pid, 0))
			return 0;
		/* A stop that was seen is over before it is taken where the process is killed in between. */
		got = waitpid(tid, status, __WALL | (mine ? WNOHANG : 0));
	} while (!got || (got < 0 && errno == EINTR));
	return got;
}

/*
 * Waits until thread i has stopped. A signal on its way to delivery stops it as well: it is frozen all the same, and
 * the signal is handed back at a thaw that changed nothing. -ESRCH: it has ended, and is no longer traced. -EOWNERDEAD: its
 * process has been killed, and it is still to be collected.
 */
static int await_stop(struct frozen *frozen, uint32_t i)
{
	int status;
	pid_t got = rw_wait(frozen->tids[i], &status);

	if (got <= 0)
		return got ? -errno : -EOWNERDEAD;
	if (!WIFSTOPPED(status)) {
		frozen->killed |= WIFSIGNALED(status);
		return -ESRCH;
	}
	frozen->signals[i] = 0;
	if (status >> 16 == PTRACE_EVENT_STOP)
		frozen->group_stopped |= WSTOPSIG(status) != SIGTRAP;
	else if (status >> 16 == 0)
		frozen->signals[i] = WSTOPSIG(status);
	return 0;
}

/* Takes thread i out of the list: it has ended and is no longer traced. */
static void forget(struct frozen *frozen, uint32_t i)
{
	frozen->tids[i] = frozen->tids[--frozen->count];
	frozen->signals[i] = frozen->signals[frozen->count];
}

/*
 * Stops threads born since. A thread that is still running may create another while we look, so it goes on until one
 * look finds nobody new; a stopped thread creates nobody. The link count of the task folder is 2 + threads: in the
 * usual case the list itself need not be read.
 */
static int seize_newcomers(struct frozen *frozen, struct rw_error *error)
{
	char path[40];
	struct stat seen;

	snprintf(path, sizeof(path), "/proc/%d/task", frozen->pid);
	for (;;) {
		struct dirent *entry;
		uint32_t before = frozen->count;
		bool has_seen_new = false;
		DIR *folder;
		int failed;

		if (stat(path, &seen))
			return rw_fail(error, RW_PROCESS_GONE, errno, "process %d", frozen->pid);
		if (seen.st_nlink == frozen->count + 2)
			return 0;
		folder = opendir(path);
		if (!folder)
			return rw_fail(error, RW_PROCESS_GONE, errno, "process %d", frozen->pid);
		while (errno = 0, (entry = readdir(folder))) {
			pid_t tid = (pid_t)atoi(entry->d_name);

			if (tid <= 0 || contains(frozen, tid))
				continue;
			has_seen_new = true;
			failed = seize(frozen, tid);
			if (failed && (failed != -ESRCH || frozen->touched)) {
				closedir(folder);
				return rw_fail(error, RW_SYSTEM, -failed, "cannot attach to thread %d", tid);
			}
		}
		failed = errno;
		closedir(folder);
		if (failed)
			return rw_fail(error, RW_SYSTEM, failed, "cannot list %s", path);
		for (uint32_t i = before; i < frozen->count;)
			if (await_stop(frozen, i))
				forget(frozen, i);
			else
				i++;
		/* One that has ended meanwhile may have made another before. */
		if (!has_seen_new)
			return 0;
	}
}

static int freeze(int pidfd, const pid_t *known, uint32_t known_count, struct frozen *work, struct rw_error *error)
{
	const pid_t pid = work->pid;
	int failed;

	if (!is_there(pidfd))
		return rw_fail(error, RW_PROCESS_GONE, ESRCH, "process %d", pid);
	for (uint32_t i = 0; i < known_count; i++) {
		failed = seize(work, known[i]);
		if (failed == -ESRCH || failed == -ECHILD)
			return rw_fail(error, known[i] == pid ? RW_PROCESS_GONE : RW_LOST_THREAD, ESRCH,
				       "thread %d of process %d", known[i], pid);
		if (failed)
			return rw_fail(error, RW_SYSTEM, -failed,
				       "cannot attach to thread %d (needs CAP_SYS_PTRACE and CAP_SYS_ADMIN)", known[i]);
	}
	/* The leader last: rw_wait() takes what others have to say but their ends for nothing. */
	for (uint32_t i = known_count; i-- > 0;) {
		pid_t lost = work->tids[i];

		failed = await_stop(work, i);
		if (!failed)
			continue;
		if (failed != -EOWNERDEAD)
			forget(work, i);
		return rw_fail(error, lost == pid || work->killed ? RW_PROCESS_GONE : RW_LOST_THREAD, ESRCH,
			       "thread %d of process %d", lost, pid);
	}
	/* What is traced keeps its number: so all of these were the process's. */
	if (!is_there(pidfd))
		return rw_fail(error, RW_PROCESS_GONE, ESRCH, "process %d", pid);
	work->known = known_count;
	return seize_newcomers(work, error);
}

int rw_freeze(pid_t pid, int pidfd, const pid_t *known, uint32_t known_count, struct frozen *frozen, struct rw_error *error)
{
	struct frozen work = { .pid = pid };
	int failed = freeze(pidfd, known, known_count, &work, error);

	if (failed) {
		error->untouched = !work.touched;
		return rw_thaw_after(&work, failed, error);
	}
	*frozen = work;
	return 0;
}

/* Waits for the end of a thread that is being killed: as long as we have not, its process cannot be reaped by its parent. */
static void collect(pid_t tid)
{
	int status;
	pid_t got;

	do
		got = waitpid(tid, &status, __WALL);
	while (got < 0 ? errno == EINTR : WIFSTOPPED(status));
}

/* Kills the process and collects the threads we trace, the leader last: see rw_wait(). */
void rw_kill_frozen(struct frozen *frozen)
{
	kill(frozen->pid, SIGKILL);
	for (uint32_t i = frozen->count; i-- > 0;)
		collect(frozen->tids[i]);
	frozen->count = 0;
}

bool rw_thaw(struct frozen *frozen)
{
	bool is_thawed = true;

	if (frozen->touched && frozen->count)
		rw_kill_frozen(frozen);
	/*
	 * The leader last: it is the one that answers, and it should find the others running. Only a stopped thread can be let
	 * go, and nothing but its killing ends a stop. One that cannot must not stay behind stopped, whatever the reason.
	 */
	for (uint32_t i = frozen->count; i-- > 0;) {
		int failed = frozen->signals[i] == NOT_YET_STOPPED ? await_stop(frozen, i) : 0;

		if (failed == -EOWNERDEAD ||
		    (!failed && trace(PTRACE_DETACH, frozen->tids[i], 0, (uintptr_t)frozen->signals[i]))) {
			kill(frozen->pid, SIGKILL);
			collect(frozen->tids[i]);
			is_thawed = false;
		}
	}
	rw_free(&frozen->tids);
	rw_free(&frozen->signals);
	frozen->count = frozen->capacity = 0;
	return is_thawed;
}

int rw_thaw_after(struct frozen *frozen, int failed, struct rw_error *error)
{
	if (rw_thaw(frozen))
		return failed;
	failed = rw_fail(error, RW_PROCESS_GONE, ESRCH, "process %d was killed meanwhile", frozen->pid);
	error->untouched = 0;
	return failed;
}
