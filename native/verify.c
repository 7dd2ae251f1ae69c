/* The oracle: everything the image covers compared with the frozen process, byte for byte. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK (1ULL << 20)
#define SHARED_STEP 512ULL

static bool counts_as_written(struct rw_process *p, uint64_t address)
{
	struct rw_error ignored;

	p->dirty_count = 0;
	if (rw_rung_collect(p, &ignored))
		return false;
	for (uint64_t i = 0; i < p->dirty_count; i++)
		if (p->dirty[i].written && address >= p->dirty[i].start && address < p->dirty[i].end)
			return true;
	return false;
}

static pid_t first_elsewhere(const struct image *image)
{
	struct rw_error ignored;

	for (uint32_t i = 0; i < image->thread_count; i++)
		if (rw_thread_compare(&image->threads[i], &ignored))
			return image->threads[i].tid;
	return 0;
}

/* With what tells a write that the rung has missed from one that came later. */
static int differ(struct rw_process *p, uint64_t address, uint64_t was, uint64_t is, struct rw_error *error)
{
	const struct region *region = rw_region_at(&p->image->regions, address);
	const char *written = counts_as_written(p, address) ? "" : "not ";
	pid_t elsewhere = first_elsewhere(p->image);
	char thread[32] = "";

	if (elsewhere)
		snprintf(thread, sizeof(thread), ", thread %d elsewhere", elsewhere);
	return rw_fail(error, RW_DIFFERENCE, 0, "region %llx-%llx %.*s, offset %llx: byte is %02llx, was %02llx (%swritten%s)",
		       (unsigned long long)(region ? region->start : 0), (unsigned long long)(region ? region->end : 0),
		       region ? (int)region->name_length : 0, region ? p->image->maps + region->name : "",
		       (unsigned long long)(region ? address - region->start : address), (unsigned long long)is,
		       (unsigned long long)was, written, thread);
}

/* The kernel writes the number of the CPU into each thread's rseq area whenever it lets the thread run. */
static bool is_rseq(const struct image *image, uint64_t address)
{
	for (uint32_t i = 0; i < image->thread_count; i++)
		if (address - image->threads[i].rseq < image->threads[i].rseq_size)
			return true;
	return false;
}

static bool is_present(uint64_t entry)
{
	return entry & RW_PM_PRESENT && !(entry & RW_PM_FILE) && entry & RW_PM_FRAME;
}

/* Of the pages from `start` on: which of them are the embryo's own. */
struct frames {
	uint64_t start, end;
	bool shared[SHARED_STEP];
};

/*
 * What is the embryo's own equals the image: it was compared when it was made, and nobody writes to it. Whatever is written gets
 * another frame. The embryo's are read twice: a frame that it had before and after was not another's in between.
 */
static void read_frames(struct rw_process *p, uint64_t start, struct frames *frames)
{
	uint64_t mine[SHARED_STEP], before[SHARED_STEP], after[SHARED_STEP];
	const off_t offset = (off_t)(start / PAGE * sizeof(*mine));
	const bool known = pread(p->shared_pages, before, sizeof(before), offset) == sizeof(before) &&
			   pread(p->pagemap, mine, sizeof(mine), offset) == sizeof(mine) &&
			   pread(p->shared_pages, after, sizeof(after), offset) == sizeof(after);

	frames->start = start;
	frames->end = start + SHARED_STEP * PAGE;
	for (uint64_t i = 0; i < SHARED_STEP; i++)
		frames->shared[i] = known && is_present(mine[i]) && is_present(before[i]) && is_present(after[i]) &&
				    !((mine[i] ^ before[i]) & RW_PM_FRAME) && !((mine[i] ^ after[i]) & RW_PM_FRAME);
}

/* How long the stretch from `at` on is that is the embryo's own, or is not. */
static uint64_t stretch(struct rw_process *p, const struct extent *extent, uint64_t at, struct frames *frames, bool *is_shared)
{
	uint64_t end = extent->end - at < CHUNK ? extent->end : at + CHUNK;
	uint64_t to = at + PAGE;

	*is_shared = false;
	/* What a level has in a file of its own is not as the base has it. */
	if (p->shared_pages < 0 || (p->below.image && !extent->below))
		return end - at;
	if (at < frames->start || at >= frames->end)
		read_frames(p, at, frames);
	if (end > frames->end)
		end = frames->end;
	*is_shared = frames->shared[(at - frames->start) / PAGE];
	while (to < end && frames->shared[(to - frames->start) / PAGE] == *is_shared)
		to += PAGE;
	return to - at;
}

static int compare_bytes(struct rw_process *p, bool rested, const struct extent *extent, uint64_t at, uint64_t length,
			 uint8_t *buffer, struct rw_error *error)
{
	const uint8_t *was = rw_saved_here(p, extent, at);
	int failed = rw_read_memory(p, at, buffer, length);

	if (failed)
		return rw_fail(error, RW_DIFFERENCE, -failed, "page %llx cannot be read", (unsigned long long)at);
	if (!memcmp(was, buffer, length))
		return 0;
	for (uint64_t byte = 0; byte < length; byte++)
		if (was[byte] != buffer[byte] && (rested || !is_rseq(p->image, at + byte)))
			return differ(p, at + byte, was[byte], buffer[byte], error);
	return 0;
}

static int compare_saved(struct rw_process *p, bool rested, uint8_t *buffer, struct rw_error *error)
{
	struct frames frames = { 0 };
	int failed = 0;

	for (uint64_t i = 0; i < p->image->extent_count && !failed; i++) {
		const struct extent *extent = &p->image->extents[i];

		for (uint64_t at = extent->start, length; at < extent->end && !failed; at += length) {
			bool is_shared;

			length = stretch(p, extent, at, &frames, &is_shared);
			if (!is_shared)
				failed = compare_bytes(p, rested, extent, at, length, buffer, error);
		}
	}
	return failed;
}

static bool saved(const struct image *image, uint64_t page)
{
	const struct extent *extent = rw_extent_at(image, page);

	return extent < image->extents + image->extent_count && extent->start <= page;
}

/*
 * Pages that the process owns but the image does not hold: in anonymous memory they must be zero; in a file mapping the
 * process has written the file's page. Independent of the rung: read from pagemap.
 */
static int compare_surplus(struct rw_process *p, uint64_t index, uint8_t *buffer, struct rw_error *error)
{
	const struct region *region = &p->image->regions.at[index];
	struct page_run *runs cleanup_(rw_free) = NULL;
	uint64_t count = 0, capacity = 0;
	int failed;

	/* Where smaps, too, was asked since the freeze: most of what a runtime has reserved is empty, and pagemap long about it. */
	if (index < p->looked_at && p->without_pages[index])
		return 0;
	failed = rw_private_runs(p, region->start, region->end, &runs, &count, &capacity, error);
	for (uint64_t i = 0; i < count && !failed; i++)
		for (uint64_t page = runs[i].start; page < runs[i].end; page += PAGE) {
			if (saved(p->image, page))
				continue;
			if (region->kind == REGION_FILE)
				return rw_fail(error, RW_DIFFERENCE, 0, "region %llx-%llx %.*s, offset %llx: the file's page was written",
					       (unsigned long long)region->start, (unsigned long long)region->end,
					       (int)region->name_length, p->image->maps + region->name,
					       (unsigned long long)(page - region->start));
			failed = rw_read_memory(p, page, buffer, PAGE);
			if (failed)
				return rw_fail(error, RW_DIFFERENCE, -failed, "page %llx cannot be read",
					       (unsigned long long)page);
			for (uint64_t byte = 0; byte < PAGE; byte++)
				if (buffer[byte])
					return differ(p, page + byte, 0, buffer[byte], error);
		}
	return failed;
}

static int compare_layout(struct rw_process *p, struct rw_error *error)
{
	bool equal;
	int failed = rw_read_layout(p, &equal, error);

	if (!failed && !equal)
		failed = rw_layout_difference(p, RW_DIFFERENCE, error);
	return failed ? failed : rw_compare_flags(p, RW_DIFFERENCE, error);
}

static int compare_kernel_code(struct rw_process *p, struct rw_error *error)
{
	int failed = rw_check_kernel_code(p, error);

	if (failed && error->reason == RW_MAPPING)
		error->reason = RW_DIFFERENCE;
	return failed;
}

int rw_compare_memory(struct rw_process *p, bool rested, struct rw_error *error)
{
	uint8_t *buffer cleanup_(rw_free) = malloc(CHUNK);
	int failed;

	if (!buffer)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "comparison buffer");
	failed = compare_saved(p, rested, buffer, error);
	for (uint64_t i = 0; i < p->image->regions.count && !failed; i++)
		if (rw_tracked(&p->image->regions.at[i]))
			failed = compare_surplus(p, i, buffer, error);
	return failed;
}

int rw_compare_frozen(struct rw_process *p, bool rested, struct rw_error *error)
{
	int failed;

	p->looked_at = 0;
	if (p->frozen->count != p->image->thread_count)
		return rw_fail(error, RW_DIFFERENCE, 0, "%u threads, were %u", p->frozen->count, p->image->thread_count);
	failed = compare_layout(p, error);
	if (!failed)
		failed = rw_compare_memory(p, rested, error);
	p->looked_at = 0;
	if (!failed)
		failed = compare_kernel_code(p, error);
	if (!failed)
		failed = rw_descriptors_compare(p, error);
	if (!failed)
		failed = rw_objects_compare(p, error);
	for (uint32_t i = 0; i < p->image->thread_count && !failed; i++)
		failed = rw_thread_compare(&p->image->threads[i], error);
	return failed;
}
