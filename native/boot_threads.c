/* Booting, last part: what the kernel keeps of the process and of each of its threads, and the threads themselves. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)
#define IDS_AT_MOST 4096

/* Begins with the entries of a rewind: a booted process is one in which all of it has changed. */
static int plan_leader(struct rw_process *p, struct rw_error *error)
{
	static int (*const plans[])(struct rw_process *p, struct rw_error *error) = {
		rw_plan_handlers, rw_plan_interval_timers, rw_plan_alternate_stack, rw_plan_umask,
		rw_plan_directory, rw_plan_name, rw_plan_robust_list, rw_plan_exit_word,
	};
	const struct thread *leader = &p->image->threads[0];
	int failed = 0;

	for (size_t i = 0; i < sizeof(plans) / sizeof(*plans) && !failed; i++)
		failed = plans[i](p, error);
	if (!failed && leader->rseq)
		failed = rw_op(p, error, SYS_rseq, 0, leader->rseq, leader->rseq_size, 0, leader->rseq_signature, 0, 0);
	return failed;
}

/*
 * The ids of a pid namespace are given in turn, and nobody else asks for one in this one. One is used up by a process that
 * cannot be told its descriptor, and so never comes to be.
 */
static int plan_births(struct rw_process *p, struct rw_error *error)
{
	const struct clone_args thread = { .flags = THREAD_FLAGS };
	const struct clone_args nobody = { .flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_PIDFD };
	pid_t next = p->image->threads[0].inner;
	uint64_t born, unborn;
	int failed = 0;

	if (rw_constants_put(p, TABLE_PASSING, &thread, sizeof(thread), &born) ||
	    rw_constants_put(p, TABLE_PASSING + sizeof(thread), &nobody, sizeof(nobody), &unborn))
		return rw_fail(error, RW_SYSTEM, E2BIG, "threads");
	for (uint32_t i = 1; i < p->image->thread_count && !failed; i++) {
		const pid_t wanted = p->image->threads[i].inner;

		if (wanted <= next || wanted - next > IDS_AT_MOST)
			return rw_fail(error, RW_UNSUPPORTED, 0, "thread %d after thread %d", wanted, next);
		while (++next < wanted && !failed)
			failed = rw_op(p, error, SYS_clone3, OP_MAY_FAIL, unborn, sizeof(nobody), 0, 0, 0, 0);
		if (!failed)
			failed = rw_op(p, error, SYS_clone3, 0, born, sizeof(thread), 0, 0, 0, 0);
	}
	return failed;
}

/*
 * The newborn's stop may be there before the leader's. Whoever waited for the leader alone then would wait for ever where the process
 * is killed: a leader's end is not reported before its threads' (rw_wait).
 */
static pid_t await_leader(pid_t leader, int *status)
{
	const struct timespec moment = { 0, 20000 };

	for (;;) {
		siginfo_t seen = { 0 };
		pid_t got = waitpid(leader, status, __WALL | WNOHANG);

		if (got)
			return got;
		if (waitid(P_ALL, 0, &seen, WEXITED | WSTOPPED | WNOWAIT | __WALL | __WNOTHREAD) && errno != EINTR)
			return -1;
		if (seen.si_pid == leader)
			continue;
		if (seen.si_code == CLD_KILLED || seen.si_code == CLD_DUMPED || seen.si_code == CLD_EXITED)
			return 0;
		nanosleep(&moment, NULL);
	}
}

/* Born stopped and traced: it has not executed an instruction when it gets its registers. */
static int await_birth(struct rw_process *p, struct thread *thread, struct rw_error *error)
{
	struct frozen *frozen = p->frozen;
	uint64_t tid_capacity = frozen->capacity, signal_capacity = frozen->capacity;
	unsigned long tid;
	pid_t inner;
	int status, failed;

	if (await_leader(p->pid, &status) <= 0 || !WIFSTOPPED(status))
		return rw_fail(error, RW_PROCESS_GONE, 0, "process %d", p->pid);
	if (status >> 16 != PTRACE_EVENT_CLONE || ptrace(PTRACE_GETEVENTMSG, p->pid, 0, &tid))
		return rw_fail(error, RW_INJECTION, 0, "process %d makes no thread (status %x)", p->pid, (unsigned)status);
	thread->tid = (pid_t)tid;
	if (rw_reserve(&frozen->tids, &tid_capacity, frozen->count + 1, sizeof(pid_t)) ||
	    rw_reserve(&frozen->signals, &signal_capacity, frozen->count + 1, sizeof(int)))
		return rw_fail(error, RW_SYSTEM, ENOMEM, "threads");
	frozen->capacity = (uint32_t)tid_capacity;
	frozen->tids[frozen->count] = thread->tid;
	frozen->signals[frozen->count++] = 0;
	frozen->known = frozen->count;
	if (rw_wait(thread->tid, &status) <= 0 || !WIFSTOPPED(status))
		return rw_fail(error, RW_PROCESS_GONE, 0, "thread %d", thread->tid);
	failed = rw_inner_id(p->pid, thread->tid, &inner, error);
	if (!failed && inner != thread->inner)
		failed = rw_fail(error, RW_UNSUPPORTED, 0, "thread %d has the id %d", thread->inner, inner);
	if (!failed && ptrace(PTRACE_CONT, p->pid, 0, 0))
		failed = rw_fail(error, RW_PROCESS_GONE, errno, "process %d", p->pid);
	return failed;
}

/* By each of the other threads for itself. What else there is of it, a rewind puts back as well. */
static int register_sequences(struct rw_process *p, struct rw_error *error)
{
	int failed;

	for (uint32_t i = 1; i < p->image->thread_count; i++) {
		const struct thread *thread = &p->image->threads[i];
		struct op *ops = rw_thread_ops(p, i);
		uint32_t count = 0;

		if (thread->rseq)
			ops[count++] = (struct op){ SYS_rseq, { thread->rseq, thread->rseq_size, 0, thread->rseq_signature }, 0 };
		ops[count] = (struct op){ .nr = OP_END };
	}
	failed = rw_start_thread_ops(p, error);
	return failed ? failed : rw_finish_thread_ops(p, error);
}

int rw_boot_threads(struct boot *boot, struct rw_error *error)
{
	struct rw_process *p = boot->p;
	pid_t inner;
	int64_t ignored;
	int failed = rw_inner_id(p->pid, p->pid, &inner, error);

	if (!failed && inner != p->image->threads[0].inner)
		failed = rw_fail(error, RW_UNSUPPORTED, 0, "process %d was %d to itself, and is %d", p->pid,
				 p->image->threads[0].inner, inner);
	if (!failed)
		failed = plan_leader(p, error);
	if (!failed)
		failed = plan_births(p, error);
	if (!failed)
		failed = rw_start_ops(p, error);
	for (uint32_t i = 1; i < p->image->thread_count && !failed; i++)
		failed = await_birth(p, &p->image->threads[i], error);
	if (!failed)
		failed = rw_finish_ops(p, &ignored, error);
	if (!failed)
		failed = register_sequences(p, error);
	if (!failed)
		failed = rw_threads_begin(p, error);
	return failed ? failed : rw_threads_put_back(p, error);
}
