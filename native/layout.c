/* The layout of a process: its mappings compared with the image's and made equal to them again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

bool rw_same_object(const struct region *was, const struct region *is, uint64_t address)
{
	/* What is ours, or droppable, the text of maps does not tell. */
	if ((was->kind != is->kind && was->kind != REGION_INJECTED && was->kind != REGION_DROPPABLE) || was->inode != is->inode || was->device != is->device || was->shared != is->shared)
		return false;
	return !was->inode || was->offset + (address - was->start) == is->offset + (address - is->start);
}

static int queue_unmap(struct rw_process *p, uint64_t start, uint64_t end, struct rw_error *error)
{
	p->took.mappings_changed++;
	return rw_op(p, error, SYS_munmap, 0, start, end - start, 0, 0, 0, 0);
}

/* One stretch of addresses over which both lists are constant. */
static int mend(struct rw_process *p, const struct region *was, const struct region *is, uint64_t start, uint64_t end,
		struct rw_error *error)
{
	if (!was && !is)
		return 0;
	if (was && is && rw_same_object(was, is, start)) {
		if (was->prot == is->prot)
			return 0;
		if (was->kind == REGION_SPECIAL || was->kind == REGION_INJECTED)
			return rw_fail(error, RW_MAPPING, 0, "protection of mapping %llx changed", (unsigned long long)start);
		p->took.mappings_changed++;
		return rw_op(p, error, SYS_mprotect, 0, start, end - start, was->prot, 0, 0, 0);
	}
	if (is && is->kind == REGION_SPECIAL)
		return rw_fail(error, RW_MAPPING, 0, "the kernel's own mapping moved to %llx", (unsigned long long)start);
	return was ? rw_remake(p, was, start, end, error) : queue_unmap(p, start, end, error);
}

/* Sweeps over both lists at once. */
static int mend_all(struct rw_process *p, struct rw_error *error)
{
	const struct region_list *was = &p->image->regions, *is = &p->now;
	uint64_t i = 0, j = 0, at = 0;

	while (i < was->count || j < is->count) {
		const struct region *a = i < was->count ? &was->at[i] : NULL;
		const struct region *b = j < is->count ? &is->at[j] : NULL;
		bool in_a = a && a->start <= at, in_b = b && b->start <= at;
		uint64_t end = UINT64_MAX;
		int failed;

		if (a)
			end = in_a ? a->end : a->start;
		if (b && (in_b ? b->end : b->start) < end)
			end = in_b ? b->end : b->start;
		failed = mend(p, in_a ? a : NULL, in_b ? b : NULL, at, end, error);
		if (failed)
			return failed;
		at = end;
		if (in_a && a->end == at)
			i++;
		if (in_b && b->end == at)
			j++;
	}
	return 0;
}

static bool listed(const struct region_list *list, const struct region *region)
{
	const struct region *at = rw_region_at(list, region->start);

	return at && at->start == region->start && at->end == region->end && at->prot == region->prot &&
	       rw_same_object(region, at, region->start);
}

/*
 * The kernel may keep two mappings apart that were one (they differ in something the text does not show). Such a region is
 * mapped anew as a whole.
 */
static int remake_unmerged(struct rw_process *p, struct rw_error *error)
{
	const struct region_list *was = &p->image->regions;

	for (uint64_t i = 0; i < was->count; i++) {
		const struct region *region = &was->at[i];
		int failed;

		if ((!rw_tracked(region) && region->kind != REGION_READONLY) || region->flags & FLAG_GROWSDOWN ||
		    listed(&p->now, region))
			continue;
		failed = rw_remake(p, region, region->start, region->end, error);
		if (failed)
			return failed;
	}
	return 0;
}

int rw_read_layout(struct rw_process *p, bool *equal, struct rw_error *error)
{
	int failed = rw_read_text(p->maps, &p->text, &p->text_capacity, &p->text_length, error);

	*equal = !failed && p->text_length == p->image->maps_length && !memcmp(p->text, p->image->maps, p->text_length);
	return failed;
}

/* Runs what is queued, registers what was made anew, and looks again. *equal: the text is the image's. */
static int carry_out(struct rw_process *p, bool *equal, struct rw_error *error)
{
	int failed = rw_run_ops(p, NULL, error);

	for (uint64_t i = 0; i < p->dirty_count && !failed; i++) {
		const struct region *region = rw_region_at(&p->image->regions, p->dirty[i].start);

		if (region && rw_tracked(region))
			failed = rw_rung_register(p, region, error);
	}
	if (!failed)
		failed = rw_read_layout(p, equal, error);
	return failed ? failed : rw_parse_maps(p->text, &p->now, error);
}

int rw_layout_difference(struct rw_process *p, enum rw_reason reason, struct rw_error *error)
{
	const char *was = p->image->maps, *is = p->text;
	uint64_t line = 0;

	for (uint64_t i = 0; was[i] && was[i] == is[i]; i++)
		if (was[i] == '\n')
			line = i + 1;
	return rw_fail(error, reason, 0, "mappings differ: was \"%.*s\", is \"%.*s\"", (int)strcspn(was + line, "\n"),
		       was + line, (int)strcspn(is + line, "\n"), is + line);
}

/*
 * The next mapping at or above an address is this one, with these limits, protection and object. The kernel's own have none
 * but their name, which no process can give to its memory.
 */
static bool is_next(const struct rw_process *p, uint64_t address, const struct region *region)
{
	const uint64_t flags = region->prot | (region->shared ? RW_PROCMAP_SHARED : 0);
	const uint32_t length = region->kind == REGION_SPECIAL ? region->name_length : 0;
	char name[32];
	struct rw_procmap_query query = {
		.size = sizeof(query), .query_flags = RW_PROCMAP_COVERING_OR_NEXT, .query_addr = address
	};

	if (length) {
		query.vma_name_addr = (uint64_t)(uintptr_t)name;
		query.vma_name_size = sizeof(name);
	}
	return !ioctl(p->maps, RW_PROCMAP_QUERY, &query) && query.vma_start == region->start &&
	       query.vma_end == region->end && query.vma_flags == flags && query.inode == region->inode &&
	       (query.dev_major << 20 | query.dev_minor) == region->device &&
	       (!region->inode || query.vma_offset == region->offset) &&
	       (!length ||
		(query.vma_name_size == length + 1 && !memcmp(name, p->image->maps + region->name, length)));
}

/*
 * Asked mapping by mapping, which is cheaper than the text where paths are long. What the text shows beside is the name
 * of memory that has none. False also where the kernel cannot be asked: the text decides.
 */
static bool is_surely_unchanged(const struct rw_process *p)
{
	const struct region_list *list = &p->image->regions;
	struct rw_procmap_query end = { .size = sizeof(end), .query_flags = RW_PROCMAP_COVERING_OR_NEXT };
	uint64_t address = 0;

	for (uint64_t i = 0; i < list->count; i++) {
		if (list->at[i].start >> 63)
			continue; /* vsyscall, which is the kernel's and not to be asked for */
		if (!is_next(p, address, &list->at[i]))
			return false;
		address = list->at[i].end;
	}
	end.query_addr = address;
	return ioctl(p->maps, RW_PROCMAP_QUERY, &end) && errno == ENOENT;
}

/* The code, the table and the window must be where they were before any of them is used: the text last read decides. */
static int require_injected(struct rw_process *p, struct rw_error *error)
{
	int failed = rw_parse_maps(p->text, &p->now, error);

	for (uint64_t i = 0; i < p->image->regions.count && !failed; i++) {
		const struct region *region = &p->image->regions.at[i];

		if (region->kind == REGION_INJECTED && !listed(&p->now, region))
			failed = rw_fail(error, RW_MAPPING, 0, "the injected mapping %llx is gone",
					 (unsigned long long)region->start);
	}
	return failed;
}

/*
 * Our files show the memory that was checkpointed, even where the process has executed another program meanwhile and
 * somebody else has kept that memory alive. The table is only there if it is still the process's own.
 */
static int require_same_memory(struct rw_process *p, struct rw_error *error)
{
	const double written = rw_now_us();
	double seen = 0;
	const struct iovec here = { &seen, sizeof(seen) };
	const struct iovec there = { (void *)(uintptr_t)(p->image->table + TABLE_PASSING), sizeof(seen) };

	memcpy(p->table + TABLE_PASSING, &written, sizeof(written));
	if (process_vm_readv(p->pid, &here, 1, &there, 1, 0) != sizeof(seen) || memcmp(&seen, &written, sizeof(seen)))
		return rw_fail(error, RW_MAPPING, 0, "process %d has executed another program", p->pid);
	return 0;
}

static int require_layout(struct rw_process *p, struct rw_error *error)
{
	int failed;

	/* Where the kernel has said that nothing has changed, ours are in place as well. */
	p->same_layout = is_surely_unchanged(p);
	if (p->same_layout)
		return 0;
	failed = rw_read_layout(p, &p->same_layout, error);
	return failed || p->same_layout ? failed : require_injected(p, error);
}

int rw_check_injected(struct rw_process *p, struct rw_error *error)
{
	int failed = require_same_memory(p, error);

	return failed ? failed : require_layout(p, error);
}

/* First of all: munmap may cut the heap, but only brk() moves the kernel's idea of its end. */
int rw_plan_break(struct rw_process *p, struct rw_error *error)
{
	return rw_op(p, error, SYS_brk, 0, p->image->kernel.inside.program_break, 0, 0, 0, 0, 0);
}

int rw_put_back_layout(struct rw_process *p, struct rw_error *error)
{
	bool equal;
	int failed;

	if (p->same_layout && !rw_level_crossed(p))
		return 0;
	failed = p->is_brought ? rw_level_grow_stack(p, error) : 0;
	if (!failed)
		failed = carry_out(p, &equal, error);
	if (!failed && p->is_brought)
		failed = rw_level_watch_heap(p, error);
	if (!failed && rw_level_crossed(p)) {
		failed = rw_level_remake_replaced(p, error);
		equal = false;
	}
	for (int pass = 0; pass < 2 && !failed && !equal; pass++) {
		failed = pass ? remake_unmerged(p, error) : mend_all(p, error);
		if (!failed)
			failed = carry_out(p, &equal, error);
		if (!failed && !equal && p->below.image)
			failed = rw_level_adopt_layout(p, &equal, error);
	}
	if (failed)
		return failed;
	return equal ? 0 : rw_layout_difference(p, RW_MAPPING, error);
}

