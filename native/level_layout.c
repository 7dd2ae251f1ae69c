/* Mappings of a process that is brought to a level: where one ends and its like begins is the process's own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
}

static bool is_alike(const struct rw_process *p, const struct region *was, const struct region *is, uint64_t at)
{
	return rw_same_object(was, is, at) && was->prot == is->prot && was->name_length == is->name_length &&
	       !memcmp(p->image->maps + was->name, p->text + is->name, was->name_length);
}

static bool is_same_line(const char *one, const char *other)
{
	const size_t length = strcspn(one, "\n");

	return !strncmp(one, other, length) && (other[length] == '\n' || !other[length]);
}

/* The same addresses are mapped, each in the same way; flags[]: of the live ones. What p->now does not know of them it learns. */
static bool covers_the_same(struct rw_process *p, const char *flags)
{
	const struct region_list *was = &p->image->regions, *is = &p->now;
	const char *was_flags = p->image->flags;
	uint64_t i = 0, j = 0, at = 0;

	while (i < was->count && j < is->count) {
		const struct region *a = &was->at[i];
		struct region *b = &is->at[j];
		const uint64_t start = a->start > at ? a->start : at;

		if (start != (b->start > at ? b->start : at) || !is_alike(p, a, b, start) || !is_same_line(was_flags, flags))
			return false;
		b->kind = a->kind;
		b->flags = a->flags;
		at = a->end < b->end ? a->end : b->end;
		if (a->end == at) {
			i++;
			was_flags = next_line(was_flags);
		}
		if (b->end == at) {
			j++;
			flags = next_line(flags);
		}
	}
	return i == was->count && j == is->count;
}

static void count_saved(const struct image *image, struct region_list *list)
{
	uint64_t i = 0;

	for (uint64_t k = 0; k < image->extent_count; k++) {
		const struct extent *extent = &image->extents[k];

		while (i < list->count && list->at[i].end <= extent->start)
			i++;
		for (uint64_t at = i; at < list->count && list->at[at].start < extent->end; at++) {
			const struct region *region = &list->at[at];
			const uint64_t start = region->start > extent->start ? region->start : extent->start;
			const uint64_t end = region->end < extent->end ? region->end : extent->end;

			list->at[at].saved += (end - start) / PAGE;
		}
	}
}

/*
 * The kernel makes two mappings one where it can, which depends on what they have been before: of a heap that was grown those
 * that the process has in common with who it was forked from, until they are made anew. Where all else is the same the
 * process's own list is that of its level.
 */
int rw_level_adopt_layout(struct rw_process *p, bool *equal, struct rw_error *error)
{
	struct image *image = p->image;
	char *flags cleanup_(rw_free) = NULL, *maps;
	int failed = rw_read_flag_lines(p->pid, p->now.count, &flags, NULL, error);

	*equal = !failed && flags && image->flags && covers_the_same(p, flags);
	if (!*equal)
		return failed;
	maps = strdup(p->text);
	if (!maps)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "text of maps");
	free(image->maps);
	image->maps = maps;
	image->maps_length = p->text_length;
	free(image->flags);
	image->flags = flags;
	flags = NULL;
	free(image->regions.at);
	image->regions = p->now;
	p->now = (struct region_list){ 0 };
	image->hides_flags = false;
	for (uint64_t i = 0; i < image->regions.count; i++) {
		image->regions.at[i].saved = image->regions.at[i].image_offset = 0;
		image->hides_flags |= rw_may_hide_flags(&image->regions.at[i]);
	}
	count_saved(image, &image->regions);
	return 0;
}
