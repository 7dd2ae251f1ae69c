/* A level that others of the same base can be brought to: of which processes, and whether another one has that base. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DELETED " (deleted)"

static bool is_same_text(const char *was, const char *is)
{
	return was && is ? !strcmp(was, is) : was == is;
}

/* Of two processes: what lies behind it has numbers and times of its own. */
static bool is_alike(const struct descriptor *was, const struct descriptor *is)
{
	return was->fd == is->fd && was->cloexec == is->cloexec && was->status == is->status && was->position == is->position &&
	       was->kind == is->kind && was->write_end == is->write_end && was->counter == is->counter &&
	       was->content_length == is->content_length && !memcmp(was->content, is->content, was->content_length) &&
	       was->attributes.unread == is->attributes.unread;
}

/* Of one process: all but the times. */
static bool is_unchanged(const struct descriptor *was, const struct descriptor *is)
{
	const struct attributes *before = &was->attributes, *after = &is->attributes;

	return is_alike(was, is) && was->shut_down == is->shut_down && !memcmp(was->options, is->options, sizeof(was->options)) &&
	       is_same_text(was->info, is->info) && before->mode == after->mode && before->owner == after->owner &&
	       before->group == after->group && before->name_length == after->name_length &&
	       !memcmp(before->name, after->name, sizeof(before->name));
}

/* Each process has its own, made anew or given to it: so they are as they were at the base, or the level is that process's alone. */
static int require_descriptors(const struct image *base, const struct image *is,
			       bool (*equal)(const struct descriptor *was, const struct descriptor *is), struct rw_error *error)
{
	if (base->descriptor_count != is->descriptor_count)
		return rw_fail(error, RW_UNSUPPORTED, 0, "%u descriptors, and %u at the base", is->descriptor_count,
			       base->descriptor_count);
	for (uint32_t i = 0; i < base->descriptor_count; i++)
		if (!equal(&base->descriptors[i], &is->descriptors[i]))
			return rw_fail(error, RW_UNSUPPORTED, 0, "descriptor %d is not as at the base", is->descriptors[i].fd);
	return 0;
}

static bool has_same_area(const struct thread *was, const struct thread *is)
{
	return was->rseq == is->rseq && was->rseq_size == is->rseq_size && was->rseq_signature == is->rseq_signature;
}

static int require_threads_of_base(const struct image *base, const struct image *level, struct rw_error *error)
{
	if (base->thread_count != level->thread_count)
		return rw_fail(error, RW_UNSUPPORTED, 0, "%u threads, and %u at the base", level->thread_count, base->thread_count);
	for (uint32_t i = 0; i < base->thread_count; i++)
		if (base->threads[i].tid != level->threads[i].tid || !has_same_area(&base->threads[i], &level->threads[i]))
			return rw_fail(error, RW_UNSUPPORTED, 0, "thread %d is not as at the base", level->threads[i].tid);
	return 0;
}

/* A file that has no name any more can be mapped by nobody else. */
static int require_named_files(const struct image *base, const struct image *level, struct rw_error *error)
{
	const uint32_t length = sizeof(DELETED) - 1;

	for (uint64_t i = 0; i < level->regions.count; i++) {
		const struct region *region = &level->regions.at[i];
		const char *end = level->maps + region->name + region->name_length;
		const struct region *was = rw_region_at(&base->regions, region->start);

		if (region->kind == REGION_INJECTED || region->name_length < length || memcmp(end - length, DELETED, length) ||
		    (was && was->end >= region->end && rw_same_object(was, region, region->start)))
			continue;
		return rw_fail(error, RW_UNSUPPORTED, 0, "mapping %llx is of a file without a name",
			       (unsigned long long)region->start);
	}
	return 0;
}

static int require_shareable(const struct rw_process *p, struct rw_error *error)
{
	const struct image *base = p->below.image, *level = p->image;
	int failed = require_threads_of_base(base, level, error);

	if (!failed)
		failed = require_descriptors(base, level, is_unchanged, error);
	if (!failed)
		failed = require_named_files(base, level, error);
	if (failed)
		return failed;
	if (strcmp(base->kernel.inside.cwd, level->kernel.inside.cwd))
		return rw_fail(error, RW_UNSUPPORTED, 0, "the directory is not the base's");
	if (!rw_status_lasts(base->kernel.status, level->kernel.status))
		return rw_fail(error, RW_UNSUPPORTED, 0, "the status is not the base's");
	return 0;
}

int rw_share_level(struct rw_process *process, struct rw_process **shared, struct rw_error *error)
{
	struct rw_process *p;
	int failed;

	*error = (struct rw_error){ .untouched = 1 };
	if (!process->below.image)
		return rw_fail(error, RW_UNSUPPORTED, ENOENT, "process %d has no level", process->pid);
	/* By no other is it known what was mapped since the base, which has to be made elsewhere as it was made here. */
	if (process->rung != RW_WRITE_PROTECT)
		return rw_fail(error, RW_UNSUPPORTED, 0, "what was mapped since the base is not known");
	failed = require_shareable(process, error);
	if (failed)
		return failed;
	p = rw_process_new(0, process->rung);
	if (!p)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "a level");
	p->below.image = calloc(1, sizeof(*p->below.image));
	if (p->below.image)
		p->below.image->fd = -1;
	if (!p->below.image || rw_image_copy(process->below.image, p->below.image) || rw_image_copy(process->image, p->image)) {
		rw_release(p);
		return rw_fail(error, RW_SYSTEM, ENOMEM, "a copy of the level of process %d", process->pid);
	}
	*shared = p;
	return 0;
}

/* -- whether another process has the same base ------------------------------------------------------------------------------- */

static bool is_same_file(int one, int other)
{
	struct stat first, second;

	return !fstat(one, &first) && !fstat(other, &second) && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

static bool has_same_pages(const struct image *was, const struct image *is)
{
	if (!is_same_file(was->fd, is->fd) || was->size != is->size || was->extent_count != is->extent_count)
		return false;
	for (uint64_t i = 0; i < was->extent_count; i++)
		if (was->extents[i].start != is->extents[i].start || was->extents[i].end != is->extents[i].end ||
		    was->extents[i].offset != is->extents[i].offset)
			return false;
	return true;
}

static bool has_same_mappings(const struct image *was, const struct image *is)
{
	if (was->code != is->code || was->table != is->table || was->window != is->window ||
	    was->regions.count != is->regions.count || !is_same_text(was->flags, is->flags))
		return false;
	for (uint64_t i = 0; i < was->regions.count; i++) {
		const struct region *one = &was->regions.at[i], *other = &is->regions.at[i];

		if (one->start != other->start || one->end != other->end || one->prot != other->prot || one->kind != other->kind ||
		    (one->kind != REGION_INJECTED && !rw_same_object(one, other, one->start)))
			return false;
	}
	return true;
}

/* Their ids in their own pid namespace are in memory. */
static bool has_same_threads(const struct image *was, const struct image *is)
{
	if (was->thread_count != is->thread_count)
		return false;
	for (uint32_t i = 0; i < was->thread_count; i++)
		if (was->threads[i].inner != is->threads[i].inner || !has_same_area(&was->threads[i], &is->threads[i]))
			return false;
	return true;
}

int rw_level_require_base(const struct rw_process *p, const struct rw_process *shared, struct rw_error *error)
{
	const struct image *was = shared->below.image, *is = p->image;

	if (p->below.image)
		return rw_fail(error, RW_UNSUPPORTED, EEXIST, "process %d is at a level already", p->pid);
	if (p->rung != shared->rung || !has_same_pages(was, is) || !has_same_mappings(was, is) || !has_same_threads(was, is))
		return rw_fail(error, RW_UNSUPPORTED, 0, "process %d has another base than the level", p->pid);
	return require_descriptors(was, is, is_alike, error);
}
