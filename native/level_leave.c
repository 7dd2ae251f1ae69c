/* The memory of a level that is left, or come to: what has to become the base's again, or the level's. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

const struct image *rw_level_crossed(const struct rw_process *p)
{
	return p->is_brought ? p->image : p->above.image;
}

static const struct image *base_of(const struct rw_process *p)
{
	return p->is_brought ? p->below.image : p->image;
}

int rw_level_remake_replaced(struct rw_process *p, struct rw_error *error)
{
	const struct image *level = rw_level_crossed(p);
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

/* What of a stretch lies in mappings of the image in use; the others are gone. *region only moves forward. */
static int add_mapped(struct rw_process *p, uint64_t *region, uint64_t start, uint64_t end, struct rw_error *error)
{
	const struct region_list *list = &p->image->regions;
	int failed = 0;

	while (*region < list->count && list->at[*region].end <= start)
		++*region;
	for (uint64_t at = *region; at < list->count && list->at[at].start < end && !failed; at++) {
		const struct region *was = &list->at[at];

		if (rw_tracked(was))
			failed = rw_dirty_add(p, was->start > start ? was->start : start, was->end < end ? was->end : end, true,
					      error);
	}
	return failed;
}

/* Pages that the level owns and the base does not, or with other bytes. */
static int add_own(struct rw_process *p, struct rw_error *error)
{
	const struct image *level = rw_level_crossed(p);
	uint64_t region = 0;
	int failed = 0;

	for (uint64_t i = 0; i < level->extent_count && !failed; i++)
		if (!level->extents[i].below)
			failed = add_mapped(p, &region, level->extents[i].start, level->extents[i].end, error);
	return failed;
}

/* What the base holds and the level does not refer to: other bytes, or none. */
static int add_unreferred(struct rw_process *p, struct rw_error *error)
{
	const struct image *level = rw_level_crossed(p), *base = base_of(p);
	uint64_t next = 0, region = 0;
	int failed = 0;

	for (uint64_t i = 0; i < base->extent_count; i++) {
		const uint64_t end = base->extents[i].end;

		for (uint64_t at = base->extents[i].start; at < end && !failed;) {
			const struct extent *referring;

			while (next < level->extent_count && (level->extents[next].end <= at || !level->extents[next].below))
				next++;
			referring = next < level->extent_count && level->extents[next].start < end ? &level->extents[next] : NULL;
			if (!referring || referring->start > at)
				failed = add_mapped(p, &region, at, referring ? referring->start : end, error);
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
