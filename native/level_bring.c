/* Bringing a process to a level that another one of the same base has taken. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define LOWEST 0x10000ULL /* that may be mapped */

/* -- the level as the process will have it ------------------------------------------------------------------------------------ */

static size_t line_length(const char *line)
{
	const size_t length = strcspn(line, "\n");

	return length + (line[length] == '\n');
}

static const char *line_at(const char *maps, uint64_t start)
{
	while (*maps && strtoull(maps, NULL, 16) != start)
		maps += line_length(maps);
	return maps;
}

/* The files of our code and table are each process's own. NULL: no memory. */
static char *own_maps(const struct image *base, const struct image *level)
{
	char *text = malloc(level->maps_length + base->maps_length + 1), *to = text;

	for (const char *line = level->maps; text && *line; line += line_length(line)) {
		const uint64_t start = strtoull(line, NULL, 16);
		const char *from = start == base->code || start == base->table ? line_at(base->maps, start) : line;

		memcpy(to, from, line_length(from));
		to += line_length(from);
	}
	if (text)
		*to = 0;
	return text;
}

static int adopt_text(struct image *image, struct rw_error *error)
{
	struct region_list list = { 0 };
	int failed = rw_parse_maps(image->maps, &list, error);

	if (!failed && list.count != image->regions.count)
		failed = rw_fail(error, RW_UNSUPPORTED, 0, "%llu mappings", (unsigned long long)list.count);
	for (uint64_t i = 0; i < list.count && !failed; i++) {
		struct region *region = &image->regions.at[i];

		region->inode = list.at[i].inode;
		region->device = list.at[i].device;
		region->name = list.at[i].name;
		region->name_length = list.at[i].name_length;
	}
	free(list.at);
	return failed;
}

static int copy_fds(const int *from, uint32_t count, int **to, struct rw_error *error)
{
	*to = malloc(sizeof(int) * (count + 1));
	if (!*to)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "descriptors");
	memset(*to, 0xff, sizeof(int) * (count + 1));
	for (uint32_t i = 0; i < count; i++) {
		if (from[i] < 0)
			continue;
		(*to)[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 0);
		if ((*to)[i] < 0)
			return rw_fail(error, RW_SYSTEM, errno, "cannot hold a descriptor twice");
	}
	return 0;
}

/* The pages and the rest are the level's; threads, descriptors and what lasts of the status are the process's. */
static int make_own(const struct rw_process *p, const struct image *shared, struct target *own, struct rw_error *error)
{
	const struct image *base = p->image;
	char *maps cleanup_(rw_free) = own_maps(base, shared);
	char *status cleanup_(rw_free) = rw_status_of_level(base->kernel.status, shared->kernel.status);
	struct image parts = *shared;
	int failed;

	own->image = calloc(1, sizeof(*own->image));
	if (!own->image)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "a level");
	own->image->fd = -1;
	if (!maps || !status)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "a level");
	parts.maps = maps;
	parts.maps_length = strlen(maps);
	parts.kernel.status = status;
	parts.descriptors = base->descriptors;
	parts.descriptor_count = base->descriptor_count;
	if (rw_image_copy(&parts, own->image))
		return rw_fail(error, RW_SYSTEM, ENOMEM, "a level");
	for (uint32_t i = 0; i < base->thread_count; i++) {
		own->image->threads[i].tid = base->threads[i].tid;
		own->image->threads[i].inner = base->threads[i].inner;
	}
	failed = adopt_text(own->image, error);
	if (!failed)
		failed = copy_fds(p->held, base->descriptor_count, &own->held, error);
	return failed ? failed : copy_fds(p->info, base->descriptor_count, &own->info, error);
}

/* -- in the process ------------------------------------------------------------------------------------------------------------ */

/* NULL: nothing. */
static const struct region *in_the_way(const struct region_list *list, uint64_t start, uint64_t end)
{
	for (uint64_t i = 0; i < list->count; i++)
		if (list->at[i].start < end && start < list->at[i].end)
			return &list->at[i];
	return NULL;
}

/* Where neither the process nor the level has anything. */
static uint64_t find_scratch(const struct rw_process *p, const struct image *level)
{
	uint64_t at = LOWEST;

	for (;;) {
		const struct region *region = in_the_way(&p->now, at, at + PAGE);

		if (!region)
			region = in_the_way(&level->regions, at, at + PAGE);
		if (!region)
			return at;
		at = region->end;
	}
}

/* The base has nothing where the level's image is to be; what else the process has mapped there is in its way. */
static int require_room(const struct rw_process *p, const struct image *level, struct rw_error *error)
{
	if (!in_the_way(&p->image->regions, level->window, level->window + level->size))
		return 0;
	return rw_fail(error, RW_UNSUPPORTED, 0, "the base of process %d lies where the level's image is to be", p->pid);
}

int rw_level_enter(struct rw_process *p, struct rw_error *error)
{
	const struct image *level = p->coming.image;
	uint64_t scratch;
	int failed = rw_parse_live_maps(p, error);

	if (failed)
		return failed;
	scratch = find_scratch(p, level);
	failed = rw_op(p, error, SYS_mmap, 0, scratch, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		       (uint64_t)-1, 0);
	if (!failed)
		failed = rw_map_window(p, level, scratch, error);
	if (!failed)
		failed = rw_op(p, error, SYS_munmap, 0, scratch, PAGE, 0, 0, 0, 0);
	if (!failed)
		failed = rw_run_ops(p, NULL, error);
	if (failed)
		return failed;
	p->below = (struct target){ p->image, p->held, p->info };
	p->image = p->coming.image;
	p->held = p->coming.held;
	p->info = p->coming.info;
	p->coming = (struct target){ 0 };
	p->is_brought = true;
	return rw_put_constants(p, error);
}

/* Only the kernel makes a stack longer, where the process writes below it. What is written is put back with the pages. */
int rw_level_grow_stack(struct rw_process *p, struct rw_error *error)
{
	int failed = 0;

	for (uint64_t i = 0; i < p->image->regions.count && !failed; i++) {
		const struct region *region = &p->image->regions.at[i];
		const struct region *was = rw_region_at(&p->below.image->regions, region->end - 1);

		if (region->flags & FLAG_GROWSDOWN && rw_tracked(region) && was && was->flags & FLAG_GROWSDOWN &&
		    region->start < was->start)
			failed = rw_op(p, error, OP_ZERO, 0, region->start, sizeof(uint64_t), 0, 0, 0, 0);
	}
	return failed;
}

int rw_level_watch_heap(struct rw_process *p, struct rw_error *error)
{
	const struct region *heap = rw_region_at(&p->image->regions, p->image->kernel.inside.program_break - 1);

	return heap && rw_tracked(heap) ? rw_rung_register(p, heap, error) : 0;
}

int rw_bring_to_level(struct rw_process *p, struct rw_process *shared, uint32_t verify, struct rw_timings *timings,
		      struct rw_error *error)
{
	int failed;

	*error = (struct rw_error){ .untouched = 1 };
	failed = rw_level_require_base(p, shared, error);
	if (!failed)
		failed = require_room(p, shared->image, error);
	if (!failed)
		failed = make_own(p, shared->image, &p->coming, error);
	if (!failed)
		failed = rw_rewind_in_use(p, verify ? RW_VERIFY : 0, timings, error);
	p->is_brought = false;
	rw_target_free(&p->coming);
	return failed;
}
