/* Putting a process back to its image: the phases in their order. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The time since *mark, which moves on. */
static double lap(double *mark)
{
	double now = rw_now_us(), took = now - *mark;

	*mark = now;
	return took;
}

/* Before memory is put back: the kernel clears a word of memory where a thread ends. */
static int end_newcomers(struct rw_process *p, struct frozen *frozen, struct rw_error *error)
{
	int failed = frozen->count > frozen->known ? rw_check_injected(p, error) : 0;

	while (frozen->count > frozen->known && !failed) {
		failed = rw_inject_exit(p, frozen->tids[frozen->count - 1], error);
		if (failed)
			break;
		frozen->count--;
		p->took.threads_ended++;
	}
	return failed;
}

/*
 * The kernel keeps the number of the CPU in each thread's rseq area and may have written it while the thread ran injected
 * code: those bytes are the image's again, written from outside.
 */
static int put_back_rseq(struct rw_process *p, struct rw_error *error)
{
	const struct thread *leader = &p->image->threads[0];
	const struct region *region = leader->rseq ? rw_region_at(&p->image->regions, leader->rseq) : NULL;
	int failed;

	if (!region || !rw_tracked(region))
		return 0;
	failed = rw_write_memory(p, leader->rseq, p->image->pages + region->image_offset + (leader->rseq - region->start),
				 leader->rseq_size);
	return failed ? rw_fail(error, RW_SYSTEM, -failed, "cannot write the rseq area") : 0;
}

/* Of the threads from `first` on. */
static int put_back_registers(struct rw_process *p, uint32_t first, struct rw_error *error)
{
	int failed = 0;

	for (uint32_t i = first; i < p->image->thread_count && !failed; i++)
		failed = rw_thread_put_back(&p->image->threads[i], error);
	return failed;
}

/* While the leader works through the table, what does not need it is put back from outside. */
static int run_plan(struct rw_process *p, int64_t *waited, struct rw_error *error)
{
	int failed = rw_start_ops(p, error);

	if (!failed)
		failed = put_back_registers(p, 1, error);
	if (!failed)
		failed = rw_objects_put_back(p, error);
	return failed ? failed : rw_finish_ops(p, waited, error);
}

/* Everything between the freeze and the thaw. From the first injected step on there is no way back but to the end. */
static int put_back(struct rw_process *p, struct frozen *frozen, bool verify, struct rw_error *error)
{
	struct rw_timings *took = &p->took;
	double mark = rw_now_us();
	int64_t waited;
	int failed = rw_descriptors_check(p, error);

	if (failed)
		return failed;
	RW_STEP(error, "check");
	frozen->touched = true;
	if (frozen->group_stopped)
		kill(p->pid, SIGCONT);
	failed = rw_block_signals(p->pid, error);
	if (!failed)
		failed = end_newcomers(p, frozen, error);
	if (!failed)
		failed = rw_put_back_layout(p, error);
	took->layout_us = lap(&mark);
	if (failed)
		return failed;

	RW_STEP(error, "layout");
	failed = rw_rung_collect(p, error);
	took->scan_us = lap(&mark);
	if (failed)
		return failed;

	RW_STEP(error, "scan");
	failed = rw_descriptors_plan(p, error);
	if (!failed)
		failed = rw_objects_plan(p, error);
	if (!failed)
		failed = rw_kernel_plan(p, error);
	if (!failed)
		failed = rw_plan_pages(p, error);
	took->plan_us = lap(&mark);
	if (failed)
		return failed;

	RW_STEP(error, "plan");
	failed = run_plan(p, &waited, error);
	took->run_us = lap(&mark);
	if (failed)
		return failed;

	RW_STEP(error, "run");
	failed = rw_kernel_settle(p, waited, error);
	if (!failed)
		failed = rw_objects_settle(p, error);
	if (!failed)
		failed = rw_rung_rearm(p, error);
	took->state_us = lap(&mark);
	if (!failed && verify)
		failed = rw_kernel_compare(p, error);
	took->verify_us = lap(&mark);
	if (failed)
		return failed;

	RW_STEP(error, "state");
	failed = put_back_rseq(p, error);
	if (!failed)
		failed = rw_thread_put_back(&p->image->threads[0], error);
	took->registers_us = lap(&mark);
	if (failed)
		return failed;

	RW_STEP(error, "registers");
	if (verify)
		failed = rw_compare_frozen(p, frozen, true, error);
	took->verify_us += lap(&mark);
	return failed;
}

/* The image's thread ids, leader first. */
static int freeze_known(struct rw_process *p, struct frozen *frozen, struct rw_error *error)
{
	pid_t tids[256];
	const struct image *image = p->image;

	if (image->thread_count > sizeof(tids) / sizeof(*tids))
		return rw_fail(error, RW_UNSUPPORTED, E2BIG, "%u threads", image->thread_count);
	for (uint32_t i = 0; i < image->thread_count; i++)
		tids[i] = image->threads[i].tid;
	return rw_freeze(p->pid, tids, image->thread_count, frozen, error);
}

int rw_rewind(struct rw_process *p, uint32_t verify, struct rw_timings *timings, struct rw_error *error)
{
	struct frozen frozen = { 0 };
	double start = rw_now_us(), mark = start;
	int failed;

	*error = (struct rw_error){ .untouched = 1 };
	p->took = (struct rw_timings){ 0 };
	p->op_count = p->dirty_count = 0;
	failed = freeze_known(p, &frozen, error);
	p->took.freeze_us = lap(&mark);
	if (failed)
		return failed;
	failed = put_back(p, &frozen, verify, error);
	if (failed) {
		error->untouched = !frozen.touched;
	} else {
		frozen.touched = false;
		memset(frozen.signals, 0, frozen.count * sizeof(*frozen.signals));
	}
	mark = rw_now_us();
	rw_thaw(&frozen);
	p->took.thaw_us = lap(&mark);
	p->took.total_us = mark - start;
	*timings = p->took;
	return failed;
}

/* The leader lends itself for some calls and is then as it was, but that an interrupted call of its own is made again. */
static int compare_kernel(struct rw_process *p, struct frozen *frozen, struct rw_error *error)
{
	struct thread leader = { 0 };
	struct rw_error second = { 0 };
	bool waiting;
	int failed = rw_thread_save(p->pid, &leader, &waiting, error);

	if (!failed) {
		frozen->touched = true;
		failed = rw_block_signals(p->pid, error);
		if (!failed)
			failed = rw_kernel_compare(p, error);
		frozen->touched = rw_thread_put_back(&leader, &second) || error->reason == RW_INJECTION;
		error->untouched = !frozen->touched;
	}
	free(leader.xstate);
	return failed;
}

int rw_verify(struct rw_process *p, struct rw_error *error)
{
	struct frozen frozen cleanup_(rw_thaw) = { 0 };
	int failed;

	*error = (struct rw_error){ .untouched = 1 };
	p->op_count = 0;
	failed = freeze_known(p, &frozen, error);
	if (!failed)
		failed = rw_compare_frozen(p, &frozen, false, error);
	return failed ? failed : compare_kernel(p, &frozen, error);
}
