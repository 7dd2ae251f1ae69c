/* A level: a second image over the base's, of the same process at a later point, to which it can be put back as well. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

/* -- which image is in use ------------------------------------------------------------------------------------------------- */

static struct target in_use(const struct rw_process *p)
{
	return (struct target){ p->image, p->held, p->info };
}

static void use(struct rw_process *p, struct target target)
{
	p->image = target.image;
	p->held = target.held;
	p->info = target.info;
}

/* Of threads that only the level has, the table would keep what they were to be told. */
static void forget_threads(struct rw_process *p, uint32_t first, uint32_t end)
{
	if (first < end)
		memset(rw_thread_ops(p, first), 0, (end - first) * THREAD_OPS * sizeof(struct op));
}

static int begin_level(struct rw_process *p, struct rw_error *error)
{
	struct image *image = calloc(1, sizeof(*image));

	if (!image)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "level of process %d", p->pid);
	image->fd = -1;
	image->code = p->image->code;
	image->table = p->image->table;
	p->below = in_use(p);
	use(p, (struct target){ .image = image });
	return 0;
}

/* The level is none: it was not taken. */
static int drop_level(struct rw_process *p, struct rw_error *error)
{
	struct target level = in_use(p);

	use(p, p->below);
	p->below = (struct target){ 0 };
	forget_threads(p, p->image->thread_count, level.image->thread_count);
	rw_target_free(&level);
	return rw_put_constants(p, error);
}

int rw_level_leave(struct rw_process *p, struct rw_error *error)
{
	if (!p->below.image)
		return 0;
	p->above = in_use(p);
	use(p, p->below);
	p->below = (struct target){ 0 };
	return rw_put_constants(p, error);
}

int rw_level_left(struct rw_process *p, int failed, struct rw_error *error)
{
	struct rw_error second;

	if (!p->above.image)
		return failed;
	if (!failed) {
		forget_threads(p, p->image->thread_count, p->above.image->thread_count);
		rw_target_free(&p->above);
	} else if (error->untouched) {
		p->below = in_use(p);
		use(p, p->above);
		p->above = (struct target){ 0 };
		error->untouched = !rw_put_constants(p, &second);
	}
	return failed;
}

/* -- taking one -------------------------------------------------------------------------------------------------------------- */

/* Between the two points the process did as it liked: it must still be one that could be put back to its base. */
static int require_sound_base(struct rw_process *p, const struct frozen *frozen, struct rw_error *error)
{
	int failed = 0;

	if (frozen->group_stopped)
		failed = rw_fail(error, RW_NOT_QUIESCENT, 0, "process %d is stopped", p->pid);
	if (!failed)
		failed = rw_check_injected(p, error);
	if (!failed)
		failed = rw_descriptors_check(p, error);
	if (!failed)
		failed = rw_check_kernel_code(p, error);
	return failed ? failed : rw_check_posix_timers(p, error);
}

static int look(struct rw_process *p, struct bootstrap *boot, const struct frozen *frozen, struct rw_error *error)
{
	int failed = rw_list_threads(p, frozen, error);

	/* They are asked who they are as soon as they say anything. */
	for (uint32_t i = 0; i < frozen->known && !failed; i++)
		p->image->threads[i].inner = p->below.image->threads[i].inner;
	if (!failed)
		failed = rw_level_require_plain_threads(p, error);
	if (!failed)
		failed = rw_bootstrap_find(p, boot, error);
	if (!failed)
		failed = rw_descriptors_save(p, error);
	if (!failed)
		failed = rw_objects_save(p, error);
	if (!failed)
		failed = rw_level_require_known_descriptors(p, error);
	return failed ? failed : rw_level_require_rest(p, error);
}

static int save(struct rw_process *p, struct bootstrap *boot, uint64_t pages, struct rw_error *error)
{
	int failed = rw_block_signals(p->pid, error);

	if (!failed)
		failed = rw_leave_critical_sections(p, error);
	if (!failed)
		failed = rw_kernel_save(p, error);
	if (!failed)
		failed = rw_level_save_memory(p, boot, pages, error);
	if (!failed)
		failed = rw_level_refuse_sequences(p, error);
	if (!failed)
		failed = rw_plan_droppable(p, error);
	if (!failed)
		failed = rw_run_ops(p, NULL, error);
	if (!failed)
		failed = rw_rung_arm(p, error);
	if (!failed)
		failed = rw_clear_table(p, error);
	return failed ? failed : rw_registers_set(p->image->threads, 0, p->image->thread_count, error);
}

/* The process has run injected code, and all of that has come to its end: it goes on as if it had not. */
static int give_back(struct rw_process *p, const struct bootstrap *boot, struct rw_error *error)
{
	const struct image *image = p->image;
	int failed = 0;

	p->op_count = 0;
	if (image->window)
		failed = rw_op(p, error, SYS_munmap, 0, image->window, image->size, 0, 0, 0, 0);
	if (!failed && boot->scratch)
		failed = rw_op(p, error, SYS_munmap, 0, boot->scratch, PAGE, 0, 0, 0, 0);
	if (!failed && p->op_count)
		failed = rw_run_ops(p, NULL, error);
	if (!failed)
		failed = rw_level_unwatch(p, error);
	if (!failed)
		failed = rw_clear_table(p, error);
	return failed ? failed : rw_registers_set(image->threads, 0, image->thread_count, error);
}

static bool is_refusal(const struct rw_error *error)
{
	return error->reason == RW_NOT_QUIESCENT || error->reason == RW_UNSUPPORTED || error->reason == RW_TOO_LARGE;
}

static int take(struct rw_process *p, uint64_t pages, struct frozen *frozen, struct rw_error *error)
{
	struct bootstrap boot = { 0 };
	struct rw_error second = { 0 };
	int failed = look(p, &boot, frozen, error);

	if (failed)
		return failed;
	frozen->touched = true;
	failed = save(p, &boot, pages, error);
	frozen->touched = failed && (!is_refusal(error) || give_back(p, &boot, &second));
	return failed;
}

int rw_take_level(struct rw_process *p, uint64_t pages, struct rw_summary *summary, struct rw_error *error)
{
	struct frozen frozen = { 0 };
	struct rw_error second;
	double start = rw_now_us();
	int failed;

	*error = (struct rw_error){ .untouched = 1 };
	if (p->below.image)
		return rw_fail(error, RW_UNSUPPORTED, EEXIST, "process %d is at a level already", p->pid);
	p->op_count = p->dirty_count = 0;
	failed = rw_freeze_known(p, &frozen, error);
	if (failed)
		return rw_blame_killing(p, failed, error);
	failed = require_sound_base(p, &frozen, error);
	if (!failed)
		failed = begin_level(p, error);
	if (!failed) {
		failed = take(p, pages, &frozen, error);
		p->op_count = 0;
		if (failed && drop_level(p, &second))
			frozen.touched = true;
	}
	failed = rw_blame_killing(p, failed, error);
	error->untouched = !frozen.touched;
	failed = rw_thaw_after(&frozen, failed, error);
	if (failed)
		return failed;
	p->fresh_copied = 0;
	p->rearm = false;
	*summary = (struct rw_summary){
		.threads = p->image->thread_count,
		.regions = (uint32_t)p->image->regions.count,
		.descriptors = p->image->descriptor_count,
		.pages = p->image->pages_saved,
		.took_us = rw_now_us() - start,
	};
	return 0;
}
