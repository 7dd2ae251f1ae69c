/* Taking a checkpoint: from a running process to an image and a process bound to it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* A wait on a word that has changed ends as soon as it is made again: such a thread would run after each thaw. */
static bool is_about_to_wake(struct rw_process *p, const struct thread *thread)
{
	const struct user_regs_struct *regs = &thread->regs;
	int operation = (int)regs->rsi & FUTEX_CMD_MASK;
	uint32_t word;

	if (regs->rax != SYS_futex || (operation != FUTEX_WAIT && operation != FUTEX_WAIT_BITSET))
		return false;
	return rw_read_memory(p, regs->rdi, &word, sizeof(word)) || word != (uint32_t)regs->rdx;
}

/*
 * Some calls that a stop interrupts go on by a note in the kernel: the next stop cannot tell which call it is, and a rewind has
 * no such note. Made anew they can be told. Where a level is taken, an action's own waits may not grow longer by that.
 */
static bool should_make_anew(const struct rw_process *p, const struct thread *thread)
{
	return !p->below.image || (thread->regs.rax == SYS_poll && (int)thread->regs.rdx < 0);
}

static int require_waiting(struct rw_process *p, const struct thread *thread, bool is_waiting, struct rw_error *error)
{
	if (!is_waiting)
		return rw_fail(error, RW_NOT_QUIESCENT, 0, "thread %d is not waiting in a system call", thread->tid);
	if (thread->regs.rax == SYS_restart_syscall)
		return rw_fail(error, RW_NOT_QUIESCENT, 0, "thread %d waits in a call that only the kernel can make again",
			       thread->tid);
	if (is_about_to_wake(p, thread))
		return rw_fail(error, RW_NOT_QUIESCENT, 0,
			       "thread %d is about to wake: the word on which it waits has changed", thread->tid);
	return 0;
}

int rw_list_threads(struct rw_process *p, const struct frozen *frozen, struct rw_error *error)
{
	struct image *image = p->image;
	uint64_t capacity = 0;
	int refused = 0;

	if (frozen->count > MAX_THREADS)
		return rw_fail(error, RW_UNSUPPORTED, E2BIG, "%u threads", frozen->count);
	if (rw_reserve(&image->threads, &capacity, frozen->count, sizeof(*image->threads)))
		return rw_fail(error, RW_SYSTEM, ENOMEM, "threads");
	memset(image->threads, 0, frozen->count * sizeof(*image->threads));
	image->thread_count = frozen->count;
	for (uint32_t i = 0; i < frozen->count; i++) {
		struct thread *thread = &image->threads[i];
		bool is_waiting;
		int failed = rw_thread_save(frozen->tids[i], thread, &is_waiting, error);

		if (!failed && frozen->signals[i])
			is_waiting = false;
		if (!failed && is_waiting && should_make_anew(p, thread))
			failed = rw_call_anew(thread, error);
		if (failed)
			return failed;
		if (!refused)
			refused = require_waiting(p, thread, is_waiting, error);
	}
	return refused;
}

int rw_parse_live_maps(struct rw_process *p, struct rw_error *error)
{
	int failed = rw_read_text(p->maps, &p->text, &p->text_capacity, &p->text_length, error);

	return failed ? failed : rw_parse_maps(p->text, &p->now, error);
}

uint64_t rw_tracked_size(const struct region_list *list)
{
	uint64_t size = 0;

	for (uint64_t i = 0; i < list->count; i++)
		if (rw_tracked(&list->at[i]))
			size += list->at[i].end - list->at[i].start;
	return size;
}

static bool is_ours(const struct rw_process *p, uint64_t start)
{
	const struct image *image = p->image, *below = p->below.image;

	return start == image->code || start == image->table || start == image->window || (below && start == below->window);
}

/* All that has to be known of the mappings, as the kernel tells of them now; with the tracked ones' places in the image. */
static int list_regions(struct rw_process *p, struct rw_error *error)
{
	struct image *image = p->image;
	uint64_t offset = 0;
	int failed = rw_parse_live_maps(p, error);

	if (failed)
		return failed;
	rw_free(&image->flags);
	rw_free(&image->maps);
	image->maps = malloc(p->text_length + 1);
	if (!image->maps)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "text of maps");
	memcpy(image->maps, p->text, p->text_length + 1);
	image->maps_length = p->text_length;
	failed = rw_parse_maps(image->maps, &image->regions, error);
	if (!failed)
		failed = rw_read_flag_lines(p->pid, image->regions.count, &image->flags, NULL, error);
	if (failed)
		return failed;
	rw_parse_flags(image->flags, &image->regions);
	for (uint64_t i = 0; i < image->regions.count; i++) {
		struct region *region = &image->regions.at[i];

		if (is_ours(p, region->start))
			region->kind = REGION_INJECTED;
		else if (region->flags & FLAG_DROPPABLE)
			region->kind = REGION_DROPPABLE;
		if (region->flags & FLAG_LOCKED)
			return rw_fail(error, RW_UNSUPPORTED, 0, "mapping %llx is locked in memory",
				       (unsigned long long)region->start);
		image->hides_flags |= rw_may_hide_flags(region);
		if (region->kind == REGION_SHARED && region->prot & PROT_WRITE)
			return rw_fail(error, RW_UNSUPPORTED, 0, "writable shared mapping %llx (%.*s)",
				       (unsigned long long)region->start, (int)region->name_length,
				       image->maps + region->name);
		if (!rw_tracked(region))
			continue;
		region->image_offset = offset;
		offset += region->end - region->start;
	}
	return 0;
}

int rw_fix_regions(struct rw_process *p, struct rw_error *error)
{
	const struct region_list *list = &p->image->regions;
	int failed = list_regions(p, error);

	for (uint64_t i = 0; i < list->count && !failed; i++)
		if (rw_tracked(&list->at[i]))
			failed = rw_rung_register(p, &list->at[i], error);
	/* Being watched is a flag as well, and neighbours may become one mapping by it; at a level all are watched already. */
	return failed || p->below.image ? failed : list_regions(p, error);
}

static int save_region(struct rw_process *p, struct region *region, uint8_t *file, struct rw_error *error)
{
	struct image *image = p->image;
	struct page_run *runs cleanup_(rw_free) = NULL;
	uint64_t count = 0, capacity = 0;
	int failed = rw_private_runs(p, region->start, region->end, &runs, &count, &capacity, error);

	for (uint64_t i = 0; i < count && !failed; i++) {
		uint64_t offset = region->image_offset + (runs[i].start - region->start);
		uint64_t length = runs[i].end - runs[i].start;

		failed = rw_read_memory(p, runs[i].start, file + offset, length);
		if (failed)
			return rw_fail(error, RW_SYSTEM, -failed, "cannot read page %llx",
				       (unsigned long long)runs[i].start);
		if (rw_reserve(&image->extents, &image->extent_capacity, image->extent_count + 1, sizeof(struct extent)))
			return rw_fail(error, RW_SYSTEM, ENOMEM, "list of saved pages");
		image->extents[image->extent_count++] = (struct extent){ runs[i].start, runs[i].end, offset, false };
		region->saved += length / PAGE;
		image->pages_saved += length / PAGE;
	}
	return failed;
}

/* Maps the image's file into the process, fixes the list of regions, and fills the file. */
static int save_memory(struct rw_process *p, struct bootstrap *boot, struct rw_error *error)
{
	struct image *image = p->image;
	uint8_t *file = MAP_FAILED;
	bool changed;
	int failed = rw_parse_live_maps(p, error);

	if (!failed)
		failed = rw_share_readonly(p, error);
	if (!failed)
		failed = rw_parse_live_maps(p, error);
	if (!failed)
		failed = rw_settle_accounts(p, &changed, error);
	if (!failed)
		failed = rw_parse_live_maps(p, error);
	if (failed)
		return failed;
	image->size = rw_tracked_size(&p->now);
	failed = rw_bootstrap_image(p, boot, &file, error);
	if (!failed)
		failed = rw_fix_regions(p, error);
	for (uint64_t i = 0; i < image->regions.count && !failed; i++)
		if (rw_tracked(&image->regions.at[i]))
			failed = save_region(p, &image->regions.at[i], file, error);
	if (file != MAP_FAILED)
		munmap(file, image->size);
	if (failed)
		return failed;
	/* With our writable view gone, the seal of before leaves nobody who could write the file. */
	image->pages = mmap(NULL, image->size, PROT_READ, MAP_SHARED | MAP_NORESERVE, image->fd, 0);
	if (image->pages != MAP_FAILED)
		return 0;
	image->pages = NULL;
	return rw_fail(error, RW_SYSTEM, errno, "cannot map the image");
}

static int take(struct rw_process *p, struct frozen *frozen, struct rw_error *error)
{
	struct bootstrap boot = { 0 };
	int failed = rw_list_threads(p, frozen, error);

	if (!failed)
		failed = rw_bootstrap_find(p, &boot, error);
	if (!failed)
		failed = rw_descriptors_save(p, error);
	if (!failed)
		failed = rw_objects_save(p, error);
	if (!failed)
		failed = rw_descriptor_origins_save(p, error);
	if (failed)
		return failed;
	frozen->touched = true;
	failed = rw_block_signals(p->pid, error);
	if (!failed)
		failed = rw_rung_attach(p, &boot.base, boot.syscall_at, error);
	if (!failed)
		failed = rw_bootstrap_code(p, &boot, error);
	if (!failed)
		failed = rw_kernel_save(p, error);
	if (!failed)
		failed = rw_origin_save(p, error);
	if (!failed)
		failed = save_memory(p, &boot, error);
	/* So that the first activation finds what all others will. */
	if (!failed)
		failed = rw_plan_droppable(p, error);
	if (!failed)
		failed = rw_run_ops(p, NULL, error);
	if (!failed)
		failed = rw_rung_arm(p, error);
	if (!failed)
		failed = rw_clear_table(p, error);
	if (!failed)
		failed = rw_registers_set(p->image->threads, 0, p->image->thread_count, error);
	if (failed)
		error->untouched = 0;
	else
		frozen->touched = false;
	return failed;
}

static int checkpoint(struct rw_process *p, struct rw_error *error)
{
	struct frozen frozen = { 0 };
	int failed = rw_process_open(p, error);

	p->frozen = &frozen;
	if (!failed)
		failed = rw_freeze(p->pid, p->pidfd, &p->pid, 1, &frozen, error);
	if (!failed)
		failed = take(p, &frozen, error);
	return rw_thaw_after(&frozen, failed, error);
}

int rw_checkpoint(int32_t pid, uint32_t rung, struct rw_process **process, struct rw_summary *summary,
		  struct rw_error *error)
{
	double start = rw_now_us();
	struct rw_process *p;
	int failed;

	*error = (struct rw_error){ .untouched = 1 };
	if (rung < RW_WRITE_PROTECT || rung > RW_COPY_ALL)
		return rw_fail(error, RW_UNSUPPORTED, EINVAL, "rung %u", rung);
	p = rw_process_new(pid, (enum rw_rung)rung);
	if (!p)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "process %d", pid);
	failed = checkpoint(p, error);
	if (failed) {
		rw_release(p);
		return failed;
	}
	*summary = (struct rw_summary){
		.threads = p->image->thread_count,
		.regions = (uint32_t)p->image->regions.count,
		.descriptors = p->image->descriptor_count,
		.pages = p->image->pages_saved,
		.took_us = rw_now_us() - start,
	};
	*process = p;
	return 0;
}
