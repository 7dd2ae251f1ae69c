/* Pages: which ones the process owns, reading and writing them from outside, and the plan that puts them back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGEMAP_STEP 8192ULL

/* A mapping that is larger is none of a runtime's own. The others' pages are not asked for where the rung asks, lest one lie hide another. */
#define LOOKED_AT_MOST (1ULL << 30)

/*
 * A short run of pages that were zero at the checkpoint is zeroed in place: dropping it would cost the next activation a
 * fault for each page. Longer runs, and more than this in all, are given back so that memory does not grow.
 */
#define ZERO_RUN_PAGES 16
#define ZERO_PAGES_AT_MOST 512

/* An armed hole looks like a swapped page that is write-protected: the process does not own it. */
static bool owned(uint64_t entry)
{
	if (entry & RW_PM_FILE)
		return false;
	return entry & RW_PM_PRESENT || (entry & RW_PM_SWAPPED && !(entry & RW_PM_WRITE_PROTECTED));
}

/* To the list of a mapping that begins at `start`: what lies behind the last run is part of that. */
static int add_run(struct page_run run, uint64_t start, struct page_run **runs, uint64_t *count, uint64_t *capacity,
		   struct rw_error *error)
{
	if (*count && (*runs)[*count - 1].end == run.start && run.start != start) {
		(*runs)[*count - 1].end = run.end;
		return 0;
	}
	if (rw_reserve(runs, capacity, *count + 1, sizeof(**runs)))
		return rw_fail(error, RW_SYSTEM, ENOMEM, "list of pages");
	(*runs)[(*count)++] = run;
	return 0;
}

/* As owned(): an armed hole is swapped, and not written. */
static bool scanned_as_owned(uint64_t categories)
{
	return categories & RW_PAGE_IS_PRESENT || (categories & RW_PAGE_IS_SWAPPED && categories & RW_PAGE_IS_WRITTEN);
}

/* By a scan, which passes over what nobody has touched. */
static int scan_private_runs(struct rw_process *p, uint64_t start, uint64_t end, struct page_run **runs, uint64_t *count,
			     uint64_t *capacity, struct rw_error *error)
{
	struct rw_pm_scan_arg arg = {
		.size = sizeof(arg),
		.start = start,
		.end = end,
		.vec = (uint64_t)(uintptr_t)p->scan,
		.vec_len = RW_SCAN_RUNS,
		.category_inverted = RW_PAGE_IS_FILE,
		.category_mask = RW_PAGE_IS_FILE,
		.category_anyof_mask = RW_PAGE_IS_PRESENT | RW_PAGE_IS_SWAPPED,
		.return_mask = RW_PAGE_IS_PRESENT | RW_PAGE_IS_SWAPPED | RW_PAGE_IS_WRITTEN,
	};

	while (arg.start < end) {
		long got = ioctl(p->pagemap, RW_PAGEMAP_SCAN, &arg);

		if (got < 0 || arg.walk_end <= arg.start)
			return rw_fail(error, RW_SYSTEM, got < 0 ? errno : 0, "page scan of %llx-%llx",
				       (unsigned long long)arg.start, (unsigned long long)end);
		for (long i = 0; i < got; i++) {
			const struct page_run run = { p->scan[i].start, p->scan[i].end };
			int failed = scanned_as_owned(p->scan[i].categories) ? add_run(run, start, runs, count, capacity, error) : 0;

			if (failed)
				return failed;
		}
		arg.start = arg.walk_end;
	}
	return 0;
}

bool rw_is_passed_over(const struct rw_process *p, uint64_t start, uint64_t end)
{
	return p->scan && end - start > LOOKED_AT_MOST;
}

int rw_private_runs(struct rw_process *p, uint64_t start, uint64_t end, struct page_run **runs, uint64_t *count,
		    uint64_t *capacity, struct rw_error *error)
{
	if (rw_is_passed_over(p, start, end))
		return scan_private_runs(p, start, end, runs, count, capacity, error);
	for (uint64_t at = start; at < end;) {
		uint64_t pages = (end - at) / PAGE < PAGEMAP_STEP ? (end - at) / PAGE : PAGEMAP_STEP;
		ssize_t got = pread(p->pagemap, p->pagemap_buffer, pages * 8, (off_t)(at / PAGE * 8));

		if (got != (ssize_t)(pages * 8))
			return rw_fail(error, RW_SYSTEM, got < 0 ? errno : 0, "cannot read pagemap");
		for (uint64_t i = 0; i < pages; i++, at += PAGE) {
			int failed = owned(p->pagemap_buffer[i])
					     ? add_run((struct page_run){ at, at + PAGE }, start, runs, count, capacity, error)
					     : 0;

			if (failed)
				return failed;
		}
	}
	return 0;
}

int rw_is_unwritten(struct rw_process *p, const struct region *region, bool *unwritten, struct rw_error *error)
{
	struct page_run *runs cleanup_(rw_free) = NULL;
	uint64_t count = 0, capacity = 0;
	int failed = rw_private_runs(p, region->start, region->end, &runs, &count, &capacity, error);

	*unwritten = count == 0;
	return failed;
}

int rw_check_kernel_code(struct rw_process *p, struct rw_error *error)
{
	for (uint64_t i = 0; i < p->image->regions.count; i++) {
		const struct region *region = &p->image->regions.at[i];
		bool unwritten;
		int failed;

		if (region->kind != REGION_SPECIAL || !(region->prot & PROT_EXEC) || region->start >> 63)
			continue;
		failed = rw_is_unwritten(p, region, &unwritten, error);
		if (failed)
			return failed;
		if (!unwritten)
			return rw_fail(error, RW_MAPPING, 0, "the kernel's code at %llx was written",
				       (unsigned long long)region->start);
	}
	return 0;
}

/* Through process_vm_readv where it may, through /proc/PID/mem where the protection forbids reading. */
int rw_read_memory(struct rw_process *p, uint64_t address, void *to, uint64_t length)
{
	struct iovec local = { to, length };
	struct iovec remote = { (void *)(uintptr_t)address, length };

	/* That would give the process a page of its own in place of one that it shares. */
	if (p->shared_pages < 0 && process_vm_readv(p->pid, &local, 1, &remote, 1, 0) == (ssize_t)length)
		return 0;
	return pread(p->mem, to, length, (off_t)address) == (ssize_t)length ? 0 : errno ? -errno : -EIO;
}

/* SAFETY: also writes pages that the process itself may not write; only ever with the image's own bytes. */
int rw_write_memory(struct rw_process *p, uint64_t address, const void *from, uint64_t length)
{
	return pwrite(p->mem, from, length, (off_t)address) == (ssize_t)length ? 0 : errno ? -errno : -EIO;
}

int rw_dirty_add(struct rw_process *p, uint64_t start, uint64_t end, bool written, struct rw_error *error)
{
	if (rw_reserve(&p->dirty, &p->dirty_capacity, p->dirty_count + 1, sizeof(*p->dirty)))
		return rw_fail(error, RW_SYSTEM, ENOMEM, "list of dirty pages");
	p->dirty[p->dirty_count++] = (struct dirty){ start, end, written };
	return 0;
}

static int by_start(const void *left, const void *right)
{
	const struct dirty *a = left, *b = right;

	return a->start < b->start ? -1 : a->start > b->start;
}

const struct extent *rw_extent_at(const struct image *image, uint64_t address)
{
	uint64_t low = 0, high = image->extent_count;

	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (image->extents[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return image->extents + low;
}

static const struct image *file_of(const struct rw_process *p, const struct extent *extent)
{
	return extent->below ? p->below.image : p->image;
}

const uint8_t *rw_saved_here(const struct rw_process *p, const struct extent *extent, uint64_t address)
{
	return file_of(p, extent)->pages + extent->offset + (address - extent->start);
}

uint64_t rw_saved_there(const struct rw_process *p, const struct extent *extent, uint64_t address)
{
	return file_of(p, extent)->window + extent->offset + (address - extent->start);
}

static int copy_back(struct rw_process *p, const struct region *region, uint64_t start, uint64_t end,
		     const struct extent *extent, struct rw_error *error)
{
	int failed;

	p->took.pages_copied += (uint32_t)((end - start) / PAGE);
	if (region->prot & PROT_WRITE)
		return rw_op(p, error, OP_COPY, 0, start, rw_saved_there(p, extent, start), end - start, 0, 0, 0);
	failed = rw_write_memory(p, start, rw_saved_here(p, extent, start), end - start);
	return failed ? rw_fail(error, RW_SYSTEM, -failed, "cannot write page %llx", (unsigned long long)start) : 0;
}

static int clear(struct rw_process *p, const struct region *region, uint64_t start, uint64_t end, struct rw_error *error)
{
	uint32_t pages = (uint32_t)((end - start) / PAGE);

	if (region->kind == REGION_ANONYMOUS && region->prot & PROT_WRITE && pages <= ZERO_RUN_PAGES &&
	    p->took.pages_zeroed + pages <= ZERO_PAGES_AT_MOST) {
		p->took.pages_zeroed += pages;
		return rw_op(p, error, OP_ZERO, 0, start, end - start, 0, 0, 0, 0);
	}
	p->took.pages_dropped += pages;
	return rw_op(p, error, SYS_madvise, 0, start, end - start, MADV_DONTNEED, 0, 0, 0);
}

/* One dirty run, region by region and extent by extent. *next_extent only moves forward over the whole plan. */
static int plan_run(struct rw_process *p, const struct dirty *run, uint64_t *next_extent, struct rw_error *error)
{
	const struct image *image = p->image;
	uint64_t at = run->start;
	int failed = 0;

	while (at < run->end && !failed) {
		const struct region *region = rw_region_at(&image->regions, at);
		const struct extent *extent;
		uint64_t end = run->end;

		if (!region || !rw_tracked(region))
			return rw_fail(error, RW_MAPPING, 0, "dirty page %llx lies in no region of the image",
				       (unsigned long long)at);
		if (region->end < end)
			end = region->end;
		while (*next_extent < image->extent_count && image->extents[*next_extent].end <= at)
			++*next_extent;
		extent = *next_extent < image->extent_count ? &image->extents[*next_extent] : NULL;
		if (extent && extent->start <= at) {
			if (extent->end < end)
				end = extent->end;
			failed = copy_back(p, region, at, end, extent, error);
		} else {
			if (extent && extent->start < end)
				end = extent->start;
			if (run->written)
				failed = clear(p, region, at, end, error);
		}
		at = end;
	}
	return failed;
}

int rw_plan_pages(struct rw_process *p, struct rw_error *error)
{
	uint64_t next_extent = 0, done = 0;
	bool sorted = true;

	for (uint64_t i = 1; i < p->dirty_count && sorted; i++)
		sorted = p->dirty[i - 1].start <= p->dirty[i].start;
	if (!sorted)
		qsort(p->dirty, p->dirty_count, sizeof(*p->dirty), by_start);
	for (uint64_t i = 0; i < p->dirty_count; i++) {
		struct dirty run = p->dirty[i];
		int failed;

		if (run.start < done)
			run.start = done;
		if (run.start >= run.end)
			continue;
		failed = plan_run(p, &run, &next_extent, error);
		if (failed)
			return failed;
		done = run.end;
	}
	return 0;
}
