/* What forbids a level of a process: that could not be put back, or would cost too much. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#define EFLAGS_TRAP (1ULL << 8)
#define EFLAGS_IDENTIFICATION (1ULL << 21)
#define MEMORY_DEVICES 1

/* Beside the base's: what is looked at page by page, and in how many mappings. */
#define GROWTH (1ULL << 32)
#define GROWTH_OF_LIST 16384

static bool is_write_end(const struct image *image, uint32_t index)
{
	for (uint32_t i = 0; i < image->descriptor_count; i++)
		if (image->descriptors[i].kind == OBJECT_PIPE && image->descriptors[i].write_end == index)
			return true;
	return false;
}

/* A file that nobody can change, or a device that has no state. */
static bool is_constant(int held, const struct descriptor *descriptor)
{
	struct stat file;
	struct statfs place;

	if (fstat(held, &file))
		return false;
	if (S_ISCHR(file.st_mode))
		return major(file.st_rdev) == MEMORY_DEVICES;
	if ((!S_ISREG(file.st_mode) && !S_ISDIR(file.st_mode)) || (descriptor->status & O_ACCMODE) != O_RDONLY)
		return false;
	return !fstatfs(held, &place) && place.f_flags & ST_RDONLY && place.f_type != PROC_SUPER_MAGIC;
}

static bool can_be_kept(const struct rw_process *p, uint32_t index)
{
	const struct descriptor *descriptor = &p->image->descriptors[index];

	switch (descriptor->kind) {
	case OBJECT_PIPE:
	case OBJECT_COUNTER:
	case OBJECT_EPOLL:
		return true;
	case OBJECT_PLAIN:
		return is_write_end(p->image, index) || is_constant(p->held[index], descriptor);
	case OBJECT_SOCKET:
	case OBJECT_OTHER:
		break;
	}
	return false;
}

/* Those that the base has are the base's still: that was looked at before. */
int rw_level_require_known_descriptors(struct rw_process *p, struct rw_error *error)
{
	const struct image *image = p->image, *below = p->below.image;
	uint32_t known = 0;

	for (uint32_t i = 0; i < image->descriptor_count; i++) {
		if (!rw_counter_can_be_put_back(&image->descriptors[i]))
			return rw_fail(error, RW_UNSUPPORTED, 0, "counter %d is too far from zero", image->descriptors[i].fd);
		while (known < below->descriptor_count && below->descriptors[known].fd < image->descriptors[i].fd)
			known++;
		if (known < below->descriptor_count && below->descriptors[known].fd == image->descriptors[i].fd)
			continue;
		if (!can_be_kept(p, i))
			return rw_fail(error, RW_UNSUPPORTED, 0, "what is behind descriptor %d cannot be put back",
				       image->descriptors[i].fd);
	}
	return 0;
}

/*
 * In 32-bit mode our code lies elsewhere, and in single steps it would not come to its end. PTRACE_SETREGS does not set the flag of
 * identification.
 */
int rw_level_require_plain_threads(struct rw_process *p, struct rw_error *error)
{
	const struct user_regs_struct *was = &p->below.image->threads[0].regs;

	for (uint32_t i = 0; i < p->image->thread_count; i++) {
		const struct thread *thread = &p->image->threads[i];

		if (thread->regs.cs != was->cs || thread->regs.ss != was->ss || thread->regs.eflags & EFLAGS_TRAP ||
		    (thread->regs.eflags ^ was->eflags) & EFLAGS_IDENTIFICATION)
			return rw_fail(error, RW_UNSUPPORTED, 0, "thread %d runs in another mode", thread->tid);
	}
	return 0;
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

int rw_level_refuse_locks(struct rw_process *p, struct rw_error *error)
{
	for (uint64_t i = 0; i < p->now.count; i++)
		if (p->now.at[i].flags & FLAG_LOCKED)
			return rw_fail(error, RW_UNSUPPORTED, 0, "mapping %llx is locked in memory",
				       (unsigned long long)p->now.at[i].start);
	return 0;
}

static int refuse_growth(struct rw_process *p, struct rw_error *error)
{
	const uint64_t was = rw_tracked_size(&p->below.image->regions);
	uint64_t looked_at = rw_tracked_size(&p->now);

	if (p->now.count > p->below.image->regions.count + GROWTH_OF_LIST)
		return rw_fail(error, RW_UNSUPPORTED, E2BIG, "there are %llu mappings", (unsigned long long)p->now.count);
	for (uint64_t i = 0; i < p->now.count; i++) {
		const struct region *region = &p->now.at[i];

		if (rw_tracked(region) && rw_is_passed_over(p, region->start, region->end))
			looked_at -= region->end - region->start;
	}
	if (looked_at <= was + GROWTH)
		return 0;
	return rw_fail(error, RW_UNSUPPORTED, E2BIG, "%llu bytes are mapped", (unsigned long long)looked_at);
}

int rw_level_refuse_mappings(struct rw_process *p, struct rw_error *error)
{
	int failed = refuse_growth(p, error);

	return failed ? failed : refuse_new_sharing(p, error);
}

/* Its length is the thread's choice. */
int rw_level_refuse_sequences(struct rw_process *p, struct rw_error *error)
{
	for (uint32_t i = 0; i < p->image->thread_count; i++)
		if (!rw_sequence_is_whole(p->image, &p->image->threads[i]))
			return rw_fail(error, RW_UNSUPPORTED, 0, "thread %d: the rseq area is not saved in one piece",
				       p->image->threads[i].tid);
	return 0;
}
