/* The checkpoint's image as a thing: its memory file, its tables, its copy for another process, its end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void rw_image_free(struct image *image)
{
	if (!image)
		return;
	if (image->pages)
		munmap((void *)(uintptr_t)image->pages, image->size);
	rw_close(&image->fd);
	for (uint32_t i = 0; i < image->thread_count; i++)
		free(image->threads[i].xstate);
	free(image->threads);
	for (uint32_t i = 0; i < image->descriptor_count; i++) {
		free(image->descriptors[i].info);
		free(image->descriptors[i].path);
	}
	free(image->descriptors);
	free(image->extents);
	free(image->replaced);
	free(image->regions.at);
	free(image->kernel.status);
	free(image->maps);
	free(image->flags);
	free(image);
}

/* Puts a copy of what it points to in place of the pointer; NULL stays NULL. */
static int own(void *pointer_to_pointer, uint64_t count, size_t size)
{
	void **pointer = pointer_to_pointer;
	const void *others = *pointer;
	int failed;

	if (!others)
		return 0;
	*pointer = NULL;
	failed = rw_reserve(pointer, &(uint64_t){ 0 }, count * size + 1, 1);
	if (!failed)
		memcpy(*pointer, others, count * size);
	return failed;
}

static int own_text(char **text)
{
	return *text ? own(text, strlen(*text) + 1, 1) : 0;
}

int rw_image_copy(const struct image *image, struct image *to)
{
	int failed = 0;

	*to = *image;
	to->fd = fcntl(image->fd, F_DUPFD_CLOEXEC, 0);
	if (to->fd < 0)
		failed = -errno;
	to->pages = mmap(NULL, to->size, PROT_READ, MAP_SHARED | MAP_NORESERVE, to->fd, 0);
	if (to->pages == MAP_FAILED) {
		failed = -errno;
		to->pages = NULL;
	}
	/* To the end whatever fails: nothing of the other's may be freed with this one. */
	failed |= own(&to->threads, to->thread_count, sizeof(*to->threads));
	if (!to->threads)
		to->thread_count = 0;
	for (uint32_t i = 0; i < to->thread_count; i++)
		failed |= own(&to->threads[i].xstate, to->threads[i].xstate_length, 1);
	failed |= own(&to->descriptors, to->descriptor_count, sizeof(*to->descriptors));
	if (!to->descriptors)
		to->descriptor_count = 0;
	for (uint32_t i = 0; i < to->descriptor_count; i++)
		failed |= own_text(&to->descriptors[i].info) | own_text(&to->descriptors[i].path);
	to->extent_capacity = to->extent_count;
	to->regions.capacity = to->regions.count;
	failed |= own(&to->extents, to->extent_count, sizeof(*to->extents));
	failed |= own(&to->regions.at, to->regions.count, sizeof(*to->regions.at));
	failed |= own(&to->replaced, to->replaced_count, sizeof(*to->replaced));
	failed |= own_text(&to->kernel.status) | own_text(&to->maps) | own_text(&to->flags);
	return failed ? -ENOMEM : 0;
}
