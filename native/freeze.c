/* All threads of a process stopped, or none: attach, stop, and let go again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Attaches to one thread and asks it to stop. -ESRCH: it has ended. */
static int seize(struct frozen *frozen, pid_t tid)
{
	uint64_t tid_capacity = frozen->capacity, signal_capacity = frozen->capacity;

	if (rw_reserve(&frozen->tids, &tid_capacity, frozen->count + 1, sizeof(pid_t)) ||
	    rw_reserve(&frozen->signals, &signal_capacity, frozen->count + 1, sizeof(int)))
		return -ENOMEM;
	frozen->capacity = (uint32_t)tid_capacity;
	if (trace(PTRACE_SEIZE, tid, 0, SEIZE_OPTIONS))
		return -errno;
	if (trace(PTRACE_INTERRUPT, tid, 0, 0)) {
		int failed = errno;

		trace(PTRACE_DETACH, tid, 0, 0);
		return -failed;
	}
	frozen->tids[frozen->count] = tid;
	frozen->signals[frozen->count++] = NOT_YET_STOPPED;
	return 0;
}

/*
 * Waits until thread i has stopped. A signal on its way to delivery stops it as well: it is frozen all the same, and
 * the signal is handed back at a thaw that changed nothing.
 */
static int await_stop(struct frozen *frozen, uint32_t i)
{
	int status;
	pid_t got;

	do
		got = waitpid(frozen->tids[i], &status, __WALL);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	if (!WIFSTOPPED(status))
		return -ESRCH;
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
		DIR *folder;

		if (stat(path, &seen))
			return rw_fail(error, RW_PROCESS_GONE, errno, "process %d", frozen->pid);
		if (seen.st_nlink == frozen->count + 2)
			return 0;
		folder = opendir(path);
		if (!folder)
			return rw_fail(error, RW_PROCESS_GONE, errno, "process %d", frozen->pid);
		while ((entry = readdir(folder))) {
			pid_t tid = (pid_t)atoi(entry->d_name);
			int failed;

			if (tid <= 0 || contains(frozen, tid))
				continue;
			failed = seize(frozen, tid);
			if (failed && failed != -ESRCH) {
				closedir(folder);
				return rw_fail(error, RW_SYSTEM, -failed, "cannot attach to thread %d", tid);
			}
		}
		closedir(folder);
		for (uint32_t i = before; i < frozen->count;)
			if (await_stop(frozen, i))
				forget(frozen, i);
			else
				i++;
		if (frozen->count == before)
			return 0;
	}
}

int rw_freeze(pid_t pid, const pid_t *known, uint32_t known_count, struct frozen *frozen, struct rw_error *error)
{
	struct frozen work cleanup_(rw_thaw) = { .pid = pid };
	int failed;

	for (uint32_t i = 0; i < known_count; i++) {
		failed = seize(&work, known[i]);
		if (failed == -ESRCH)
			return rw_fail(error, known[i] == pid ? RW_PROCESS_GONE : RW_LOST_THREAD, ESRCH,
				       "thread %d of process %d", known[i], pid);
		if (failed)
			return rw_fail(error, RW_SYSTEM, -failed,
				       "cannot attach to thread %d (needs CAP_SYS_PTRACE and CAP_SYS_ADMIN)", known[i]);
	}
	for (uint32_t i = 0; i < known_count; i++)
		if (await_stop(&work, i)) {
			pid_t lost = work.tids[i];

			forget(&work, i);
			return rw_fail(error, lost == pid ? RW_PROCESS_GONE : RW_LOST_THREAD, ESRCH,
				       "thread %d of process %d", lost, pid);
		}
	work.known = known_count;
	failed = seize_newcomers(&work, error);
	if (failed)
		return failed;
	*frozen = work;
	work = (struct frozen){ 0 };
	return 0;
}

/*
 * Kills the process and collects the threads we trace, so that its parent can reap it. The leader last: the kernel does not
 * report its end before every other traced thread has been collected.
 */
void rw_kill_frozen(struct frozen *frozen)
{
	int status;

	kill(frozen->pid, SIGKILL);
	for (uint32_t i = frozen->count; i-- > 0;)
		while (waitpid(frozen->tids[i], &status, __WALL) > 0 && WIFSTOPPED(status))
			;
	frozen->count = 0;
}

void rw_thaw(struct frozen *frozen)
{
	if (frozen->touched && frozen->count)
		rw_kill_frozen(frozen);
	/* The leader last: it is the one that answers, and it should find the others running. Only a stopped thread can be
	 * let go. */
	for (uint32_t i = frozen->count; i-- > 0;)
		if (frozen->signals[i] != NOT_YET_STOPPED || await_stop(frozen, i) == 0)
			trace(PTRACE_DETACH, frozen->tids[i], 0, (uintptr_t)frozen->signals[i]);
	rw_free(&frozen->tids);
	rw_free(&frozen->signals);
	frozen->count = frozen->capacity = 0;
}
