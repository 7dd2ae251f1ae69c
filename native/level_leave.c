/* The memory of a level that is left: what of it has to become the base's again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

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
