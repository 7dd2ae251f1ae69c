/* A template is made of the bytes of a file, second part: its mappings, and the pages in them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot_file.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define KERNEL_HALF (1ULL << 63)

static bool is_page(uint64_t address)
{
	return address % PAGE == 0;
}

/* A line for each mapping, of words of two letters and a blank. */
static int check_flags(const char *flags, uint64_t count, struct rw_error *error)
{
	for (uint64_t i = 0; i < count; i++) {
		const size_t length = strcspn(flags, "\n");

		if (flags[length] != '\n' || length % 3)
			return rw_template_refuse("flags of mappings", error);
		flags += length + 1;
	}
	return *flags ? rw_template_refuse("flags of mappings", error) : 0;
}

static int check_regions(const struct region_list *list, struct rw_error *error)
{
	uint64_t last = 0;

	for (uint64_t i = 0; i < list->count; i++) {
		const struct region *region = &list->at[i];

		if (!is_page(region->start) || !is_page(region->end) || region->start < last)
			return rw_template_refuse("mappings", error);
		if (region->end > KERNEL_HALF && region->kind != REGION_SPECIAL)
			return rw_template_refuse("mappings", error);
		last = region->end;
	}
	return list->count ? 0 : rw_template_refuse("mappings", error);
}

static uint64_t size_of_ours(const struct image *image, uint64_t start)
{
	return start == image->code ? PAGE : start == image->table ? TABLE_SIZE : start == image->window ? image->size : 0;
}

/* As rw_fix_regions() has it: what a checkpoint would have refused is refused here. */
static int place_regions(struct image *image, struct rw_error *error)
{
	uint64_t offset = 0;
	uint32_t ours = 0;

	for (uint64_t i = 0; i < image->regions.count; i++) {
		struct region *region = &image->regions.at[i];
		const uint64_t length = region->end - region->start, our_size = size_of_ours(image, region->start);

		if (our_size) {
			if (length != our_size || region->kind == REGION_SPECIAL || !region->shared || region->prot & PROT_WRITE)
				return rw_template_refuse("own mappings", error);
			region->kind = REGION_INJECTED;
			ours++;
		} else if (region->flags & FLAG_DROPPABLE) {
			region->kind = REGION_DROPPABLE;
		}
		image->hides_flags |= rw_may_hide_flags(region);
		if (region->flags & FLAG_LOCKED || (region->kind == REGION_SHARED && region->prot & PROT_WRITE))
			return rw_template_refuse("shared or locked mappings", error);
		if (!rw_tracked(region))
			continue;
		if (length > image->size - offset)
			return rw_template_refuse("size", error);
		region->image_offset = offset;
		offset += length;
	}
	return ours == 3 ? 0 : rw_template_refuse("own mappings", error);
}

int rw_template_take_regions(struct image *image, struct rw_error *error)
{
	int failed = rw_parse_maps(image->maps, &image->regions, error);

	if (failed)
		return rw_template_refuse("mappings", error);
	failed = check_regions(&image->regions, error);
	if (!failed)
		failed = check_flags(image->flags, image->regions.count, error);
	if (failed)
		return failed;
	rw_parse_flags(image->flags, &image->regions);
	return place_regions(image, error);
}

int rw_template_take_runs(struct reader *reader, struct image *image, uint64_t count, struct rw_error *error)
{
	uint64_t last = 0;

	if (count > reader->left / sizeof(struct page_run))
		return rw_template_refuse("length", error);
	if (rw_reserve(&image->extents, &image->extent_capacity, count + 1, sizeof(*image->extents)))
		return rw_fail(error, RW_SYSTEM, ENOMEM, "a template");
	for (uint64_t i = 0; i < count; i++) {
		struct page_run run = { 0 };
		struct region *region;

		if (!rw_template_take(reader, &run, sizeof(run)) || !is_page(run.start) || !is_page(run.end) || run.end <= run.start ||
		    run.start < last)
			return rw_template_refuse("runs of pages", error);
		last = run.end;
		region = (struct region *)(uintptr_t)rw_region_at(&image->regions, run.start);
		if (!region || !rw_tracked(region) || run.end > region->end)
			return rw_template_refuse("runs of pages", error);
		image->extents[image->extent_count++] =
			(struct extent){ run.start, run.end, region->image_offset + (run.start - region->start), false };
		region->saved += (run.end - run.start) / PAGE;
		image->pages_saved += (run.end - run.start) / PAGE;
	}
	return 0;
}

/* Nobody can write to it afterwards. */
int rw_template_take_pages(struct reader *reader, struct image *image, struct rw_error *error)
{
	uint8_t *file = MAP_FAILED;
	int failed;

	if (image->pages_saved != reader->left / PAGE || reader->left % PAGE)
		return rw_template_refuse("number of pages", error);
	image->fd = memfd_create("rewhisk-image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (image->fd < 0)
		return rw_fail(error, RW_SYSTEM, errno, "cannot make a memory file");
	failed = rw_seal(image->fd, image->size, &file, error);
	for (uint64_t i = 0; i < image->extent_count && !failed; i++)
		if (!rw_template_take(reader, file + image->extents[i].offset, image->extents[i].end - image->extents[i].start))
			failed = rw_template_refuse("length", error);
	if (file != MAP_FAILED)
		munmap(file, image->size);
	if (failed)
		return failed;
	image->pages = mmap(NULL, image->size, PROT_READ, MAP_SHARED | MAP_NORESERVE, image->fd, 0);
	if (image->pages != MAP_FAILED)
		return 0;
	image->pages = NULL;
	return rw_fail(error, RW_SYSTEM, errno, "cannot map the image");
}

