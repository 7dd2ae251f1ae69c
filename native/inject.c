/* System calls made, and pages copied, by the rewound process itself. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Sent by a process, not by the fault at the code's end or by single-stepping. */
static bool was_sent(pid_t tid)
{
	siginfo_t info;

	return !ptrace(PTRACE_GETSIGINFO, tid, 0, &info) && info.si_code <= 0;
}

/*
 * The thread has not executed an instruction since it was sent to `at`: what stopped it had happened before. One of each
 * signal can be pending; one that comes again and again is of the thread's being there.
 */
static bool was_pending(pid_t tid, uint64_t at, int *seen)
{
	return ++*seen <= 2 && (uint64_t)ptrace(PTRACE_PEEKUSER, tid, offsetof(struct user_regs_struct, rip), 0) == at;
}

/*
 * Waits until a thread that goes on at `at` (by PTRACE_CONT or PTRACE_SINGLESTEP) traps. A PTRACE_INTERRUPT of the freeze may
 * still be pending where a signal had stopped the thread first: that stop is passed over. So is a SIGSTOP on its way,
 * which nothing can block, and a SIGTRAP or SIGSEGV that was sent, or is of an instruction of the thread's own: going on
 * without it ends it. Any other signal is blocked, so another stop means that something is wrong.
 */
static int await_trap(enum __ptrace_request request, uint64_t at, int signal, pid_t tid, struct rw_error *error)
{
	for (int pending = 0;;) {
		int status;
		pid_t got = rw_wait(tid, &status);

		if (got <= 0 || !WIFSTOPPED(status))
			return rw_fail(error, RW_PROCESS_GONE, got < 0 ? errno : 0, "thread %d died", tid);
		if (status >> 16 == PTRACE_EVENT_STOP || WSTOPSIG(status) == SIGSTOP || was_sent(tid) ||
		    was_pending(tid, at, &pending)) {
			if (ptrace(request, tid, 0, 0))
				return rw_fail(error, RW_PROCESS_GONE, errno, "thread %d", tid);
			continue;
		}
		if (WSTOPSIG(status) == signal)
			return 0;
		return rw_fail(error, RW_INJECTION, 0, "thread %d stopped by signal %d in injected code", tid,
			       WSTOPSIG(status));
	}
}

/* SAFETY: registers only; the caller puts them back. The instruction at `at` was checked to be a system call. */
int rw_inject_step(pid_t tid, const struct user_regs_struct *base, uint64_t at, long nr, const uint64_t arg[6],
		   uint64_t *result, struct rw_error *error)
{
	struct user_regs_struct regs = *base;
	int failed;

	regs.rip = at;
	regs.rax = (uint64_t)nr;
	regs.orig_rax = (uint64_t)-1;
	regs.rdi = arg[0];
	regs.rsi = arg[1];
	regs.rdx = arg[2];
	regs.r10 = arg[3];
	regs.r8 = arg[4];
	regs.r9 = arg[5];
	if (ptrace(PTRACE_SETREGS, tid, 0, &regs))
		return rw_fail(error, RW_INJECTION, errno, "cannot set the registers of thread %d", tid);
	if (ptrace(PTRACE_SINGLESTEP, tid, 0, 0))
		return rw_fail(error, RW_PROCESS_GONE, errno, "thread %d", tid);
	failed = await_trap(PTRACE_SINGLESTEP, at, SIGTRAP, tid, error);
	if (failed)
		return failed;
	if (ptrace(PTRACE_GETREGS, tid, 0, &regs))
		return rw_fail(error, RW_INJECTION, errno, "cannot read the registers of thread %d", tid);
	if ((int64_t)regs.rax < 0 && (int64_t)regs.rax >= -4095)
		return rw_fail(error, RW_INJECTION, (int)-(int64_t)regs.rax, "injected system call %ld", nr);
	*result = regs.rax;
	return 0;
}

static struct op *ops(const struct rw_process *p)
{
	return (struct op *)(void *)(p->table + TABLE_CONSTANTS);
}

int rw_op(struct rw_process *p, struct rw_error *error, int64_t nr, uint64_t flags, uint64_t a, uint64_t b, uint64_t c,
	  uint64_t d, uint64_t e, uint64_t f)
{
	if (p->op_count == TABLE_OPS - 1) {
		int failed = rw_run_ops(p, NULL, error);

		if (failed)
			return failed;
	}
	ops(p)[p->op_count++] = (struct op){ nr, { a, b, c, d, e, f }, flags };
	return 0;
}

int rw_constants_put(struct rw_process *p, uint64_t offset, const void *data, uint64_t length, uint64_t *address)
{
	if (offset + length > TABLE_CONSTANTS)
		return -E2BIG;
	memcpy(p->table + offset, data, length);
	*address = p->image->table + offset;
	return 0;
}

/*
 * Lets a thread work through the entries from `first` on.
 * SAFETY: with the checkpoint's registers, so that the thread pointer is valid; the code and the table are shared mappings
 * that the process cannot write, and the caller has seen that they are in place.
 */
static int start(struct rw_process *p, const struct thread *thread, uint64_t first, struct rw_error *error)
{
	struct user_regs_struct regs = thread->regs;

	regs.rip = p->image->code;
	regs.rbx = first;
	regs.rsp = p->image->table + AT_ZERO;
	regs.rax = 0;
	regs.orig_rax = (uint64_t)-1;
	if (ptrace(PTRACE_SETREGS, thread->tid, 0, &regs))
		return rw_fail(error, RW_INJECTION, errno, "cannot set the registers of thread %d", thread->tid);
	if (ptrace(PTRACE_CONT, thread->tid, 0, 0))
		return rw_fail(error, RW_PROCESS_GONE, errno, "thread %d", thread->tid);
	return 0;
}

/* Waits for its end, where no call may have failed. *captured, *aside: results of the last OP_CAPTURE and OP_CAPTURE_ASIDE. */
static int finish(struct rw_process *p, pid_t tid, int64_t *captured, int64_t *aside, struct rw_error *error)
{
	struct user_regs_struct regs;
	const struct op *op;
	int failed = await_trap(PTRACE_CONT, p->image->code, SIGSEGV, tid, error);

	if (failed)
		return failed;
	if (ptrace(PTRACE_GETREGS, tid, 0, &regs))
		return rw_fail(error, RW_INJECTION, errno, "cannot read the registers of thread %d", tid);
	if (regs.rip != p->image->code + (uint64_t)(rw_parasite_done - rw_parasite_start))
		return rw_fail(error, RW_INJECTION, 0, "injected code stopped at %llx", (unsigned long long)regs.rip);
	*captured = (int64_t)regs.r15;
	*aside = (int64_t)regs.rbp;
	if (!regs.r12)
		return 0;
	if (regs.r13 - p->image->table > TABLE_SIZE - sizeof(*op))
		return rw_fail(error, RW_INJECTION, 0, "injected code says nonsense");
	op = (const struct op *)(const void *)(p->table + (regs.r13 - p->image->table));
	return rw_fail(error, RW_INJECTION, (int)-(int64_t)regs.r14, "%llu injected calls failed, last call %lld(%llx, %llx)",
		       (unsigned long long)regs.r12, (long long)op->nr, (unsigned long long)op->arg[0],
		       (unsigned long long)op->arg[1]);
}

int rw_start_ops(struct rw_process *p, struct rw_error *error)
{
	ops(p)[p->op_count++] = (struct op){ .nr = OP_END };
	if (p->op_count > p->ops_used)
		p->ops_used = p->op_count;
	return start(p, &p->image->threads[0], p->image->table + TABLE_CONSTANTS, error);
}

int rw_finish_ops(struct rw_process *p, int64_t *captured, struct rw_error *error)
{
	int failed = rw_finish_thread_ops(p, error); /* the leader's end is the last: see rw_wait() */

	p->op_count = 0;
	return failed ? failed : finish(p, p->image->threads[0].tid, captured, &p->signalled, error);
}

int rw_clear_table(struct rw_process *p, struct rw_error *error)
{
	(void)error;
	memset(ops(p), 0, p->ops_used * sizeof(struct op));
	memset(p->table + TABLE_PASSING, 0, TABLE_CONSTANTS - TABLE_PASSING);
	p->ops_used = 0;
	return 0;
}

static uint64_t thread_ops_at(uint32_t thread)
{
	return TABLE_THREADS + thread * THREAD_OPS * sizeof(struct op);
}

struct op *rw_thread_ops(const struct rw_process *p, uint32_t thread)
{
	return (struct op *)(void *)(p->table + thread_ops_at(thread));
}

int rw_start_thread_ops(struct rw_process *p, struct rw_error *error)
{
	const struct image *image = p->image;
	int failed = 0;

	p->threads_at_work = true;
	for (uint32_t i = 1; i < image->thread_count && !failed; i++) {
		failed = rw_block_signals(image->threads[i].tid, error);
		if (!failed)
			failed = start(p, &image->threads[i], image->table + thread_ops_at(i), error);
	}
	return failed;
}

/*
 * By its own id, which no later one can have: those of a checkpoint are below the 300 at which a pid namespace begins anew when its
 * ids are used up. The host's may be given again, to a thread with descriptors of its own, say.
 */
static int know_again(struct thread *thread, int64_t inner, struct rw_error *error)
{
	if (!thread->inner)
		thread->inner = (pid_t)inner;
	/* 0: it was not asked. */
	return !inner || inner == thread->inner ? 0 : rw_fail(error, RW_LOST_THREAD, 0, "thread %d is another one, %d and not %d", thread->tid,
						    (int)inner, thread->inner);
}

int rw_finish_thread_ops(struct rw_process *p, struct rw_error *error)
{
	const struct image *image = p->image;
	int failed = 0;

	if (!p->threads_at_work)
		return 0;
	p->threads_at_work = false;
	p->threads_quiet = true;
	for (uint32_t i = 1; i < image->thread_count && !failed; i++) {
		int64_t captured = 0, inner = 0;

		failed = finish(p, image->threads[i].tid, &captured, &inner, error);
		if (!failed)
			failed = know_again(&image->threads[i], inner, error);
		p->threads_quiet &= captured == -EAGAIN;
	}
	return failed;
}

int rw_run_ops(struct rw_process *p, int64_t *captured, struct rw_error *error)
{
	int64_t ignored;
	int failed = rw_start_ops(p, error);

	return failed ? failed : rw_finish_ops(p, captured ? captured : &ignored, error);
}

/*
 * With the leader's registers: the thread's own may hold it in 32-bit mode, for which the code lies elsewhere, or in single
 * steps.
 * SAFETY: the thread was born after the checkpoint; memory it touches on its way out is put back afterwards.
 */
int rw_inject_exit(struct rw_process *p, pid_t tid, struct rw_error *error)
{
	const struct thread thread = { .tid = tid, .regs = p->image->threads[0].regs };
	int status, pending = 0, failed = rw_block_signals(tid, error);

	if (failed)
		return failed;
	ops(p)[0] = (struct op){ .nr = SYS_exit };
	ops(p)[1] = (struct op){ .nr = OP_END };
	if (p->ops_used < 2)
		p->ops_used = 2;
	failed = start(p, &thread, p->image->table + TABLE_CONSTANTS, error);
	if (failed)
		return failed;
	for (;;) {
		if (rw_wait(tid, &status) < 0)
			return errno == ECHILD ? 0 : rw_fail(error, RW_INJECTION, errno, "cannot end thread %d", tid);
		if (!WIFSTOPPED(status))
			return 0;
		if (status >> 16 != PTRACE_EVENT_STOP && WSTOPSIG(status) != SIGSTOP &&
		    !was_sent(tid) && !was_pending(tid, p->image->code, &pending))
			return rw_fail(error, RW_INJECTION, 0, "thread %d stopped by signal %d instead of ending", tid,
				       WSTOPSIG(status));
		if (ptrace(PTRACE_CONT, tid, 0, 0) && errno != ESRCH)
			return rw_fail(error, RW_INJECTION, errno, "cannot end thread %d", tid);
	}
}
