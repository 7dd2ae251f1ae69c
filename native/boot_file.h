/* How a template lies in a file: head, texts, threads, descriptors, runs of pages, pages. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RW_BOOT_FILE_H
#define RW_BOOT_FILE_H

#include "internal.h"

/*
 * Structures lie there as this build has them: whoever keeps such a file makes sure that the same build reads it. The next
 * version where the order changes, or what is there.
 */
#define TEMPLATE_MAGIC "rewhisk"
#define TEMPLATE_VERSION 1

/* Lengths in bytes, but for the numbers of things. What is not here follows from the texts, as it does at a checkpoint. */
struct template_head {
	char magic[8];
	uint32_t version, rung;
	uint32_t thread_size, descriptor_size;	/* of their structures */
	uint32_t threads, descriptors;
	uint64_t maps, flags, status;		/* with their NUL */
	uint64_t runs, pages;
	uint64_t size;				/* of the memory file */
	uint64_t code, table, window;
	uint32_t umask, reserved;
	struct inside inside;
	struct origin origin;
};

/* Behind a structure its parts, where that has pointers: a thread's vector state, a descriptor's texts (length 0: none). */
struct descriptor_texts {
	uint64_t info, path;
};

/* -- boot_load.c ----------------------------------------------------------------------------------------------------------- */

/* What of the bytes has not been read yet. */
struct reader {
	const uint8_t *at;
	uint64_t left;
};

int rw_template_refuse(const char *what, struct rw_error *error);
/* False: there is less. */
bool rw_template_take(struct reader *reader, void *to, uint64_t length);

/* -- boot_load_memory.c ---------------------------------------------------------------------------------------------------- */

/* By the texts of maps and flags, which the image has already. */
int rw_template_take_regions(struct image *image, struct rw_error *error);
int rw_template_take_runs(struct reader *reader, struct image *image, uint64_t count, struct rw_error *error);
int rw_template_take_pages(struct reader *reader, struct image *image, struct rw_error *error);

#endif
