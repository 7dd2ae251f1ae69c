/* Mappings made in the process: the image's again where they are gone, and files' read-only ones as shared ones. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Opens the file of a mapping by its path inside the container. *fd: in the process; or -errno. */
static int open_mapped(struct rw_process *p, const struct region *region, const char *text, int64_t *fd,
		       struct rw_error *error)
{
	char path[4096];
	uint64_t address;
	int failed;

	if (region->name_length == 0 || region->name_length >= sizeof(path) || text[region->name] != '/')
		return rw_fail(error, RW_MAPPING, 0, "mapping %llx has no path", (unsigned long long)region->start);
	memcpy(path, text + region->name, region->name_length);
	path[region->name_length] = 0;
	failed = rw_run_ops(p, NULL, error);
	if (failed)
		return failed;
	if (rw_constants_put(p, TABLE_PASSING, path, region->name_length + 1, &address))
		return rw_fail(error, RW_MAPPING, E2BIG, "path of mapping %llx", (unsigned long long)region->start);
	failed = rw_op(p, error, SYS_openat, OP_CAPTURE | OP_MAY_FAIL, (uint64_t)AT_FDCWD, address, O_RDONLY | O_CLOEXEC, 0, 0, 0);
	return failed ? failed : rw_run_ops(p, fd, error);
}

/* Queues the mapping of [start, end) of a region from the open file `fd`, and the closing of that. */
static int queue_map_file(struct rw_process *p, const struct region *region, uint64_t start, uint64_t end, int64_t fd,
			  uint64_t flags, struct rw_error *error)
{
	int failed = rw_op(p, error, SYS_mmap, 0, start, end - start, region->prot, flags | MAP_FIXED, (uint64_t)fd,
			   region->offset + (start - region->start));

	return failed ? failed : rw_op(p, error, SYS_close, 0, (uint64_t)fd, 0, 0, 0, 0, 0);
}

/* That the path still names the same file is seen afterwards, in the text of maps. */
static int remake_file(struct rw_process *p, const struct region *was, uint64_t start, uint64_t end, uint64_t flags,
		       struct rw_error *error)
{
	int64_t fd;
	int failed = open_mapped(p, was, p->image->maps, &fd, error);

	if (!failed && fd < 0)
		failed = rw_fail(error, RW_MAPPING, (int)-fd, "cannot open the file of mapping %llx", (unsigned long long)start);
	return failed ? failed : queue_map_file(p, was, start, end, fd, flags, error);
}

static int queue_map_droppable(struct rw_process *p, uint64_t start, uint64_t end, uint64_t prot, struct rw_error *error)
{
	return rw_op(p, error, SYS_mmap, 0, start, end - start, prot, RW_MAP_DROPPABLE | MAP_ANONYMOUS | MAP_FIXED,
		     (uint64_t)-1, 0);
}

int rw_plan_droppable(struct rw_process *p, struct rw_error *error)
{
	const struct region_list *list = &p->image->regions;
	int failed = 0;

	for (uint64_t i = 0; i < list->count && !failed; i++)
		if (list->at[i].kind == REGION_DROPPABLE)
			failed = queue_map_droppable(p, list->at[i].start, list->at[i].end, list->at[i].prot, error);
	return failed;
}

/*
 * What a mapping has beside its protection. Memory that was once writable stays accounted for, anonymous memory only if it
 * was written as well.
 */
static int put_back_flags(struct rw_process *p, const struct region *was, uint64_t start, uint64_t end,
			  struct rw_error *error)
{
	static const struct {
		uint16_t flag;
		uint16_t advice;
	} advised[] = { { FLAG_DONTFORK, MADV_DONTFORK },     { FLAG_WIPEONFORK, MADV_WIPEONFORK },
			{ FLAG_DONTDUMP, MADV_DONTDUMP },     { FLAG_NOHUGEPAGE, MADV_NOHUGEPAGE },
			{ FLAG_HUGEPAGE, MADV_HUGEPAGE },     { FLAG_RANDOM, MADV_RANDOM },
			{ FLAG_SEQUENTIAL, MADV_SEQUENTIAL }, { FLAG_MERGEABLE, MADV_MERGEABLE } };
	const uint64_t length = end - start;
	int failed = 0;

	for (size_t i = 0; i < sizeof(advised) / sizeof(*advised) && !failed; i++)
		if (was->flags & advised[i].flag)
			failed = rw_op(p, error, SYS_madvise, 0, start, length, advised[i].advice, 0, 0, 0);
	if (failed || was->prot & PROT_WRITE || !(was->flags & FLAG_ACCOUNTED))
		return failed;
	failed = rw_op(p, error, SYS_mprotect, 0, start, length, was->prot | PROT_WRITE, 0, 0, 0);
	if (!failed && was->kind == REGION_ANONYMOUS)
		failed = rw_op(p, error, OP_ZERO, 0, start, sizeof(uint64_t), 0, 0, 0, 0);
	return failed ? failed : rw_op(p, error, SYS_mprotect, 0, start, length, was->prot, 0, 0, 0);
}

static uint64_t flags_of(const struct region *region)
{
	return (region->kind == REGION_READONLY ? MAP_SHARED : MAP_PRIVATE) |
	       (region->flags & FLAG_NORESERVE ? MAP_NORESERVE : 0) | (region->flags & FLAG_GROWSDOWN ? MAP_GROWSDOWN : 0);
}

static int refuse(struct rw_process *p, const struct region *was, struct rw_error *error)
{
	return rw_fail(error, RW_MAPPING, 0, "mapping %llx-%llx (%.*s) is gone and cannot be made again",
		       (unsigned long long)was->start, (unsigned long long)was->end, (int)was->name_length,
		       p->image->maps + was->name);
}

int rw_map_region(struct rw_process *p, const struct region *region, uint64_t fd, struct rw_error *error)
{
	const uint64_t length = region->end - region->start, flags = flags_of(region) | MAP_FIXED;
	int failed;

	if (region->kind == REGION_DROPPABLE)
		return queue_map_droppable(p, region->start, region->end, region->prot, error);
	if (region->kind == REGION_FILE || region->kind == REGION_READONLY)
		failed = rw_op(p, error, SYS_mmap, 0, region->start, length, region->prot, flags, fd, region->offset);
	else if (region->kind == REGION_ANONYMOUS)
		failed = rw_op(p, error, SYS_mmap, 0, region->start, length, region->prot, flags | MAP_ANONYMOUS, (uint64_t)-1, 0);
	else
		return refuse(p, region, error);
	return failed ? failed : put_back_flags(p, region, region->start, region->end, error);
}

/* Over what is there, without a gap: a thread's rseq area may lie in it, which the kernel writes at any moment. */
int rw_remake(struct rw_process *p, const struct region *was, uint64_t start, uint64_t end, struct rw_error *error)
{
	const uint64_t flags = flags_of(was);
	int failed;

	p->took.mappings_changed++;
	if (was->kind == REGION_DROPPABLE)
		return queue_map_droppable(p, start, end, was->prot, error);
	if (was->kind == REGION_FILE || was->kind == REGION_READONLY)
		failed = remake_file(p, was, start, end, flags, error);
	else if (was->kind == REGION_ANONYMOUS)
		failed = rw_op(p, error, SYS_mmap, 0, start, end - start, was->prot, flags | MAP_ANONYMOUS | MAP_FIXED,
			       (uint64_t)-1, 0);
	else
		return refuse(p, was, error);
	if (!failed)
		failed = put_back_flags(p, was, start, end, error);
	return failed || !rw_tracked(was) ? failed : rw_dirty_add(p, start, end, true, error);
}

/* Whether the process's descriptor is the very file that is mapped. */
static bool is_file_of(struct rw_process *p, int64_t fd, const struct region *region)
{
	int here cleanup_(rw_close) = (int)syscall(SYS_pidfd_getfd, p->pidfd, (int)fd, 0);
	struct stat file;

	return here >= 0 && !fstat(here, &file) && file.st_ino == region->inode &&
	       (major(file.st_dev) << 20 | minor(file.st_dev)) == region->device;
}

static int share(struct rw_process *p, const struct region *region, struct rw_error *error)
{
	int64_t fd;
	int failed = open_mapped(p, region, p->text, &fd, error);

	/* A file that has been renamed or deleted since, or that the container cannot see. */
	if (failed || fd < 0)
		return failed;
	if (is_file_of(p, fd, region))
		return queue_map_file(p, region, region->start, region->end, fd, MAP_SHARED, error);
	return rw_op(p, error, SYS_close, 0, (uint64_t)fd, 0, 0, 0, 0, 0);
}

/*
 * A private mapping's pages can be written whatever its protection says now (mprotect, /proc/self/mem), so they would
 * have to be scanned at every rewind. Through a shared mapping of a file opened for reading the kernel lets nobody write.
 */
int rw_share_readonly(struct rw_process *p, struct rw_error *error)
{
	for (uint64_t i = 0; i < p->now.count; i++) {
		const struct region *region = &p->now.at[i];
		bool unwritten;
		int failed;

		if (region->kind != REGION_FILE || region->prot & PROT_WRITE || !region->prot || p->text[region->name] != '/')
			continue;
		failed = rw_is_unwritten(p, region, &unwritten, error);
		if (!failed && unwritten)
			failed = share(p, region, error);
		if (failed)
			return failed;
	}
	return rw_run_ops(p, NULL, error);
}
