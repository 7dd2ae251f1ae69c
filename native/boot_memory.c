/* Booting, second part: the memory of the process becomes the image's. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"

#include <errno.h>
#include <fcntl.h>
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

static bool is_of_file(const struct region *region)
{
	return region->kind == REGION_FILE || region->kind == REGION_READONLY;
}

/* The path of a region's file, which is opened as the lowest number that is free: the batch cannot be asked meanwhile. */
static int open_file(struct rw_process *p, const struct region *region, uint64_t *used, struct rw_error *error)
{
	const uint64_t length = region->name_length;
	uint64_t address;

	if (TABLE_PASSING + *used + length + 1 > TABLE_CONSTANTS) {
		int failed = rw_run_ops(p, NULL, error);

		if (failed)
			return failed;
		*used = 0;
	}
	if (p->image->maps[region->name] != '/' ||
	    rw_constants_put(p, TABLE_PASSING + *used, p->image->maps + region->name, length, &address) ||
	    rw_constants_put(p, TABLE_PASSING + *used + length, "", 1, &(uint64_t){ 0 }))
		return rw_fail(error, RW_MAPPING, 0, "mapping %llx has no path", (unsigned long long)region->start);
	*used += length + 1;
	return rw_op(p, error, SYS_openat, 0, (uint64_t)AT_FDCWD, address, O_RDONLY | O_CLOEXEC, 0, 0, 0);
}

/* The regions of one file lie beside each other, as a rule. */
static int map_regions(struct rw_process *p, uint64_t lowest_free, struct rw_error *error)
{
	const struct region_list *list = &p->image->regions;
	const struct region *open = NULL;
	uint64_t used = 0;
	bool apart = false;
	int failed = 0;

	for (uint64_t i = 0; i < list->count && !failed; i++) {
		const struct region *region = &list->at[i];

		if (open && (region->inode != open->inode || region->device != open->device)) {
			failed = rw_op(p, error, SYS_close, 0, lowest_free, 0, 0, 0, 0, 0);
			open = NULL;
		}
		if (failed || region->kind == REGION_INJECTED || region->kind == REGION_SPECIAL)
			continue;
		if (is_of_file(region) && !open) {
			failed = open_file(p, region, &used, error);
			open = region;
		}
		if (!failed)
			failed = rw_map_region(p, region, lowest_free, error);
		apart = rw_is_divided(list, i) && !apart;
		if (!failed && apart)
			failed = rw_set_apart(p, region, true, error);
	}
	if (open && !failed)
		failed = rw_op(p, error, SYS_close, 0, lowest_free, 0, 0, 0, 0, 0);
	return failed ? failed : rw_run_ops(p, NULL, error);
}

/* What names the heap, the stack, the arguments and the environment, for the kernel and for whoever looks into /proc. */
int rw_boot_limits(struct rw_process *p, uint64_t passing, struct rw_error *error)
{
	const struct origin *origin = &p->image->origin;
	struct prctl_mm_map limits = origin->limits;
	uint64_t auxiliary, address;

	if (rw_constants_put(p, passing, origin->auxiliary, origin->auxiliary_length, &auxiliary))
		return rw_fail(error, RW_SYSTEM, E2BIG, "auxiliary vector");
	limits.auxv = (void *)(uintptr_t)auxiliary;
	limits.auxv_size = origin->auxiliary_length;
	if (rw_constants_put(p, passing + AUXILIARY_SIZE, &limits, sizeof(limits), &address))
		return rw_fail(error, RW_SYSTEM, E2BIG, "limits");
	return rw_op(p, error, SYS_prctl, 0, PR_SET_MM, PR_SET_MM_MAP, address, sizeof(limits), 0, 0);
}

int rw_boot_barriers(struct rw_process *p, struct rw_error *error)
{
	int failed = 0;

	for (uint64_t bit = 1; bit <= p->image->origin.barriers && !failed; bit <<= 1)
		if (p->image->origin.barriers & bit)
			failed = rw_op(p, error, SYS_membarrier, 0, bit, 0, 0, 0, 0, 0);
	return failed;
}

int rw_boot_memory(struct boot *boot, struct rw_error *error)
{
	struct rw_process *p = boot->p;
	uint64_t lowest_free;
	int failed = wipe(p, error);

	if (!failed)
		failed = map_scratch(boot, error);
	if (!failed)
		failed = map_kernel_code(p, error);
	if (!failed)
		failed = rw_lowest_free(p, &lowest_free, error);
	if (!failed)
		failed = map_regions(p, lowest_free, error);
	if (!failed)
		failed = rw_auxiliary_adopt(p, error);
	if (!failed)
		failed = rw_boot_limits(p, TABLE_PASSING, error);
	if (!failed)
		failed = rw_boot_barriers(p, error);
	if (!failed)
		failed = rw_run_ops(p, NULL, error);
	return failed ? failed : rw_boot_pages(boot, error);
}
