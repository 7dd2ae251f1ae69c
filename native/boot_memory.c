/* Booting, second part: the memory of the process becomes the image's. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define USER_END 0x7ffffffff000ULL
#define MAP_VDSO_64 0x2003 /* of arch_prctl(), by CONFIG_CHECKPOINT_RESTORE */

/* All but what is ours. */
static int wipe(struct rw_process *p, struct rw_error *error)
{
	const struct region_list *list = &p->image->regions;
	uint64_t next = 0;
	int failed = 0;

	for (uint64_t i = 0; i < list->count && !failed; i++) {
		if (list->at[i].kind != REGION_INJECTED)
			continue;
		if (list->at[i].start > next)
			failed = rw_op(p, error, SYS_munmap, 0, next, list->at[i].start - next, 0, 0, 0, 0);
		next = list->at[i].end;
	}
	return failed ? failed : rw_op(p, error, SYS_munmap, 0, next, USER_END - next, 0, 0, 0, 0);
}

static int map_scratch(struct boot *boot, struct rw_error *error)
{
	return rw_op(boot->p, error, SYS_mmap, 0, boot->bootstrap.scratch, PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, (uint64_t)-1, 0);
}

/* The kernel's own mappings lie beside each other; it makes them in one go, at the lowest one's place. */
static int map_kernel_code(struct rw_process *p, struct rw_error *error)
{
	const struct region_list *list = &p->image->regions;

	for (uint64_t i = 0; i < list->count; i++)
		if (list->at[i].kind == REGION_SPECIAL && !(list->at[i].start >> 63))
			return rw_op(p, error, SYS_arch_prctl, 0, MAP_VDSO_64, list->at[i].start, 0, 0, 0, 0);
	return 0;
}

static int map_regions(struct rw_process *p, struct rw_error *error)
{
	int failed = 0;

	for (uint64_t i = 0; i < p->image->regions.count && !failed; i++) {
		const struct region *region = &p->image->regions.at[i];

		if (region->kind != REGION_INJECTED && region->kind != REGION_SPECIAL)
			failed = rw_remake(p, region, region->start, region->end, error);
	}
	p->dirty_count = 0;
	return failed ? failed : rw_run_ops(p, NULL, error);
}

/* What names the heap, the stack, the arguments and the environment, for the kernel and for whoever looks into /proc. */
static int put_limits(struct rw_process *p, struct rw_error *error)
{
	const struct origin *origin = &p->image->origin;
	struct prctl_mm_map limits = origin->limits;
	uint64_t auxiliary, address;

	if (rw_constants_put(p, TABLE_PASSING, origin->auxiliary, origin->auxiliary_length, &auxiliary))
		return rw_fail(error, RW_SYSTEM, E2BIG, "auxiliary vector");
	limits.auxv = (void *)(uintptr_t)auxiliary;
	limits.auxv_size = origin->auxiliary_length;
	if (rw_constants_put(p, TABLE_PASSING + AUXILIARY_SIZE, &limits, sizeof(limits), &address))
		return rw_fail(error, RW_SYSTEM, E2BIG, "limits");
	return rw_op(p, error, SYS_prctl, 0, PR_SET_MM, PR_SET_MM_MAP, address, sizeof(limits), 0, 0);
}

static int register_barriers(struct rw_process *p, struct rw_error *error)
{
	int failed = 0;

	for (uint64_t bit = 1; bit <= p->image->origin.barriers && !failed; bit <<= 1)
		if (p->image->origin.barriers & bit)
			failed = rw_op(p, error, SYS_membarrier, 0, bit, 0, 0, 0, 0, 0);
	return failed;
}

/*
 * Copied, and not mapped from the image's file: where the process gives pages back it has to find zeroes there, and not
 * what the image has.
 */
static int fill_pages(struct rw_process *p, struct rw_error *error)
{
	int failed = 0;

	for (uint64_t i = 0; i < p->image->regions.count && !failed; i++) {
		const struct region *region = &p->image->regions.at[i];

		if (!rw_tracked(region))
			continue;
		failed = rw_rung_register(p, region, error);
		if (!failed && region->saved)
			failed = rw_dirty_add(p, region->start, region->end, false, error);
	}
	if (!failed)
		failed = rw_plan_pages(p, error);
	return failed ? failed : rw_run_ops(p, NULL, error);
}

int rw_boot_memory(struct boot *boot, struct rw_error *error)
{
	struct rw_process *p = boot->p;
	int failed = wipe(p, error);

	if (!failed)
		failed = map_scratch(boot, error);
	if (!failed)
		failed = map_kernel_code(p, error);
	if (!failed)
		failed = map_regions(p, error);
	if (!failed)
		failed = put_limits(p, error);
	if (!failed)
		failed = register_barriers(p, error);
	if (!failed)
		failed = rw_run_ops(p, NULL, error);
	return failed ? failed : fill_pages(p, error);
}

static bool is_same(const struct rw_process *p, const struct region *was, const struct region *is)
{
	const bool same_file = was->inode == is->inode && was->device == is->device;

	return was->start == is->start && was->end == is->end && was->prot == is->prot && was->shared == is->shared &&
	       was->offset == is->offset && (same_file || was->kind == REGION_INJECTED) && was->name_length == is->name_length &&
	       !memcmp(p->image->maps + was->name, p->text + is->name, was->name_length);
}

/* The files of our own mappings are this process's; so its text of maps becomes its image's. */
static int adopt_text(struct rw_process *p, struct rw_error *error)
{
	struct image *image = p->image;
	char *maps = malloc(p->text_length + 1);

	if (!maps)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "text of maps");
	memcpy(maps, p->text, p->text_length + 1);
	free(image->maps);
	image->maps = maps;
	image->maps_length = p->text_length;
	for (uint64_t i = 0; i < image->regions.count; i++) {
		struct region *region = &image->regions.at[i];
		const struct region *is = &p->now.at[i];

		region->inode = is->inode;
		region->device = is->device;
		region->name = is->name;
		region->name_length = is->name_length;
	}
	return 0;
}

int rw_boot_layout(struct boot *boot, struct rw_error *error)
{
	struct rw_process *p = boot->p;
	const struct region_list *was = &p->image->regions;
	uint64_t i = 0;
	int failed = rw_op(p, error, SYS_munmap, 0, boot->bootstrap.scratch, PAGE, 0, 0, 0, 0);

	if (!failed)
		failed = rw_run_ops(p, NULL, error);
	if (!failed)
		failed = rw_read_text(p->maps, &p->text, &p->text_capacity, &p->text_length, error);
	if (!failed)
		failed = rw_parse_maps(p->text, &p->now, error);
	if (failed)
		return failed;
	while (i < was->count && i < p->now.count && is_same(p, &was->at[i], &p->now.at[i]))
		i++;
	if (i < was->count || i < p->now.count)
		return rw_layout_difference(p, RW_MAPPING, error);
	failed = adopt_text(p, error);
	return failed ? failed : rw_compare_flags(p, RW_MAPPING, error);
}
