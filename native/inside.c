/* What only the process itself can ask the kernel: handlers, timers, break, directory, and of each thread its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static int ask(struct rw_process *p, struct rw_error *error, int64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return rw_op(p, error, nr, 0, a, b, c, d, 0, 0);
}

static int ask_all(struct rw_process *p, uint64_t at, struct inside *inside, struct thread_inside *threads,
		   struct rw_error *error)
{
	const uint64_t size = p->image->thread_count * sizeof(*threads);
	int64_t program_break = 0;
	int failed = 0;

	for (uint64_t signal = 1; signal <= SIGNALS && !failed; signal++)
		failed = ask(p, error, SYS_rt_sigaction, signal, 0, at + offsetof(struct inside, actions[signal - 1]), 8);
	for (uint64_t which = ITIMER_REAL; which <= ITIMER_PROF && !failed; which++)
		failed = ask(p, error, SYS_getitimer, which, at + offsetof(struct inside, timers[which]), 0, 0);
	if (!failed)
		failed = ask(p, error, SYS_getcwd, at + offsetof(struct inside, cwd), CWD_SIZE, 0, 0);
	if (!failed)
		failed = rw_op(p, error, SYS_brk, OP_CAPTURE, 0, 0, 0, 0, 0, 0);
	if (!failed)
		failed = rw_run_ops(p, &program_break, error);
	if (!failed)
		failed = rw_threads_ask(p, at + sizeof(*inside), error);
	if (failed)
		return failed;
	failed = rw_read_memory(p, at, inside, sizeof(*inside));
	if (!failed)
		failed = rw_read_memory(p, at + sizeof(*inside), threads, size);
	inside->program_break = (uint64_t)program_break;
	return failed ? rw_fail(error, RW_SYSTEM, -failed, "cannot read what process %d says of itself", p->pid) : 0;
}

int rw_inside_look(struct rw_process *p, struct inside *inside, struct thread_inside *threads, struct rw_error *error)
{
	const uint64_t size = sizeof(*inside) + p->image->thread_count * sizeof(*threads);
	int64_t at = 0;
	int failed = rw_op(p, error, SYS_mmap, OP_CAPTURE, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   (uint64_t)-1, 0);

	if (!failed)
		failed = rw_run_ops(p, &at, error);
	if (!failed)
		failed = ask_all(p, (uint64_t)at, inside, threads, error);
	if (!failed)
		failed = ask(p, error, SYS_munmap, (uint64_t)at, size, 0, 0);
	return failed ? failed : rw_run_ops(p, NULL, error);
}

static int compare_process(const struct inside *was, const struct inside *is, struct rw_error *error)
{
	for (int i = 0; i < SIGNALS; i++)
		if (memcmp(&was->actions[i], &is->actions[i], sizeof(was->actions[i])))
			return rw_fail(error, RW_DIFFERENCE, 0, "the handler of signal %d differs", i + 1);
	for (int i = 0; i < ITIMERS; i++)
		if (memcmp(&was->timers[i], &is->timers[i], sizeof(was->timers[i])))
			return rw_fail(error, RW_DIFFERENCE, 0, "interval timer %d is set", i);
	if (strcmp(was->cwd, is->cwd))
		return rw_fail(error, RW_DIFFERENCE, 0, "the working directory is %.80s, was %.80s", is->cwd, was->cwd);
	if (was->program_break != is->program_break)
		return rw_fail(error, RW_DIFFERENCE, 0, "the break is %llx, was %llx", (unsigned long long)is->program_break,
			       (unsigned long long)was->program_break);
	return 0;
}

int rw_inside_compare(struct rw_process *p, struct rw_error *error)
{
	const struct image *image = p->image;
	struct thread_inside *threads cleanup_(rw_free) = calloc(image->thread_count, sizeof(*threads));
	struct inside now = { 0 };
	int failed;

	if (!threads)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "threads");
	failed = rw_inside_look(p, &now, threads, error);
	if (!failed)
		failed = compare_process(&image->kernel.inside, &now, error);
	for (uint32_t i = 0; i < image->thread_count && !failed; i++)
		failed = rw_thread_inside_compare(&image->threads[i], &threads[i], error);
	return failed;
}
