/* The memory of a level: which of it differs from the base's, and how the process gets from one to the other. */
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
	uint64_t dirty;			/* of p->dirty: the run that covers the page, or the next one */
	uint64_t base;			/* of the base's extents: the same */
};

/* A stretch that may differ. `base`: the extent that covers it, or NULL. What is equal all the same is not saved twice. */
static int save_if_different(struct rw_process *p, struct walk *walk, struct region *region, const struct extent *base,
			     struct page_run run, struct rw_error *error)
{
	const uint8_t *was = base ? p->below.image->pages + base->offset + (run.start - base->start) : NULL;
	uint64_t offset = region->image_offset + (run.start - region->start);
	int failed = rw_read_memory(p, run.start, walk->buffer, run.end - run.start);

	if (failed)
		return rw_fail(error, RW_SYSTEM, -failed, "cannot read page %llx", (unsigned long long)run.start);
	for (uint64_t at = 0; at < run.end - run.start && !failed; at += PAGE) {
		const uint64_t start = run.start + at;

		if (was && !memcmp(was + at, walk->buffer + at, PAGE)) {
			failed = refer_below(p, region, base, (struct page_run){ start, start + PAGE }, error);
			continue;
		}
		memcpy(walk->file + offset + at, walk->buffer + at, PAGE);
		region->saved++;
		p->image->pages_saved++;
		failed = add_extent(p->image, (struct extent){ start, start + PAGE, offset + at, false }, error);
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

static int save_all(struct rw_process *p, uint8_t *file, struct rw_error *error)
{
	uint8_t *buffer cleanup_(rw_free) = malloc(CHUNK);
	struct walk walk = { .file = file, .buffer = buffer };
	int failed = 0;

	if (!buffer)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "comparison buffer");
	for (uint64_t i = 0; i < p->image->regions.count && !failed; i++)
		if (rw_tracked(&p->image->regions.at[i]))
			failed = save_region(p, &walk, &p->image->regions.at[i], error);
	return failed;
}

/* What is mapped as shared could be written, and none of that would be put back: only what the base has is known. */
static int refuse_new_sharing(struct rw_process *p, struct rw_error *error)
{
	for (uint64_t i = 0; i < p->now.count; i++) {
		const struct region *is = &p->now.at[i];
		const struct region *was = rw_region_at(&p->below.image->regions, is->start);

		if (is->shared && !(was && is->end <= was->end && rw_same_object(was, is, is->start)))
			return rw_fail(error, RW_UNSUPPORTED, 0, "shared mapping %llx (%.*s)", (unsigned long long)is->start,
				       (int)is->name_length, p->text + is->name);
	}
	return 0;
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

/* Fills p->dirty; mappings may have become one afterwards. */
static int find_differences(struct rw_process *p, struct rw_error *error)
{
	bool changed = false;
	int failed = rw_parse_live_maps(p, error);

	if (!failed)
		failed = refuse_new_sharing(p, error);
	if (!failed)
		failed = rw_settle_accounts(p, &changed, error);
	p->dirty_count = 0;
	if (!failed && changed)
		failed = rw_parse_live_maps(p, error);
	if (!failed && changed)
		failed = rw_read_flags(p->pid, &p->now, error);
	if (!failed)
		failed = note_replaced(p, error);
	if (!failed)
		failed = rw_rung_collect_since_base(p, error);
	return failed ? failed : rw_level_join(p, error);
}

int rw_level_save_memory(struct rw_process *p, struct bootstrap *boot, struct rw_error *error)
{
	struct image *image = p->image;
	uint8_t *file = MAP_FAILED;
	int failed = find_differences(p, error);

	if (failed)
		return failed;
	image->size = rw_tracked_size(&p->now);
	failed = rw_bootstrap_scratch(p, boot, error);
	if (!failed)
		failed = rw_bootstrap_image(p, boot, &file, error);
	if (!failed)
		failed = watch_all(p, error);
	if (!failed)
		failed = rw_fix_regions(p, error);
	if (!failed)
		failed = save_all(p, file, error);
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

/* -- leaving it ------------------------------------------------------------------------------------------------------------- */

int rw_level_remake_replaced(struct rw_process *p, struct rw_error *error)
{
	const struct image *level = p->above.image;
	const struct region_list *list = &p->image->regions;
	int failed = 0;

	for (uint64_t i = 0; i < level->replaced_count; i++)
		for (uint64_t k = 0; k < list->count && !failed; k++) {
			const struct region *was = &list->at[k];
			uint64_t start = was->start > level->replaced[i].start ? was->start : level->replaced[i].start;
			uint64_t end = was->end < level->replaced[i].end ? was->end : level->replaced[i].end;

			if (rw_tracked(was) && start < end)
				failed = rw_remake(p, was, start, end, error);
		}
	return failed;
}

/* Pages that the level owns and the base does not, or with other bytes; those of mappings that the base has not are gone. */
static int add_own(struct rw_process *p, struct rw_error *error)
{
	const struct image *level = p->above.image;
	const struct region_list *list = &p->image->regions;
	uint64_t k = 0;
	int failed = 0;

	for (uint64_t i = 0; i < level->extent_count && !failed; i++) {
		const struct extent *own = &level->extents[i];

		if (own->below)
			continue;
		while (k < list->count && list->at[k].end <= own->start)
			k++;
		for (uint64_t at = k; at < list->count && list->at[at].start < own->end && !failed; at++) {
			const struct region *was = &list->at[at];

			if (rw_tracked(was))
				failed = rw_dirty_add(p, was->start > own->start ? was->start : own->start,
						      was->end < own->end ? was->end : own->end, true, error);
		}
	}
	return failed;
}

/* What the base holds and the level does not refer to: other bytes, or none. */
static int add_unreferred(struct rw_process *p, struct rw_error *error)
{
	const struct image *level = p->above.image, *base = p->image;
	uint64_t next = 0;
	int failed = 0;

	for (uint64_t i = 0; i < base->extent_count; i++) {
		const uint64_t end = base->extents[i].end;

		for (uint64_t at = base->extents[i].start; at < end && !failed;) {
			const struct extent *referring;

			while (next < level->extent_count && (level->extents[next].end <= at || !level->extents[next].below))
				next++;
			referring = next < level->extent_count && level->extents[next].start < end ? &level->extents[next] : NULL;
			if (!referring || referring->start > at)
				failed = rw_dirty_add(p, at, referring ? referring->start : end, true, error);
			at = referring ? referring->end : end;
		}
	}
	return failed;
}

int rw_level_add_differences(struct rw_process *p, struct rw_error *error)
{
	int failed = add_own(p, error);

	return failed ? failed : add_unreferred(p, error);
}
