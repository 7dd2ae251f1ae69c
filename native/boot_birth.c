/* Booting from an embryo: a child of it that shares its memory, born where the container is. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS (PTRACE_O_EXITKILL | RW_PTRACE_O_SUSPEND_SECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE)
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET)
#define BETWEEN_ID 4096 /* of the process between the two, in the container: above all that the image's threads have */

void rw_kill_and_collect(pid_t *pid)
{
	int status = 0;
	/* One that has been collected already has an id that may be another's. */
	pid_t got = *pid ? waitpid(*pid, &status, __WALL | WNOHANG) : -1;

	if (got == 0 || (got > 0 && WIFSTOPPED(status)))
		kill(*pid, SIGKILL);
	while (got == 0 || (got > 0 && WIFSTOPPED(status)) || (got < 0 && *pid && errno == EINTR))
		got = waitpid(*pid, &status, __WALL);
	*pid = 0;
}

static int seize(struct rw_process *embryo, struct rw_error *error)
{
	int failed = rw_freeze(embryo->pid, embryo->pidfd, &embryo->pid, 1, embryo->frozen, error);

	if (failed)
		return rw_fail(error, RW_LOST_THREAD, ESRCH, "the embryo %d is gone", embryo->pid);
	if (!ptrace(PTRACE_SETOPTIONS, embryo->pid, 0, OPTIONS))
		return 0;
	failed = errno;
	rw_kill_and_collect(&(pid_t){ embryo->pid });
	return rw_fail(error, RW_LOST_THREAD, failed, "the embryo %d is gone", embryo->pid);
}

/* The next child is to be in the container. Where that fails the child is elsewhere, and ended before it has run. */
static int look_into_container(struct birth *birth, struct rw_error *error)
{
	struct rw_process *embryo = birth->embryo;
	/* It may have been stopped before it could close those of the last birth: their numbers would name another container. */
	int failed = rw_op(embryo, error, SYS_close_range, 0, 0, ~0U, 0, 0, 0, 0);

	if (!failed)
		failed = rw_op(embryo, error, SYS_pidfd_open, 0, (uint64_t)getpid(), 0, 0, 0, 0, 0);
	if (!failed)
		failed = rw_op(embryo, error, SYS_pidfd_getfd, 0, FD_US, (uint64_t)birth->init, 0, 0, 0, 0);
	if (!failed)
		failed = rw_op(embryo, error, SYS_setns, 0, FD_INIT, CLONE_NEWPID, 0, 0, 0, 0);
	return failed;
}

/* Where the parent has stopped for the birth: a stop by SIGSTOP, which nobody can block, is passed over. */
static int await_birth(pid_t parent, int *status, struct rw_error *error)
{
	for (;;) {
		if (rw_wait(parent, status) <= 0 || !WIFSTOPPED(*status))
			return rw_fail(error, RW_PROCESS_GONE, 0, "process %d", parent);
		if (*status >> 16 != PTRACE_EVENT_STOP && *status >> 8 != SIGSTOP)
			return 0;
		if (ptrace(PTRACE_CONT, parent, 0, 0))
			return rw_fail(error, RW_PROCESS_GONE, errno, "process %d", parent);
	}
}

/* Lets whoever has the embryo's table work through it, and last make a child, which is stopped before its first instruction. */
static int bear(struct birth *birth, const struct clone_args *how, pid_t *child, struct rw_error *error)
{
	struct rw_process *embryo = birth->embryo;
	const pid_t parent = embryo->image->threads[0].tid;
	unsigned long id;
	uint64_t address;
	int status, failed;

	if (rw_constants_put(embryo, TABLE_PASSING, how, sizeof(*how), &address))
		return rw_fail(error, RW_SYSTEM, E2BIG, "birth");
	failed = rw_op(embryo, error, SYS_clone3, 0, address, sizeof(*how), 0, 0, 0, 0);
	if (!failed)
		failed = rw_start_ops(embryo, error);
	embryo->op_count = 0;
	if (failed)
		return failed;
	failed = await_birth(parent, &status, error);
	if (failed)
		return failed;
	if (status >> 16 != PTRACE_EVENT_FORK || ptrace(PTRACE_GETEVENTMSG, parent, 0, &id))
		return rw_fail(error, RW_INJECTION, 0, "process %d makes no other (status %x)", parent, (unsigned)status);
	*child = (pid_t)id;
	if (rw_wait(*child, &status) <= 0 || !WIFSTOPPED(status))
		return rw_fail(error, RW_PROCESS_GONE, 0, "process %d", *child);
	if (ptrace(PTRACE_CONT, parent, 0, 0))
		return rw_fail(error, RW_PROCESS_GONE, errno, "process %d", parent);
	return rw_finish_ops(embryo, &(int64_t){ 0 }, error);
}

/*
 * It shares the memory of the embryo, is in the pid namespace of the container, and goes where else the child is to be. Also into its
 * cgroups: so the child has nothing that is charged to the embryo but the pages that they share.
 */
static int bear_between(struct birth *birth, struct rw_error *error)
{
	struct rw_process *embryo = birth->embryo;
	const pid_t wanted = BETWEEN_ID;
	struct clone_args how = { .flags = CLONE_VM, .exit_signal = SIGCHLD, .set_tid_size = 1 };
	int failed = 0;

	if (rw_constants_put(embryo, TABLE_PASSING + sizeof(how), &wanted, sizeof(wanted), (uint64_t *)&how.set_tid))
		return rw_fail(error, RW_SYSTEM, E2BIG, "birth");
	if (birth->joins.folder >= 0) {
		how.flags |= CLONE_INTO_CGROUP;
		how.cgroup = FD_PASSED;
		failed = rw_op(embryo, error, SYS_pidfd_getfd, 0, FD_US, (uint64_t)birth->joins.folder, 0, 0, 0, 0);
	}
	return failed ? failed : bear(birth, &how, &birth->between, error);
}

static int bear_child(struct birth *birth, struct rw_error *error)
{
	const struct clone_args how = { .exit_signal = SIGCHLD };
	int failed = rw_joins_plan(&birth->joins, birth->embryo, error);

	if (!failed)
		failed = rw_op(birth->embryo, error, SYS_setns, 0, FD_INIT, NAMESPACES, 0, 0, 0, 0);
	if (!failed)
		failed = bear(birth, &how, &birth->child, error);
	/* With its end the child is the launcher's. */
	if (!failed)
		failed = rw_inject_exit(birth->embryo, birth->between, error);
	if (!failed)
		birth->between = 0;
	return failed;
}

/* *fd: the table, for the child to map. */
static int make_table(struct rw_process *p, int *fd, struct rw_error *error)
{
	uint8_t *here = MAP_FAILED;
	int failed;

	*fd = memfd_create("rewhisk-table", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd < 0)
		return rw_fail(error, RW_SYSTEM, errno, "cannot make a memory file");
	failed = rw_seal(*fd, TABLE_SIZE, &here, error);
	p->table = here == MAP_FAILED ? NULL : here;
	return failed;
}

/* The child goes over to a table of its own, while it reads the embryo's. */
static int part(struct birth *birth, struct rw_error *error)
{
	struct rw_process *embryo = birth->embryo, *p = birth->boot.p;
	int fd cleanup_(rw_close) = -1;
	int failed = make_table(p, &fd, error);

	if (!failed)
		failed = rw_op(embryo, error, SYS_pidfd_getfd, 0, FD_US, (uint64_t)fd, 0, 0, 0, 0);
	if (!failed)
		failed = rw_op(embryo, error, SYS_mmap, 0, p->image->table, TABLE_SIZE, PROT_READ,
			       MAP_SHARED | MAP_NORESERVE | MAP_FIXED, FD_PASSED, 0);
	if (failed)
		return failed;
	memcpy(p->table + TABLE_CONSTANTS, embryo->table + TABLE_CONSTANTS, embryo->op_count * sizeof(struct op));
	memcpy(p->table + TABLE_CONSTANTS + embryo->op_count * sizeof(struct op), &(struct op){ .nr = OP_END }, sizeof(struct op));
	p->ops_used = embryo->op_count + 1;
	return rw_run_ops(embryo, NULL, error);
}

/*
 * Whoever was killed at the birth of another could not tell us of it: that one is traced all the same, and without us nobody can
 * reap it. The embryo is let go by then.
 */
static void collect_unknown(void)
{
	pid_t got;
	int status;

	while ((got = waitpid(-1, &status, __WALL | __WNOTHREAD)) > 0 || errno == EINTR)
		if (got > 0 && WIFSTOPPED(status))
			kill(got, SIGKILL);
}

/* With the embryo stopped no longer than the memory takes to be shared, and its table lent to those who are born. */
static int give_birth(struct birth *birth, struct rw_error *error)
{
	struct rw_process *embryo = birth->embryo;
	struct rw_error second;
	int failed = seize(embryo, error);

	if (failed)
		return failed;
	embryo->op_count = 0;
	failed = look_into_container(birth, error);
	if (!failed)
		failed = bear_between(birth, error);
	if (rw_embryo_park(embryo, &second)) {
		kill(embryo->pid, SIGKILL);
		rw_kill_and_collect(&(pid_t){ embryo->pid });
	}
	embryo->image->threads[0].tid = birth->between;
	if (!failed)
		failed = bear_child(birth, error);
	embryo->image->threads[0].tid = birth->child;
	if (!failed)
		failed = part(birth, error);
	embryo->image->threads[0].tid = embryo->pid;
	if (failed) {
		/* The container is as it was, and can have a runtime of another kind of birth, unless an id has been used up. */
		if (rw_was_killed(embryo))
			error->reason = birth->child ? RW_PROCESS_GONE : RW_LOST_THREAD;
		rw_kill_and_collect(&birth->between);
		rw_kill_and_collect(&birth->child);
		collect_unknown();
	}
	return failed;
}

int rw_be_born(struct birth *birth, struct rw_error *error)
{
	struct frozen frozen = { 0 };
	int failed;

	pthread_mutex_lock(&birth->embryo->embryo->turn);
	birth->embryo->frozen = &frozen;
	failed = give_birth(birth, error);
	birth->embryo->frozen = NULL;
	pthread_mutex_unlock(&birth->embryo->embryo->turn);
	free(frozen.tids);
	free(frozen.signals);
	return failed;
}
