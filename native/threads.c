/* Registers, vector state and signal mask of one stopped thread: read, put back, compared. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* The processor's own note that an instruction has faulted and is begun again, which no program can read. */
#define EFLAGS_RESUME (1ULL << 16)

/* Where the kernel's form of the vector state has XSTATE_BV. */
#define XSTATE_IN_USE 512

/* What the kernel leaves in rax where a stop interrupted a system call that it means to make again. */
enum { ERESTARTSYS = 512, ERESTARTNOINTR = 513, ERESTARTNOHAND = 514, ERESTART_RESTARTBLOCK = 516 };

static bool was_interrupted(const struct user_regs_struct *regs)
{
	int64_t rax = (int64_t)regs->rax;

	if ((int64_t)regs->orig_rax < 0)
		return false;
	switch (rax) {
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		return true;
	case -EINTR:	/* epoll answers this on any stop, where nothing has happened yet */
		return regs->orig_rax == SYS_epoll_wait || regs->orig_rax == SYS_epoll_pwait ||
		       regs->orig_rax == SYS_epoll_pwait2;
	default:
		return false;
	}
}

/*
 * The checkpoint holds the thread just before its system call, so that it is simply made again. A restart block
 * (-516) lives in the kernel and is gone by the time of a rewind: such a call must never be resumed as it is.
 */
static bool normalise(struct user_regs_struct *regs)
{
	bool interrupted = was_interrupted(regs);

	if (interrupted) {
		regs->rip -= 2;
		regs->rax = regs->orig_rax;
	}
	regs->orig_rax = (uint64_t)-1;
	regs->eflags &= ~EFLAGS_RESUME;
	return interrupted;
}

int rw_thread_save(pid_t tid, struct thread *thread, bool *waiting, struct rw_error *error)
{
	uint8_t xstate[MAX_XSTATE];
	struct iovec vector = { xstate, sizeof(xstate) };
	struct rw_ptrace_rseq rseq = { 0 };
	size_t length;

	thread->tid = tid;
	if (ptrace(PTRACE_GETREGS, tid, 0, &thread->regs) ||
	    ptrace(PTRACE_GETREGSET, tid, NT_X86_XSTATE, &vector) ||
	    ptrace(PTRACE_GETSIGMASK, tid, sizeof(thread->signal_mask), &thread->signal_mask))
		return rw_fail(error, RW_SYSTEM, errno, "cannot read the registers of thread %d", tid);
	*waiting = normalise(&thread->regs);
	thread->xstate = malloc(vector.iov_len);
	if (!thread->xstate)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "vector state of thread %d", tid);
	memcpy(thread->xstate, xstate, vector.iov_len);
	thread->xstate_length = (uint32_t)vector.iov_len;
	/* EIO: a kernel older than 5.13. */
	if (ptrace(RW_PTRACE_GET_RSEQ, tid, sizeof(rseq), &rseq) < 0 && errno != EIO)
		return rw_fail(error, RW_SYSTEM, errno, "cannot find the rseq area of thread %d", tid);
	thread->rseq = rseq.pointer;
	thread->rseq_size = rseq.size;
	thread->rseq_signature = rseq.signature;
	if (syscall(SYS_get_robust_list, tid, &thread->robust_list, &length))
		return rw_fail(error, RW_SYSTEM, errno, "cannot read the robust list of thread %d", tid);
	return 0;
}

/* SAFETY: the thread is stopped, and its memory is already the checkpoint's, which these registers belong to. */
static int set_general(const struct thread *thread, struct rw_error *error)
{
	return ptrace(PTRACE_SETREGS, thread->tid, 0, &thread->regs)
		       ? rw_fail(error, RW_SYSTEM, errno, "cannot set the registers of thread %d", thread->tid)
		       : 0;
}

/* SAFETY: it was saved in this stop: all that is set is that its call begins anew. */
int rw_call_anew(const struct thread *thread, struct rw_error *error)
{
	return set_general(thread, error);
}

static int set_vectors(const struct thread *thread, struct rw_error *error)
{
	struct iovec vector = { thread->xstate, thread->xstate_length };

	return ptrace(PTRACE_SETREGSET, thread->tid, NT_X86_XSTATE, &vector)
		       ? rw_fail(error, RW_SYSTEM, errno, "cannot set the vector registers of thread %d", thread->tid)
		       : 0;
}

static int set_mask(const struct thread *thread, struct rw_error *error)
{
	return ptrace(PTRACE_SETSIGMASK, thread->tid, sizeof(thread->signal_mask), &thread->signal_mask)
		       ? rw_fail(error, RW_SYSTEM, errno, "cannot set the signal mask of thread %d", thread->tid)
		       : 0;
}

static int for_each(const struct thread *threads, uint32_t first, uint32_t end,
		    int (*set)(const struct thread *thread, struct rw_error *error), struct rw_error *error)
{
	int failed = 0;

	for (uint32_t i = first; i < end && !failed; i++)
		failed = set(&threads[i], error);
	return failed;
}

int rw_put_back_general(struct rw_process *p, struct rw_error *error)
{
	return for_each(p->image->threads, p->first_thread, p->end_thread, set_general, error);
}

int rw_put_back_vectors(struct rw_process *p, struct rw_error *error)
{
	return for_each(p->image->threads, p->first_thread, p->end_thread, set_vectors, error);
}

int rw_put_back_masks(struct rw_process *p, struct rw_error *error)
{
	return for_each(p->image->threads, p->first_thread, p->end_thread, set_mask, error);
}

int rw_registers_set(const struct thread *threads, uint32_t first, uint32_t end, struct rw_error *error)
{
	int failed = for_each(threads, first, end, set_general, error);

	if (!failed)
		failed = for_each(threads, first, end, set_vectors, error);
	return failed ? failed : for_each(threads, first, end, set_mask, error);
}

/* Where a page of a thread's rseq area is saved; NULL: nowhere, or there is none. */
static const struct extent *sequence_saved(const struct image *image, const struct thread *thread)
{
	const struct extent *extent = rw_extent_at(image, thread->rseq);
	bool is_saved = thread->rseq && extent != image->extents + image->extent_count && extent->start <= thread->rseq;

	return is_saved ? extent : NULL;
}

bool rw_sequence_is_whole(const struct image *image, const struct thread *thread)
{
	const struct extent *extent = sequence_saved(image, thread);

	return !extent || thread->rseq_size <= extent->end - thread->rseq;
}

/* Written from outside: the bytes are the image's again, and no thread runs before the thaw. */
int rw_put_back_cpu_number(struct rw_process *p, struct rw_error *error)
{
	for (uint32_t i = 0; i < p->image->thread_count; i++) {
		const struct thread *thread = &p->image->threads[i];
		const struct extent *extent = sequence_saved(p->image, thread);
		int failed;

		if (!extent)
			continue;
		failed = rw_write_memory(p, thread->rseq, rw_saved_here(p, extent, thread->rseq), thread->rseq_size);
		if (failed)
			return rw_fail(error, RW_SYSTEM, -failed, "cannot write the rseq area of thread %d", thread->tid);
	}
	return 0;
}

int rw_leave_critical_sections(struct rw_process *p, struct rw_error *error)
{
	static const uint64_t none;

	for (uint32_t i = 0; i < p->frozen->count; i++) {
		pid_t tid = p->frozen->tids[i];
		struct rw_ptrace_rseq rseq = { 0 };
		int failed = 0;

		if (ptrace(RW_PTRACE_GET_RSEQ, tid, sizeof(rseq), &rseq) <= 0)
			return rw_fail(error, RW_SYSTEM, errno, "cannot find the rseq area of thread %d", tid);
		if (i < p->frozen->known && rseq.pointer != p->image->threads[i].rseq)
			return rw_fail(error, RW_KERNEL_STATE, 0, "thread %d: rseq is registered elsewhere", tid);
		if (rseq.pointer)
			failed = rw_write_memory(p, rseq.pointer + RW_RSEQ_SECTION, &none, sizeof(none));
		if (failed)
			return rw_fail(error, RW_INJECTION, -failed, "cannot write the rseq area of thread %d", tid);
	}
	return 0;
}

int rw_block_signals(pid_t tid, struct rw_error *error)
{
	/* Those two stay open: were they blocked, the kernel would reset their handlers at a single step, or the code's end. */
	uint64_t all = ~(1ULL << (SIGTRAP - 1) | 1ULL << (SIGSEGV - 1));

	if (ptrace(PTRACE_SETSIGMASK, tid, sizeof(all), &all))
		return rw_fail(error, RW_SYSTEM, errno, "cannot block the signals of thread %d", tid);
	return 0;
}

static void free_thread(struct thread *thread)
{
	rw_free(&thread->xstate);
}

/*
 * Which components the processor holds to be in use may differ where none is: it can find one to be as it was initially, or
 * not look. What the kernel gives of a component that is not in use is that initial state.
 */
static bool tells_what_is_in_use(uint32_t at)
{
	return at >= XSTATE_IN_USE && at < XSTATE_IN_USE + sizeof(uint64_t);
}

static int compare_vectors(const struct thread *was, const struct thread *is, struct rw_error *error)
{
	if (is->xstate_length != was->xstate_length)
		return rw_fail(error, RW_DIFFERENCE, 0, "thread %d: vector state has another size", was->tid);
	for (uint32_t i = 0; i < is->xstate_length; i++)
		if (is->xstate[i] != was->xstate[i] && !tells_what_is_in_use(i))
			return rw_fail(error, RW_DIFFERENCE, 0, "thread %d: vector state differs at byte %u", was->tid, i);
	return 0;
}

int rw_thread_compare(const struct thread *thread, struct rw_error *error)
{
	struct thread now cleanup_(free_thread) = { 0 };
	const unsigned long long *was = (const void *)&thread->regs;
	const unsigned long long *is = (const void *)&now.regs;
	bool waiting;
	int failed = rw_thread_save(thread->tid, &now, &waiting, error);

	if (failed)
		return failed;
	for (size_t i = 0; i < sizeof(now.regs) / sizeof(*is); i++)
		if (was[i] != is[i])
			return rw_fail(error, RW_DIFFERENCE, 0, "thread %d: general register %zu is %llx, was %llx",
				       thread->tid, i, is[i], was[i]);
	if (now.signal_mask != thread->signal_mask)
		return rw_fail(error, RW_DIFFERENCE, 0, "thread %d: signal mask is %llx, was %llx", thread->tid,
			       (unsigned long long)now.signal_mask, (unsigned long long)thread->signal_mask);
	if (now.rseq != thread->rseq)
		return rw_fail(error, RW_DIFFERENCE, 0, "thread %d: rseq is registered elsewhere", thread->tid);
	if (now.robust_list != thread->robust_list)
		return rw_fail(error, RW_DIFFERENCE, 0, "thread %d: the robust list is elsewhere", thread->tid);
	return compare_vectors(thread, &now, error);
}
