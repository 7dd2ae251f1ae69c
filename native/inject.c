/* System calls made, and pages copied, by the rewound process itself. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Waits until a thread that goes on (by PTRACE_CONT or PTRACE_SINGLESTEP) traps. A PTRACE_INTERRUPT of the freeze may
 * still be pending where a signal had stopped the thread first: that stop is passed over. So is a SIGSTOP on its way,
 * which nothing can block: going on without it ends it. Any other signal but SIGTRAP is blocked, so another stop means
 * that something is wrong.
 */
static int await_trap(enum __ptrace_request request, pid_t tid, struct rw_error *error)
{
	for (;;) {
		int status;
		pid_t got;

		do
			got = waitpid(tid, &status, __WALL);
		while (got < 0 && errno == EINTR);
		if (got < 0 || !WIFSTOPPED(status))
			return rw_fail(error, RW_PROCESS_GONE, got < 0 ? errno : 0, "thread %d died", tid);
		if (status >> 16 == PTRACE_EVENT_STOP || WSTOPSIG(status) == SIGSTOP) {
			if (ptrace(request, tid, 0, 0))
				return rw_fail(error, RW_PROCESS_GONE, errno, "thread %d", tid);
			continue;
		}
		if (WSTOPSIG(status) == SIGTRAP)
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
	failed = await_trap(PTRACE_SINGLESTEP, tid, error);
	if (failed)
		return failed;
	if (ptrace(PTRACE_GETREGS, tid, 0, &regs))
		return rw_fail(error, RW_INJECTION, errno, "cannot read the registers of thread %d", tid);
	*result = regs.rax;
	if ((int64_t)regs.rax < 0 && (int64_t)regs.rax >= -4095)
		return rw_fail(error, RW_INJECTION, (int)-(int64_t)regs.rax, "injected system call %ld", nr);
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

static void aim(const struct rw_process *p, struct user_regs_struct *regs)
{
	regs->rip = p->image->code;
	regs->rbx = p->image->table + TABLE_CONSTANTS;
	regs->rax = 0;
	regs->orig_rax = (uint64_t)-1;
}

/*
 * SAFETY: runs on the leader with the checkpoint's registers, so the thread pointer is valid; the code and the table are
 * shared mappings that the process cannot write, and the caller has seen that they are in place.
 */
int rw_start_ops(struct rw_process *p, struct rw_error *error)
{
	const struct thread *leader = &p->image->threads[0];
	struct user_regs_struct regs = leader->regs;

	RW_STEP(error, "batch");
	ops(p)[p->op_count] = (struct op){ .nr = OP_END };
	aim(p, &regs);
	if (ptrace(PTRACE_SETREGS, leader->tid, 0, &regs))
		return rw_fail(error, RW_INJECTION, errno, "cannot set the registers of thread %d", leader->tid);
	if (ptrace(PTRACE_CONT, leader->tid, 0, 0))
		return rw_fail(error, RW_PROCESS_GONE, errno, "thread %d", leader->tid);
	return 0;
}

int rw_finish_ops(struct rw_process *p, int64_t *captured, struct rw_error *error)
{
	const struct thread *leader = &p->image->threads[0];
	struct user_regs_struct regs;
	uint64_t count = p->op_count;
	int failed = await_trap(PTRACE_CONT, leader->tid, error);

	p->op_count = 0;
	if (failed)
		return failed;
	if (ptrace(PTRACE_GETREGS, leader->tid, 0, &regs))
		return rw_fail(error, RW_INJECTION, errno, "cannot read the registers of thread %d", leader->tid);
	if (regs.rip != p->image->code + (uint64_t)(rw_parasite_end - rw_parasite_start))
		return rw_fail(error, RW_INJECTION, 0, "injected code stopped at %llx", (unsigned long long)regs.rip);
	if (regs.r12) {
		uint64_t index = (regs.r13 - p->image->table - TABLE_CONSTANTS) / sizeof(struct op);
		const struct op *op = index < count ? &ops(p)[index] : NULL;

		return rw_fail(error, RW_INJECTION, (int)-(int64_t)regs.r14,
			       "%llu of %llu injected calls failed, last call %lld(%llx, %llx)",
			       (unsigned long long)regs.r12, (unsigned long long)count,
			       op ? (long long)op->nr : -1, op ? (unsigned long long)op->arg[0] : 0,
			       op ? (unsigned long long)op->arg[1] : 0);
	}
	if (captured)
		*captured = (int64_t)regs.r15;
	/* The process can read the table: it must not tell what was put back. */
	memset(ops(p), 0, (count + 1) * sizeof(struct op));
	memset(p->table + TABLE_PASSING, 0, TABLE_CONSTANTS - TABLE_PASSING);
	return 0;
}

int rw_run_ops(struct rw_process *p, int64_t *captured, struct rw_error *error)
{
	int failed = rw_start_ops(p, error);

	return failed ? failed : rw_finish_ops(p, captured, error);
}

/* SAFETY: the thread was born after the checkpoint; memory it touches on its way out is put back afterwards. */
int rw_inject_exit(struct rw_process *p, pid_t tid, struct rw_error *error)
{
	struct user_regs_struct regs;
	int failed, status;

	RW_STEP(error, "exit");
	failed = rw_block_signals(tid, error);
	if (failed)
		return failed;
	if (ptrace(PTRACE_GETREGS, tid, 0, &regs))
		return rw_fail(error, RW_PROCESS_GONE, errno, "thread %d", tid);
	ops(p)[0] = (struct op){ .nr = SYS_exit };
	ops(p)[1] = (struct op){ .nr = OP_END };
	aim(p, &regs);
	if (ptrace(PTRACE_SETREGS, tid, 0, &regs))
		return rw_fail(error, RW_PROCESS_GONE, errno, "thread %d", tid);
	do {
		if (ptrace(PTRACE_CONT, tid, 0, 0) && errno != ESRCH)
			return rw_fail(error, RW_INJECTION, errno, "cannot end thread %d", tid);
		if (waitpid(tid, &status, __WALL) < 0)
			return errno == ECHILD ? 0 : rw_fail(error, RW_INJECTION, errno, "cannot end thread %d", tid);
	} while (WIFSTOPPED(status) && (status >> 16 == PTRACE_EVENT_STOP || WSTOPSIG(status) == SIGSTOP));
	memset(ops(p), 0, 2 * sizeof(struct op));
	if (WIFSTOPPED(status))
		return rw_fail(error, RW_INJECTION, 0, "thread %d stopped by signal %d instead of ending", tid,
			       WSTOPSIG(status));
	return 0;
}
