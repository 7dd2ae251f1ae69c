/* The checkpoint's image as a thing: its memory file, its tables, its end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <stdlib.h>
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
	for (uint32_t i = 0; i < image->descriptor_count; i++)
		free(image->descriptors[i].info);
	free(image->descriptors);
	free(image->extents);
	free(image->replaced);
	free(image->regions.at);
	free(image->kernel.status);
	free(image->maps);
	free(image->flags);
	free(image);
}
