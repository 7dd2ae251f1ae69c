/* Putting a process back to its image: the steps in their order. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int continue_stopped(struct rw_process *p, struct rw_error *error)
{
	(void)error;
	if (p->frozen->group_stopped)
		kill(p->pid, SIGCONT);
	return 0;
}

static int hold_signals(struct rw_process *p, struct rw_error *error)
{
	return rw_block_signals(p->pid, error);
}

/* Before memory is put back: the kernel clears a word of memory where a thread ends. */
static int end_new_threads(struct rw_process *p, struct rw_error *error)
{
	struct frozen *frozen = p->frozen;

	while (frozen->count > frozen->known) {
		int failed = rw_inject_exit(p, frozen->tids[frozen->count - 1], error);

		if (failed)
			return failed;
		frozen->count--;
		p->took.threads_ended++;
	}
	return 0;
}

/* To a level that the process has not been at: what is to run there runs at the base, and then all is done as at the level. */
static const struct step approach[] = {
	{ "continue", continue_stopped },
	{ "hold-signals", hold_signals },
	{ "injected-code", rw_check_injected },
	{ "critical-sections", rw_leave_critical_sections },
	{ "level", rw_level_enter },
};

static const struct step mend[] = {
	{ "continue", continue_stopped },
	{ "hold-signals", hold_signals },
	{ "injected-code", rw_check_injected },
	{ "critical-sections", rw_leave_critical_sections },
	{ "new-threads", end_new_threads },
	{ "break", rw_plan_break },
	{ "layout", rw_put_back_layout },
	{ "thread-states", rw_threads_begin },
};

static const struct step find[] = {
	{ "written-pages", rw_rung_collect },
};

/* What the process itself will do, as entries of its table. */
static const struct step plan[] = {
	{ "surplus-descriptors", rw_plan_closing },
	{ "descriptor-flags", rw_plan_descriptor_flags },
	{ "positions", rw_plan_positions },
	{ "record-locks", rw_plan_record_locks },
	{ "handlers", rw_plan_handlers },
	{ "interval-timers", rw_plan_interval_timers },
	{ "alternate-stack", rw_plan_alternate_stack },
	{ "umask", rw_plan_umask },
	{ "directory", rw_plan_directory },
	{ "name", rw_plan_name },
	{ "robust-list", rw_plan_robust_list },
	{ "exit-word", rw_plan_exit_word },
	{ "children", rw_plan_children },
	{ "pending-signals", rw_plan_signal },
	{ "droppable-memory", rw_plan_droppable },
	{ "pages", rw_plan_pages },
};

/* From outside, while the leader works through the table. */
static const struct step meanwhile[] = {
	{ "base-descriptors", rw_descriptors_check },
	{ "kernel-code", rw_check_kernel_code },
	{ "file-locks", rw_put_back_file_locks },
	{ "shut-down", rw_check_shut_down },
	{ "attributes", rw_check_attributes },
	{ "socket-options", rw_put_back_socket_options },
	{ "pipe-contents", rw_put_back_pipes },
	{ "counters", rw_put_back_counters },
	{ "object-times", rw_put_back_times },
	{ "posix-timers", rw_check_posix_timers },
	{ "status", rw_check_status },
	{ "thread-states", rw_threads_put_back },
	{ "general-registers", rw_put_back_general },
	{ "vector-registers", rw_put_back_vectors },
	{ "signal-masks", rw_put_back_masks },
};

static const struct step settle[] = {
	{ "children", rw_reap_children },
	{ "pending-signals", rw_drain_signals },
	{ "mapping-flags", rw_check_flags },
	{ "interest-lists", rw_put_back_interest },
	{ "other-objects", rw_check_objects },
};

static const struct step leave[] = {
	{ "general-registers", rw_put_back_general },
	{ "vector-registers", rw_put_back_vectors },
	{ "signal-masks", rw_put_back_masks },
	{ "cpu-number", rw_put_back_cpu_number },
	{ "clear-table", rw_clear_table },
};

#define RUN(steps) rw_run_steps(steps, sizeof(steps) / sizeof(*(steps)), p, error)

#ifdef RW_TEST
const struct step *rw_rewind_step(uint32_t index)
{
	static const struct {
		const struct step *steps;
		size_t count;
	} phases[] = {
#define PHASE(steps) { steps, sizeof(steps) / sizeof(*(steps)) }
		PHASE(mend), PHASE(find), PHASE(plan), PHASE(meanwhile), PHASE(settle), PHASE(leave),
	};

	for (size_t i = 0; i < sizeof(phases) / sizeof(*phases); i++) {
		if (index < phases[i].count)
			return &phases[i].steps[index];
		index -= (uint32_t)phases[i].count;
	}
	return NULL;
}
#endif

/* The time since *mark, which moves on. */
static double lap(double *mark)
{
	double now = rw_now_us(), took = now - *mark;

	*mark = now;
	return took;
}

/* The leader lends its registers to the table; all other threads have theirs back by the end of that. */
static int run_plan(struct rw_process *p, struct rw_error *error)
{
	int failed = rw_start_ops(p, error);

	p->first_thread = 1;
	p->end_thread = p->image->thread_count;
	if (!failed)
		failed = RUN(meanwhile);
	return failed ? failed : rw_finish_ops(p, &p->waited, error);
}

/* Everything between the freeze and the thaw. From the first injected step on there is no way back but to the end. */
static int put_back(struct rw_process *p, bool verify, struct rw_error *error)
{
	struct rw_timings *took = &p->took;
	double mark = rw_now_us();
	int failed;

	p->frozen->touched = true;
	failed = p->coming.image ? RUN(approach) : 0;
	if (!failed)
		failed = RUN(mend);
	took->layout_us = lap(&mark);
	if (!failed)
		failed = RUN(find);
	took->scan_us = lap(&mark);
	if (!failed)
		failed = RUN(plan);
	took->plan_us = lap(&mark);
	if (!failed)
		failed = run_plan(p, error);
	took->run_us = lap(&mark);
	if (!failed)
		failed = RUN(settle);
	if (!failed)
		failed = rw_rung_rearm(p, error);
	took->state_us = lap(&mark);
	if (!failed && verify)
		failed = rw_kernel_compare(p, error);
	took->verify_us = lap(&mark);
	/* The comparison has borrowed the others as well. */
	p->first_thread = 0;
	p->end_thread = verify ? p->image->thread_count : 1;
	if (!failed)
		failed = RUN(leave);
	took->registers_us = lap(&mark);
	if (!failed && verify)
		failed = rw_compare_frozen(p, true, error);
	took->verify_us += lap(&mark);
	return failed;
}

int rw_freeze_known(struct rw_process *p, struct frozen *frozen, struct rw_error *error)
{
	pid_t tids[MAX_THREADS];
	const struct image *image = p->image;

	for (uint32_t i = 0; i < image->thread_count; i++)
		tids[i] = image->threads[i].tid;
	p->frozen = frozen;
	return rw_freeze(p->pid, p->pidfd, tids, image->thread_count, frozen, error);
}

int rw_blame_killing(struct rw_process *p, int failed, struct rw_error *error)
{
	if (failed && rw_was_killed(p))
		error->reason = RW_PROCESS_GONE;
	return failed;
}

int rw_rewind_in_use(struct rw_process *p, uint32_t how, struct rw_timings *timings, struct rw_error *error)
{
	struct frozen frozen = { 0 };
	double start = rw_now_us(), mark = start;
	int failed;

	p->took = (struct rw_timings){ 0 };
	p->op_count = p->dirty_count = 0;
	p->same_layout = p->watched_anew = false;
	p->waited = -ECHILD;
	p->signalled = -EAGAIN;
	failed = rw_freeze_known(p, &frozen, error);
	p->took.freeze_us = lap(&mark);
	if (failed)
		return rw_blame_killing(p, failed, error);
	failed = rw_blame_killing(p, put_back(p, how & RW_VERIFY, error), error);
	if (failed) {
		error->untouched = !frozen.touched;
	} else {
		frozen.touched = false;
		memset(frozen.signals, 0, frozen.count * sizeof(*frozen.signals));
		/* The first that is let go takes it before it is back in its program, and none of the others gets there either. */
		if (how & RW_HALT)
			kill(p->pid, SIGSTOP);
	}
	mark = rw_now_us();
	failed = rw_thaw_after(&frozen, failed, error);
	p->took.thaw_us = lap(&mark);
	p->took.total_us = mark - start;
	*timings = p->took;
	return failed;
}

int rw_rewind(struct rw_process *p, uint32_t how, struct rw_timings *timings, struct rw_error *error)
{
	int failed;

	*error = (struct rw_error){ .untouched = 1 };
	failed = rw_level_leave(p, error);
	if (!failed)
		failed = rw_rewind_in_use(p, how, timings, error);
	return rw_level_left(p, failed, error);
}

int rw_rewind_to_level(struct rw_process *p, uint32_t how, struct rw_timings *timings, struct rw_error *error)
{
	*error = (struct rw_error){ .untouched = 1 };
	if (!p->below.image)
		return rw_fail(error, RW_UNSUPPORTED, ENOENT, "process %d has no level", p->pid);
	return rw_rewind_in_use(p, how, timings, error);
}

/* The threads lend themselves for some calls and are then as they were, but that an interrupted call is made again. */
static int compare_kernel(struct rw_process *p, struct rw_error *error)
{
	struct thread *threads = calloc(p->image->thread_count, sizeof(*threads));
	struct rw_error second = { 0 };
	uint32_t saved = 0;
	bool waiting;
	int failed = 0;

	if (!threads)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "registers");
	while (saved < p->image->thread_count && !failed) {
		failed = rw_thread_save(p->image->threads[saved].tid, &threads[saved], &waiting, error);
		saved++;
	}
	if (!failed) {
		p->frozen->touched = true;
		failed = rw_block_signals(p->pid, error);
		if (!failed)
			failed = rw_kernel_compare(p, error);
		(void)rw_clear_table(p, error);
		if (rw_registers_set(threads, 0, saved, &second)) {
			*error = second;
			failed = -second.errnum;
		}
		/* Any other answer leaves open how much of what it was made to do the process has done. */
		p->frozen->touched = failed && error->reason != RW_DIFFERENCE && error->reason != RW_KERNEL_STATE;
		error->untouched = !p->frozen->touched;
	}
	for (uint32_t i = 0; i < saved; i++)
		free(threads[i].xstate);
	free(threads);
	return failed;
}

int rw_verify(struct rw_process *p, struct rw_error *error)
{
	struct frozen frozen = { 0 };
	int failed;

	*error = (struct rw_error){ .untouched = 1 };
	p->op_count = 0;
	failed = rw_freeze_known(p, &frozen, error);
	if (!failed)
		failed = rw_compare_frozen(p, false, error);
	if (!failed)
		failed = compare_kernel(p, error);
	return rw_thaw_after(&frozen, rw_blame_killing(p, failed, error), error);
}
