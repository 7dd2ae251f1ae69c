/* Booting: the pages of the image, and the borders between mappings that only pages keep. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#define POPULATE_WRITE 23 /* of madvise() */

bool rw_is_divided(const struct region_list *list, uint64_t i)
{
	const struct region *last = i ? &list->at[i - 1] : NULL, *region = &list->at[i];

	return last && rw_tracked(region) && last->kind == region->kind && last->end == region->start &&
	       last->prot == region->prot && last->flags == region->flags && last->inode == region->inode &&
	       (!region->inode || last->offset + (last->end - last->start) == region->offset);
}

int rw_set_apart(struct rw_process *p, const struct region *region, bool apart, struct rw_error *error)
{
	const bool is_dumped = !(region->flags & FLAG_DONTDUMP);

	return rw_op(p, error, SYS_madvise, 0, region->start, region->end - region->start,
		     apart == is_dumped ? MADV_DONTDUMP : MADV_DODUMP, 0, 0, 0);
}

/* What a region without pages is divided by is one page of its own. */
static int divide(struct rw_process *p, struct rw_error *error)
{
	const struct region_list *list = &p->image->regions;
	bool apart = false;
	int failed = 0;

	for (uint64_t i = 0; i < list->count && !failed; i++) {
		const struct region *region = &list->at[i];
		const bool is_before = i + 1 < list->count && rw_is_divided(list, i + 1);

		if ((is_before || rw_is_divided(list, i)) && !region->saved && region->prot & PROT_WRITE &&
		    region->kind == REGION_ANONYMOUS)
			failed = rw_op(p, error, OP_ZERO, 0, region->start, sizeof(uint64_t), 0, 0, 0, 0);
	}
	for (uint64_t i = 0; i < list->count && !failed; i++) {
		apart = rw_is_divided(list, i) && !apart;
		if (apart)
			failed = rw_set_apart(p, &list->at[i], false, error);
	}
	return failed;
}

/* In one go, which costs less than a fault for each page. Before Linux 5.14 they come by faults. */
static int populate(struct rw_process *p, struct rw_error *error)
{
	int failed = 0;

	for (uint64_t i = 0; i < p->image->extent_count && !failed; i++) {
		const struct extent *extent = &p->image->extents[i];

		failed = rw_op(p, error, SYS_madvise, OP_MAY_FAIL, extent->start, extent->end - extent->start, POPULATE_WRITE, 0, 0, 0);
	}
	return failed;
}

/*
 * Copied, and not mapped from the image's file: where the process gives pages back it has to find zeroes there, and not
 * what the image has.
 */
int rw_boot_pages(struct boot *boot, struct rw_error *error)
{
	struct rw_process *p = boot->p;
	int failed = 0;

	for (uint64_t i = 0; i < p->image->regions.count && !failed; i++) {
		const struct region *region = &p->image->regions.at[i];

		if (!rw_tracked(region))
			continue;
		failed = rw_rung_register(p, region, error);
		if (!failed && region->saved)
			failed = rw_dirty_add(p, region->start, region->end, false, error);
	}
	if (!failed)
		failed = populate(p, error);
	if (!failed)
		failed = rw_plan_pages(p, error);
	if (!failed)
		failed = divide(p, error);
	return failed ? failed : rw_run_ops(p, NULL, error);
}
