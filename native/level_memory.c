/* The memory of a level: which of it differs from the base's. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CHUNK (256 * PAGE)

static int add_extent(struct image *image, struct extent extent, struct rw_error *error)
{
	struct extent *last = image->extent_count ? &image->extents[image->extent_count - 1] : NULL;

	if (last && last->end == extent.start && last->below == extent.below &&
	    last->offset + (extent.start - last->start) == extent.offset) {
		last->end = extent.end;
		return 0;
	}
	if (rw_reserve(&image->extents, &image->extent_capacity, image->extent_count + 1, sizeof(extent)))
		return rw_fail(error, RW_SYSTEM, ENOMEM, "list of saved pages");
	image->extents[image->extent_count++] = extent;
	return 0;
}

static int refer_below(struct rw_process *p, struct region *region, const struct extent *base, struct page_run run,
		       struct rw_error *error)
{
	const struct extent part = { run.start, run.end, base->offset + (run.start - base->start), true };

	region->saved += (run.end - run.start) / PAGE;
	return add_extent(p->image, part, error);
}

/* Where things stand while the pages of all regions are gone through in their order. */
struct walk {
	uint8_t *file;			/* our writable view of the level's */
	uint8_t *buffer;		/* of CHUNK */
	uint64_t pages;			/* that the level may hold */
	uint64_t dirty;			/* of p->dirty: the run that covers the page, or the next one */
	uint64_t base;			/* of the base's extents: the same */
};

/* A stretch that may differ. `base`: the extent that covers it, or NULL. What is equal all the same is not saved twice. */
static int save_if_different(struct rw_process *p, struct walk *walk, struct region *region, const struct extent *base,
			     struct page_run run, struct rw_error *error)
{
	const uint8_t *was = base ? p->below.image->pages + base->offset + (run.start - base->start) : NULL;
	int failed = rw_read_memory(p, run.start, walk->buffer, run.end - run.start);

	if (failed)
		return rw_fail(error, RW_SYSTEM, -failed, "cannot read page %llx", (unsigned long long)run.start);
	for (uint64_t at = 0; at < run.end - run.start && !failed; at += PAGE) {
		const uint64_t start = run.start + at, offset = p->image->pages_saved * PAGE;

		if (was && !memcmp(was + at, walk->buffer + at, PAGE)) {
			failed = refer_below(p, region, base, (struct page_run){ start, start + PAGE }, error);
			continue;
		}
		if (p->image->pages_saved == walk->pages)
			return rw_fail(error, RW_TOO_LARGE, E2BIG, "more than %llu pages", (unsigned long long)walk->pages);
		memcpy(walk->file + offset, walk->buffer + at, PAGE);
		region->saved++;
		p->image->pages_saved++;
		failed = add_extent(p->image, (struct extent){ start, start + PAGE, offset, false }, error);
	}
	return failed;
}

/* Pages that the process owns, stretch by stretch over which neither list changes. */
static int save_run(struct rw_process *p, struct walk *walk, struct region *region, struct page_run run, struct rw_error *error)
{
	const struct image *below = p->below.image;
	int failed = 0;

	for (uint64_t at = run.start; at < run.end && !failed;) {
		struct page_run part = { at, run.end - at > CHUNK ? at + CHUNK : run.end };
		const struct extent *base;
		const struct dirty *dirty;

		while (walk->dirty < p->dirty_count && p->dirty[walk->dirty].end <= at)
			walk->dirty++;
		while (walk->base < below->extent_count && below->extents[walk->base].end <= at)
			walk->base++;
		dirty = walk->dirty < p->dirty_count ? &p->dirty[walk->dirty] : NULL;
		base = walk->base < below->extent_count ? &below->extents[walk->base] : NULL;
		if (dirty && dirty->start > at) {
			part.end = dirty->start < part.end ? dirty->start : part.end;
			dirty = NULL;
		} else if (dirty) {
			part.end = dirty->end < part.end ? dirty->end : part.end;
		}
		if (base && base->start > at) {
			part.end = base->start < part.end ? base->start : part.end;
			base = NULL;
		} else if (base) {
			part.end = base->end < part.end ? base->end : part.end;
		}
		failed = !dirty && base ? refer_below(p, region, base, part, error)
					: save_if_different(p, walk, region, base, part, error);
		at = part.end;
	}
	return failed;
}

static int save_region(struct rw_process *p, struct walk *walk, struct region *region, struct rw_error *error)
{
	struct page_run *runs cleanup_(rw_free) = NULL;
	uint64_t count = 0, capacity = 0;
	int failed = rw_private_runs(p, region->start, region->end, &runs, &count, &capacity, error);

	for (uint64_t i = 0; i < count && !failed; i++)
		failed = save_run(p, walk, region, runs[i], error);
	return failed;
}

static int save_all(struct rw_process *p, uint8_t *file, uint64_t pages, struct rw_error *error)
{
	uint8_t *buffer cleanup_(rw_free) = malloc(CHUNK);
	struct walk walk = { .file = file, .buffer = buffer, .pages = pages };
	int failed = 0;

	if (!buffer)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "comparison buffer");
	for (uint64_t i = 0; i < p->image->regions.count && !failed; i++)
		if (rw_tracked(&p->image->regions.at[i]))
			failed = save_region(p, &walk, &p->image->regions.at[i], error);
	return failed;
}

/* Under write-protect the base's mappings are told by being watched; under the others their flags are compared at every rewind. */
static int note_replaced(struct rw_process *p, struct rw_error *error)
{
	struct image *image = p->image;
	uint64_t capacity = 0;

	for (uint64_t i = 0; i < p->now.count && p->rung == RW_WRITE_PROTECT; i++) {
		const struct region *region = &p->now.at[i];

		if (!rw_tracked(region) || region->flags & FLAG_WATCHED)
			continue;
		if (rw_reserve(&image->replaced, &capacity, image->replaced_count + 1, sizeof(*image->replaced)))
			return rw_fail(error, RW_SYSTEM, ENOMEM, "list of new mappings");
		image->replaced[image->replaced_count++] = (struct page_run){ region->start, region->end };
	}
	return 0;
}

/* A watched mapping may become one with its neighbour: that is done before the list is fixed. */
static int watch_all(struct rw_process *p, struct rw_error *error)
{
	int failed = 0;

	for (uint64_t i = 0; i < p->now.count && !failed; i++)
		if (rw_tracked(&p->now.at[i]) && !(p->now.at[i].flags & FLAG_DROPPABLE))
			failed = rw_rung_register(p, &p->now.at[i], error);
	return failed;
}

/* Fills p->dirty. */
static int find_differences(struct rw_process *p, struct rw_error *error)
{
	bool changed = false;
	int failed = rw_parse_live_maps(p, error);

	if (!failed)
		failed = rw_level_refuse_mappings(p, error);
	if (!failed)
		failed = rw_settle_accounts(p, &changed, error);
	if (!failed)
		failed = rw_level_refuse_locks(p, error);
	p->dirty_count = 0;
	if (!failed && changed)
		failed = rw_parse_live_maps(p, error);
	if (!failed && changed)
		failed = rw_read_flags(p->pid, &p->now, error);
	if (!failed)
		failed = note_replaced(p, error);
	return failed ? failed : rw_rung_collect_since_base(p, error);
}

/* That there is too little of something, with the process or with us, is no fault: nothing has been changed yet. */
static int share_image(struct rw_process *p, struct bootstrap *boot, uint8_t **file, struct rw_error *error)
{
	int failed = rw_bootstrap_scratch(p, boot, error);

	if (!failed)
		failed = rw_bootstrap_image(p, boot, file, error);
	if (failed && (error->errnum == EMFILE || error->errnum == ENFILE || error->errnum == ENOMEM))
		error->reason = RW_UNSUPPORTED;
	return failed;
}

int rw_level_save_memory(struct rw_process *p, struct bootstrap *boot, uint64_t pages, struct rw_error *error)
{
	struct image *image = p->image;
	uint8_t *file = MAP_FAILED;
	uint64_t mapped;
	int failed = pages ? find_differences(p, error) : rw_fail(error, RW_TOO_LARGE, E2BIG, "a level of no pages");

	if (failed)
		return failed;
	/* Page after page of what differs: the address space that an action reserves is not asked of us as well. */
	mapped = rw_tracked_size(&p->now);
	image->size = pages < mapped / PAGE ? pages * PAGE : mapped;
	failed = share_image(p, boot, &file, error);
	if (!failed)
		failed = rw_level_join(p, error);
	if (!failed)
		failed = watch_all(p, error);
	if (!failed)
		failed = rw_fix_regions(p, error);
	if (!failed)
		failed = save_all(p, file, pages, error);
	if (file != MAP_FAILED)
		munmap(file, image->size);
	if (failed)
		return failed;
	image->pages = mmap(NULL, image->size, PROT_READ, MAP_SHARED | MAP_NORESERVE, image->fd, 0);
	if (image->pages != MAP_FAILED)
		return 0;
	image->pages = NULL;
	return rw_fail(error, RW_SYSTEM, errno, "cannot map the image of the level");
}

/* By what is watched and was not when the differences were looked for. */
int rw_level_unwatch(struct rw_process *p, struct rw_error *error)
{
	const struct image *image = p->image;
	int failed = image->replaced_count ? rw_parse_live_maps(p, error) : 0;

	if (!failed && image->replaced_count)
		failed = rw_read_flags(p->pid, &p->now, error);
	for (uint64_t i = 0, k = 0; i < image->replaced_count && k < p->now.count && !failed;) {
		const struct page_run *was = &image->replaced[i];
		const struct region *is = &p->now.at[k];
		uint64_t start = is->start > was->start ? is->start : was->start;
		uint64_t end = is->end < was->end ? is->end : was->end;

		if (start < end && is->flags & FLAG_WATCHED)
			failed = rw_rung_unregister(p, start, end, error);
		if (is->end < was->end)
			k++;
		else
			i++;
	}
	return failed;
}
