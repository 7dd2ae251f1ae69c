/* What the files that boot a process from an image share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RW_BOOT_H
#define RW_BOOT_H

#include "internal.h"

/* A boot under way. Its process's image is a copy of the template's, and becomes the booted process's own bit by bit. */
struct boot {
	struct rw_process *p;
	struct bootstrap bootstrap;	/* its scratch page lies where the image has nothing */
};

/* -- boot_start.c: from a waiting process to an empty one --------------------------------------------------------------- */

/* Lets it execute its program, and stops it before the first instruction. */
int rw_boot_catch(struct boot *boot, int go, struct rw_error *error);
/* Our code, table and the image come where the image has them; from here on the table does the work. */
int rw_boot_enter(struct boot *boot, struct rw_error *error);

/* -- boot_memory.c -------------------------------------------------------------------------------------------------------- */

int rw_boot_memory(struct boot *boot, struct rw_error *error);

/* -- boot_pages.c --------------------------------------------------------------------------------------------------------- */

/* Neighbours that the kernel would join, were they not kept apart until each has pages of its own. */
bool rw_is_divided(const struct region_list *list, uint64_t i);
/* Queues giving a region another flag than its neighbours have, or its own again. */
int rw_set_apart(struct rw_process *p, const struct region *region, bool apart, struct rw_error *error);
int rw_boot_pages(struct boot *boot, struct rw_error *error);

/* -- boot_layout.c ---------------------------------------------------------------------------------------------------------- */

/* Nothing of ours is left but what the image has; all mappings are the image's, and watched. */
int rw_boot_layout(struct boot *boot, struct rw_error *error);

/* -- boot_descriptors.c ----------------------------------------------------------------------------------------------------- */

/* What the process has already stands for the image's of the same number; all else is made. */
int rw_boot_descriptors(struct boot *boot, struct rw_error *error);

/* -- boot_threads.c ---------------------------------------------------------------------------------------------------------- */

/* The leader's own state, and the other threads with theirs. */
int rw_boot_threads(struct boot *boot, struct rw_error *error);

#endif
