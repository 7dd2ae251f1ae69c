/* What the kernel keeps of each thread beside its registers: alternate stack, robust list, exit word, name, pending signals. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define ROBUST_LIST_SIZE 24 /* the only one that set_robust_list() takes */
#define PENDING_AT_MOST 4096

/* Where a thread's constants lie in the process. */
static uint64_t constant(const struct rw_process *p, uint32_t thread, size_t field)
{
	return p->image->table + AT_THREADS + thread * sizeof(struct thread_inside) + field;
}

#define CONSTANT(p, thread, field) constant(p, thread, offsetof(struct thread_inside, field))

static struct op alternate_stack(const struct rw_process *p, uint32_t thread)
{
	return (struct op){ SYS_sigaltstack, { CONSTANT(p, thread, alternate_stack) }, 0 };
}

static struct op name(const struct rw_process *p, uint32_t thread)
{
	return (struct op){ SYS_prctl, { PR_SET_NAME, CONSTANT(p, thread, name) }, 0 };
}

static struct op robust_list(const struct rw_process *p, uint32_t thread)
{
	return (struct op){ SYS_set_robust_list, { p->image->threads[thread].robust_list, ROBUST_LIST_SIZE }, 0 };
}

static struct op exit_word(const struct rw_process *p, uint32_t thread)
{
	return (struct op){ SYS_set_tid_address, { p->image->threads[thread].inside.tid_address }, 0 };
}

/* -- the leader's, in the table of all ---------------------------------------------------------------------------------- */

static int queue(struct rw_process *p, struct op op, struct rw_error *error)
{
	return rw_op(p, error, op.nr, op.flags, op.arg[0], op.arg[1], op.arg[2], op.arg[3], op.arg[4], op.arg[5]);
}

int rw_plan_alternate_stack(struct rw_process *p, struct rw_error *error)
{
	return queue(p, alternate_stack(p, 0), error);
}

int rw_plan_name(struct rw_process *p, struct rw_error *error)
{
	return queue(p, name(p, 0), error);
}

int rw_plan_robust_list(struct rw_process *p, struct rw_error *error)
{
	return queue(p, robust_list(p, 0), error);
}

int rw_plan_exit_word(struct rw_process *p, struct rw_error *error)
{
	return queue(p, exit_word(p, 0), error);
}

/* -- the other threads' ---------------------------------------------------------------------------------------------------- */

/* As soon as mappings are in place again: of the image's memory only the rseq areas change, which are put back at the end. */
int rw_threads_begin(struct rw_process *p, struct rw_error *error)
{
	const struct op take_signal = {
		SYS_rt_sigtimedwait,
		{ p->image->table + AT_ALL_SIGNALS, 0, p->image->table + AT_ZERO, 8 },
		OP_MAY_FAIL | OP_CAPTURE,
	};

	for (uint32_t i = 1; i < p->image->thread_count; i++) {
		struct op *ops = rw_thread_ops(p, i);

		ops[0] = take_signal;
		ops[1] = alternate_stack(p, i);
		ops[2] = name(p, i);
		ops[3] = robust_list(p, i);
		ops[4] = exit_word(p, i);
		ops[4].flags = OP_CAPTURE_ASIDE; /* its answer is the thread's id */
		ops[5] = (struct op){ .nr = OP_END };
	}
	return rw_start_thread_ops(p, error);
}

/* Once more where a signal was pending, of which one goes at a time. */
int rw_threads_put_back(struct rw_process *p, struct rw_error *error)
{
	int failed = rw_finish_thread_ops(p, error);

	for (int tries = 0; !failed && !p->threads_quiet; tries++) {
		if (tries > PENDING_AT_MOST)
			return rw_fail(error, RW_KERNEL_STATE, 0, "pending signals do not end");
		failed = rw_start_thread_ops(p, error);
		if (!failed)
			failed = rw_finish_thread_ops(p, error);
	}
	return failed;
}

static void ask(struct op ops[6], uint64_t at)
{
	const struct op asked[] = {
		{ SYS_sigaltstack, { 0, at + offsetof(struct thread_inside, alternate_stack) }, 0 },
		{ SYS_prctl, { PR_GET_TID_ADDRESS, at + offsetof(struct thread_inside, tid_address) }, 0 },
		{ SYS_rt_sigpending, { at + offsetof(struct thread_inside, pending), 8 }, 0 },
		{ SYS_prctl, { PR_GET_NAME, at + offsetof(struct thread_inside, name) }, 0 },
		{ SYS_gettid, { 0 }, OP_CAPTURE_ASIDE },
		{ .nr = OP_END },
	};

	memcpy(ops, asked, sizeof(asked));
}

int rw_threads_ask(struct rw_process *p, uint64_t at, struct rw_error *error)
{
	struct op leader[6];
	int failed = 0;

	ask(leader, at);
	for (int i = 0; leader[i].nr != OP_END && !failed; i++)
		failed = queue(p, leader[i], error);
	if (!failed)
		failed = rw_run_ops(p, NULL, error);
	for (uint32_t i = 1; i < p->image->thread_count; i++)
		ask(rw_thread_ops(p, i), at + i * sizeof(struct thread_inside));
	if (!failed)
		failed = rw_start_thread_ops(p, error);
	return failed ? failed : rw_finish_thread_ops(p, error);
}

int rw_thread_inside_compare(const struct thread *was, const struct thread_inside *is, struct rw_error *error)
{
	if (memcmp(was->inside.alternate_stack, is->alternate_stack, sizeof(is->alternate_stack)))
		return rw_fail(error, RW_DIFFERENCE, 0, "thread %d: the alternate signal stack differs", was->tid);
	if (was->inside.tid_address != is->tid_address)
		return rw_fail(error, RW_DIFFERENCE, 0, "thread %d: the word cleared at its end is elsewhere", was->tid);
	if (was->inside.pending != is->pending)
		return rw_fail(error, RW_DIFFERENCE, 0, "thread %d: signals %llx are pending", was->tid,
			       (unsigned long long)is->pending);
	if (memcmp(was->inside.name, is->name, sizeof(is->name)))
		return rw_fail(error, RW_DIFFERENCE, 0, "thread %d: name is \"%.16s\", was \"%.16s\"", was->tid, is->name,
			       was->inside.name);
	return 0;
}
