/* The layout of a process: its mappings compared with the image's and made equal to them again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static bool same_object(const struct region *was, const struct region *is, uint64_t address)
{
	if ((was->kind != is->kind && was->kind != REGION_INJECTED) || was->inode != is->inode || was->device != is->device || was->shared != is->shared)
		return false;
	return !was->inode || was->offset + (address - was->start) == is->offset + (address - is->start);
}

static int queue_unmap(struct rw_process *p, uint64_t start, uint64_t end, struct rw_error *error)
{
	p->took.mappings_changed++;
	return rw_op(p, error, SYS_munmap, 0, start, end - start, 0, 0, 0, 0);
}

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
static int remake_file(struct rw_process *p, const struct region *was, uint64_t start, uint64_t end,
		       struct rw_error *error)
{
	int64_t fd;
	int failed = open_mapped(p, was, p->image->maps, &fd, error);

	if (!failed && fd < 0)
		failed = rw_fail(error, RW_MAPPING, (int)-fd, "cannot open the file of mapping %llx", (unsigned long long)start);
	return failed ? failed
		      : queue_map_file(p, was, start, end, fd, was->kind == REGION_FILE ? MAP_PRIVATE : MAP_SHARED, error);
}

/* Maps [start, end) of an image's region again, empty; its pages come with the others. */
static int remake(struct rw_process *p, const struct region *was, uint64_t start, uint64_t end, struct rw_error *error)
{
	uint64_t flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
	uint64_t length = end - start;
	int failed;

	p->took.mappings_changed++;
	if (was->kind == REGION_FILE || was->kind == REGION_READONLY) {
		failed = remake_file(p, was, start, end, error);
	} else if (was->kind == REGION_ANONYMOUS) {
		flags |= was->flags & FLAG_NORESERVE ? MAP_NORESERVE : 0;
		flags |= was->flags & FLAG_GROWSDOWN ? MAP_GROWSDOWN : 0;
		failed = rw_op(p, error, SYS_mmap, 0, start, length, was->prot, flags, (uint64_t)-1, 0);
		if (!failed && was->flags & FLAG_DONTFORK)
			failed = rw_op(p, error, SYS_madvise, 0, start, length, MADV_DONTFORK, 0, 0, 0);
		if (!failed && was->flags & FLAG_WIPEONFORK)
			failed = rw_op(p, error, SYS_madvise, 0, start, length, MADV_WIPEONFORK, 0, 0, 0);
		if (!failed && was->flags & FLAG_DONTDUMP)
			failed = rw_op(p, error, SYS_madvise, 0, start, length, MADV_DONTDUMP, 0, 0, 0);
	} else {
		return rw_fail(error, RW_MAPPING, 0, "mapping %llx-%llx (%.*s) is gone and cannot be made again",
			       (unsigned long long)start, (unsigned long long)end, (int)was->name_length,
			       p->image->maps + was->name);
	}
	return failed || !rw_tracked(was) ? failed : rw_dirty_add(p, start, end, true, error);
}

/* One stretch of addresses over which both lists are constant. */
static int mend(struct rw_process *p, const struct region *was, const struct region *is, uint64_t start, uint64_t end,
		struct rw_error *error)
{
	int failed;

	if (!was && !is)
		return 0;
	if (was && is && same_object(was, is, start)) {
		if (was->prot == is->prot)
			return 0;
		if (was->kind == REGION_SPECIAL || was->kind == REGION_INJECTED)
			return rw_fail(error, RW_MAPPING, 0, "protection of mapping %llx changed", (unsigned long long)start);
		p->took.mappings_changed++;
		return rw_op(p, error, SYS_mprotect, 0, start, end - start, was->prot, 0, 0, 0);
	}
	if (is) {
		if (is->kind == REGION_SPECIAL)
			return rw_fail(error, RW_MAPPING, 0, "the kernel's own mapping moved to %llx", (unsigned long long)start);
		failed = queue_unmap(p, start, end, error);
		if (failed)
			return failed;
	}
	return was ? remake(p, was, start, end, error) : 0;
}

/* Sweeps over both lists at once. */
static int mend_all(struct rw_process *p, struct rw_error *error)
{
	const struct region_list *was = &p->image->regions, *is = &p->now;
	uint64_t i = 0, j = 0, at = 0;

	while (i < was->count || j < is->count) {
		const struct region *a = i < was->count ? &was->at[i] : NULL;
		const struct region *b = j < is->count ? &is->at[j] : NULL;
		bool in_a = a && a->start <= at, in_b = b && b->start <= at;
		uint64_t end = UINT64_MAX;
		int failed;

		if (a)
			end = in_a ? a->end : a->start;
		if (b && (in_b ? b->end : b->start) < end)
			end = in_b ? b->end : b->start;
		failed = mend(p, in_a ? a : NULL, in_b ? b : NULL, at, end, error);
		if (failed)
			return failed;
		at = end;
		if (in_a && a->end == at)
			i++;
		if (in_b && b->end == at)
			j++;
	}
	return 0;
}

static bool listed(const struct region_list *list, const struct region *region)
{
	const struct region *at = rw_region_at(list, region->start);

	return at && at->start == region->start && at->end == region->end && at->prot == region->prot &&
	       same_object(region, at, region->start);
}

/*
 * The kernel may keep two mappings apart that were one (they differ in something the text does not show). Such a region is
 * mapped anew as a whole.
 */
static int remake_unmerged(struct rw_process *p, struct rw_error *error)
{
	const struct region_list *was = &p->image->regions;

	for (uint64_t i = 0; i < was->count; i++) {
		const struct region *region = &was->at[i];
		int failed;

		if ((!rw_tracked(region) && region->kind != REGION_READONLY) || region->flags & FLAG_GROWSDOWN ||
		    listed(&p->now, region))
			continue;
		failed = queue_unmap(p, region->start, region->end, error);
		if (!failed)
			failed = remake(p, region, region->start, region->end, error);
		if (failed)
			return failed;
	}
	return 0;
}

/* Runs what is queued, registers what was made anew, and looks again. *equal: the text is the image's. */
static int carry_out(struct rw_process *p, bool *equal, struct rw_error *error)
{
	int failed = rw_run_ops(p, NULL, error);

	for (uint64_t i = 0; i < p->dirty_count && !failed; i++) {
		const struct region *region = rw_region_at(&p->image->regions, p->dirty[i].start);

		if (region && rw_tracked(region))
			failed = rw_rung_register(p, region, error);
	}
	if (!failed)
		failed = rw_read_text(p->maps, &p->text, &p->text_capacity, &p->text_length, error);
	if (failed)
		return failed;
	*equal = p->text_length == p->image->maps_length && !memcmp(p->text, p->image->maps, p->text_length);
	return rw_parse_maps(p->text, &p->now, error);
}

int rw_layout_difference(struct rw_process *p, enum rw_reason reason, struct rw_error *error)
{
	const char *was = p->image->maps, *is = p->text;
	uint64_t line = 0;

	for (uint64_t i = 0; was[i] && was[i] == is[i]; i++)
		if (was[i] == '\n')
			line = i + 1;
	return rw_fail(error, reason, 0, "mappings differ: was \"%.*s\", is \"%.*s\"", (int)strcspn(was + line, "\n"),
		       was + line, (int)strcspn(is + line, "\n"), is + line);
}

/* The next mapping at or above an address is this one, with these limits, protection and object. */
static bool is_next(int maps, uint64_t address, const struct region *region)
{
	const uint64_t flags = region->prot | (region->shared ? RW_PROCMAP_SHARED : 0);
	struct rw_procmap_query query = {
		.size = sizeof(query), .query_flags = RW_PROCMAP_COVERING_OR_NEXT, .query_addr = address
	};

	return !ioctl(maps, RW_PROCMAP_QUERY, &query) && query.vma_start == region->start && query.vma_end == region->end &&
	       query.vma_flags == flags && query.inode == region->inode &&
	       (query.dev_major << 20 | query.dev_minor) == region->device &&
	       (!region->inode || query.vma_offset == region->offset);
}

/*
 * Asked mapping by mapping, which is cheaper than the text where paths are long. What the text shows beside is the name
 * of memory that has none. False also where the kernel cannot be asked: the text decides.
 */
static bool is_surely_unchanged(const struct rw_process *p)
{
	const struct region_list *list = &p->image->regions;
	struct rw_procmap_query end = { .size = sizeof(end), .query_flags = RW_PROCMAP_COVERING_OR_NEXT };
	uint64_t address = 0;

	for (uint64_t i = 0; i < list->count; i++) {
		if (list->at[i].start >> 63)
			continue; /* vsyscall, which is the kernel's and not to be asked for */
		if (!is_next(p->maps, address, &list->at[i]))
			return false;
		address = list->at[i].end;
	}
	end.query_addr = address;
	return ioctl(p->maps, RW_PROCMAP_QUERY, &end) && errno == ENOENT;
}

/* The code, the table and the window must be where they were before any of them is used: the text last read decides. */
static int require_injected(struct rw_process *p, struct rw_error *error)
{
	int failed = rw_parse_maps(p->text, &p->now, error);

	for (uint64_t i = 0; i < p->image->regions.count && !failed; i++) {
		const struct region *region = &p->image->regions.at[i];

		if (region->kind == REGION_INJECTED && !listed(&p->now, region))
			failed = rw_fail(error, RW_MAPPING, 0, "the injected mapping %llx is gone",
					 (unsigned long long)region->start);
	}
	return failed;
}

int rw_check_injected(struct rw_process *p, struct rw_error *error)
{
	int failed = rw_read_text(p->maps, &p->text, &p->text_capacity, &p->text_length, error);

	return failed ? failed : require_injected(p, error);
}

int rw_put_back_layout(struct rw_process *p, struct rw_error *error)
{
	bool equal;
	int failed;

	RW_STEP(error, "maps");
	if (is_surely_unchanged(p))
		return 0;
	failed = rw_read_text(p->maps, &p->text, &p->text_capacity, &p->text_length, error);
	if (failed)
		return failed;
	if (p->text_length == p->image->maps_length && !memcmp(p->text, p->image->maps, p->text_length))
		return 0;
	failed = require_injected(p, error);
	/* The break first: munmap may cut the heap, but only brk() moves the kernel's idea of its end. */
	if (!failed)
		failed = rw_op(p, error, SYS_brk, 0, p->image->kernel.inside.program_break, 0, 0, 0, 0, 0);
	if (!failed)
		failed = carry_out(p, &equal, error);
	for (int pass = 0; pass < 2 && !failed && !equal; pass++) {
		failed = pass ? remake_unmerged(p, error) : mend_all(p, error);
		if (!failed)
			failed = carry_out(p, &equal, error);
	}
	if (failed)
		return failed;
	return equal ? 0 : rw_layout_difference(p, RW_MAPPING, error);
}

/* Whether the process owns no page of the region: then the file alone says what it holds. */
static int is_unwritten(struct rw_process *p, const struct region *region, bool *unwritten, struct rw_error *error)
{
	struct page_run *runs cleanup_(rw_free) = NULL;
	uint64_t count = 0, capacity = 0;
	int failed = rw_private_runs(p, region->start, region->end, &runs, &count, &capacity, error);

	*unwritten = count == 0;
	return failed;
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
		failed = is_unwritten(p, region, &unwritten, error);
		if (!failed && unwritten)
			failed = share(p, region, error);
		if (failed)
			return failed;
	}
	return rw_run_ops(p, NULL, error);
}
