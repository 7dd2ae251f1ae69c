/* The rungs: three ways of finding the pages written since the checkpoint. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGEMAP_STEP 8192ULL

/* Armed pages are forgotten by the scan once hot; the hot set is shrunk when it has grown by this much. */
#define REARM_FACTOR_PERCENT 150
#define REARM_SLACK_PAGES 64

bool rw_tracked(const struct region *region)
{
	return region->kind == REGION_ANONYMOUS || region->kind == REGION_FILE;
}

/* Reservations that nobody can read and that were empty: the scan looks for any page at all. */
static bool is_reserved(const struct region *region)
{
	return region->prot == PROT_NONE && !region->saved;
}

/*
 * Of a file's mapping a saved page may have been dropped, and be the file's since it was next read: it is there, and the kernel
 * keeps it protected.
 */
static bool may_show_file(const struct region *region)
{
	return region->kind == REGION_FILE && region->saved;
}

/* -- write-protect ------------------------------------------------------------------------------------------------- */

static int scan(struct rw_process *p, struct rw_pm_scan_arg *arg, uint64_t *found)
{
	long got;

	arg->size = sizeof(*arg);
	arg->vec = (uint64_t)(uintptr_t)p->scan;
	arg->vec_len = p->scan ? RW_SCAN_RUNS : 0;
	got = ioctl(p->pagemap, RW_PAGEMAP_SCAN, arg);
	if (got < 0)
		return -errno;
	*found = (uint64_t)got;
	return 0;
}

/*
 * A hole counts as WRITTEN on some kernels: what is neither present nor swapped cannot have been written. A hole that was
 * armed is "swapped", and not written.
 */
static bool written(uint64_t categories)
{
	return categories & RW_PAGE_IS_WRITTEN && categories & (RW_PAGE_IS_PRESENT | RW_PAGE_IS_SWAPPED);
}

/* One call returns at most one buffer of runs: goes on from where it ended until the end is reached. */
static int scan_to_end(struct rw_process *p, struct rw_pm_scan_arg arg, bool collect, struct rw_error *error)
{
	uint64_t end = arg.end, found = 0;

	while (arg.start < end) {
		int failed = scan(p, &arg, &found);

		if (failed)
			return rw_fail(error, failed == -EPERM ? RW_MAPPING : RW_SYSTEM, -failed,
				       "page scan of %llx-%llx", (unsigned long long)arg.start, (unsigned long long)end);
		for (uint64_t i = 0; i < found && collect; i++) {
			failed = rw_dirty_add(p, p->scan[i].start, p->scan[i].end, written(p->scan[i].categories), error);
			if (failed)
				return failed;
		}
		if (arg.walk_end <= arg.start)
			return rw_fail(error, RW_SYSTEM, 0, "page scan does not advance");
		arg.start = arg.walk_end;
	}
	return 0;
}

/* Arms what is there; in file mappings the holes too. */
static int arm_region(struct rw_process *p, const struct region *region, struct rw_error *error)
{
	struct rw_pm_scan_arg arg = {
		.flags = RW_SCAN_WP_MATCHING | RW_SCAN_CHECK_WPASYNC,
		.start = region->start,
		.end = region->end,
	};

	if (region->kind == REGION_FILE) {
		arg.category_mask = RW_PAGE_IS_WRITTEN;
		arg.return_mask = RW_PAGE_IS_WRITTEN;
	} else {
		arg.category_mask = RW_PAGE_IS_PRESENT;
		arg.return_mask = RW_PAGE_IS_PRESENT;
	}
	return scan_to_end(p, arg, false, error);
}

/* The holes between do not matter. */
static int watch(struct rw_process *p, uint64_t start, uint64_t end, struct rw_error *error)
{
	struct uffdio_register range = { .range = { start, end - start }, .mode = UFFDIO_REGISTER_MODE_WP };

	if (p->rung != RW_WRITE_PROTECT || ioctl(p->userfault, UFFDIO_REGISTER, &range) == 0)
		return 0;
	return rw_fail(error, RW_MAPPING, errno, "cannot watch mapping %llx-%llx", (unsigned long long)start,
		       (unsigned long long)end);
}

/* Neighbouring regions that are looked at in the same way are scanned in one go: up to which one? */
static uint64_t last_of_group(const struct region_list *list, uint64_t first)
{
	uint64_t last = first;

	while (last + 1 < list->count && rw_tracked(&list->at[last + 1]) &&
	       is_reserved(&list->at[last + 1]) == is_reserved(&list->at[first]) &&
	       may_show_file(&list->at[last + 1]) == may_show_file(&list->at[first]))
		last++;
	return last;
}

/* Regions that are looked at in the same way. */
static int collect_group(struct rw_process *p, const struct region *first, const struct region *last, struct rw_error *error)
{
	const uint64_t there = RW_PAGE_IS_PRESENT | RW_PAGE_IS_SWAPPED, before = p->dirty_count;
	struct rw_pm_scan_arg arg = {
		.flags = RW_SCAN_CHECK_WPASYNC,
		.start = first->start,
		.end = last->end,
		.return_mask = RW_PAGE_IS_WRITTEN | there,
	};
	int failed;

	if (is_reserved(first)) {
		arg.category_anyof_mask = there;
	} else {
		/* What is written or absent: a saved page may have been dropped. */
		arg.category_inverted = RW_PAGE_IS_PRESENT;
		arg.category_anyof_mask = RW_PAGE_IS_PRESENT | RW_PAGE_IS_WRITTEN;
		if (may_show_file(first))
			arg.category_anyof_mask |= RW_PAGE_IS_FILE;
	}
	failed = scan_to_end(p, arg, true, error);
	if (failed == -EPERM) {
		/* Memory that is not watched: another mapping has taken the place of one of them. All of it counts as written. */
		p->watched_anew = true;
		p->dirty_count = before;
		failed = watch(p, first->start, last->end, error);
		if (!failed)
			failed = scan_to_end(p, arg, true, error);
	}
	/* What is there is too much, also where it was armed at a level. */
	for (uint64_t i = before; is_reserved(first) && i < p->dirty_count; i++)
		p->dirty[i].written = true;
	return failed;
}

static int collect_written(struct rw_process *p, struct rw_error *error)
{
	const struct region_list *list = &p->image->regions;
	int failed = 0;

	for (uint64_t i = 0; i < list->count && !failed; i++) {
		uint64_t last;

		if (!rw_tracked(&list->at[i]))
			continue;
		last = last_of_group(list, i);
		failed = collect_group(p, &list->at[i], &list->at[last], error);
		i = last;
	}
	return failed;
}

static int rearm_written(struct rw_process *p, struct rw_error *error)
{
	for (uint64_t i = 0; i < p->image->regions.count; i++) {
		const struct region *region = &p->image->regions.at[i];
		int failed = rw_tracked(region) ? arm_region(p, region, error) : 0;

		if (failed)
			return failed;
	}
	return 0;
}

/* Fetched from the process, which is to close its own. */
static int adopt_userfault(struct rw_process *p, int64_t fd, struct rw_error *error)
{
	struct uffdio_api api = { .api = UFFD_API, .features = RW_UFFD_WP_ASYNC | RW_UFFD_WP_UNPOPULATED |
							       UFFD_FEATURE_PAGEFAULT_FLAG_WP };

	p->userfault = (int)syscall(SYS_pidfd_getfd, p->pidfd, (int)fd, 0);
	if (p->userfault < 0)
		return rw_fail(error, RW_SYSTEM, errno, "cannot fetch the userfaultfd");
	if (ioctl(p->userfault, UFFDIO_API, &api))
		return rw_fail(error, RW_UNSUPPORTED, errno, "asynchronous write-protection (Linux 6.7 and newer)");
	return 0;
}

static int attach_userfault(struct rw_process *p, const struct user_regs_struct *base, uint64_t at,
			    struct rw_error *error)
{
	const uint64_t create[6] = { O_CLOEXEC | UFFD_USER_MODE_ONLY };
	uint64_t fd, ignored;
	int failed = rw_inject_step(p->pid, base, at, SYS_userfaultfd, create, &fd, error);

	if (!failed)
		failed = adopt_userfault(p, (int64_t)fd, error);
	return failed ? failed : rw_inject_step(p->pid, base, at, SYS_close, (const uint64_t[6]){ fd }, &ignored, error);
}

/* -- soft-dirty and copy-all --------------------------------------------------------------------------------------- */

static int clear_soft_dirty(struct rw_process *p, struct rw_error *error)
{
	return pwrite(p->clear_refs, "4", 1, 0) == 1 ? 0 : rw_fail(error, RW_SYSTEM, errno, "cannot write clear_refs");
}

static int collect_soft_dirty_region(struct rw_process *p, const struct region *region, struct rw_error *error)
{
	for (uint64_t at = region->start; at < region->end;) {
		uint64_t pages = (region->end - at) / PAGE < PAGEMAP_STEP ? (region->end - at) / PAGE : PAGEMAP_STEP;
		ssize_t got = pread(p->pagemap, p->pagemap_buffer, pages * 8, (off_t)(at / PAGE * 8));

		if (got != (ssize_t)(pages * 8))
			return rw_fail(error, RW_SYSTEM, got < 0 ? errno : 0, "cannot read pagemap");
		for (uint64_t i = 0; i < pages; i++, at += PAGE) {
			uint64_t entry = p->pagemap_buffer[i];
			bool there = entry & (RW_PM_PRESENT | RW_PM_SWAPPED) && !(entry & RW_PM_FILE && may_show_file(region));
			bool written = there && entry & RW_PM_SOFT_DIRTY;
			struct dirty *last = p->dirty_count ? &p->dirty[p->dirty_count - 1] : NULL;
			int failed;

			if (!written && there)
				continue;
			if (last && last->end == at && last->written == written) {
				last->end += PAGE;
				continue;
			}
			failed = rw_dirty_add(p, at, at + PAGE, written, error);
			if (failed)
				return failed;
		}
	}
	return 0;
}

/* -- The rungs behind one face --------------------------------------------------------------------------------------- */

static int open_rung(struct rw_process *p, struct rw_error *error)
{
	char path[] = "/proc/4294967295/clear_refs";

	if (p->rung == RW_WRITE_PROTECT) {
		p->scan = malloc(RW_SCAN_RUNS * sizeof(*p->scan));
		if (!p->scan)
			return rw_fail(error, RW_SYSTEM, ENOMEM, "scan buffer");
	}
	if (p->rung == RW_SOFT_DIRTY) {
		snprintf(path, sizeof(path), "/proc/%d/clear_refs", p->pid);
		p->clear_refs = open(path, O_WRONLY | O_CLOEXEC);
		if (p->clear_refs < 0)
			return rw_fail(error, RW_UNSUPPORTED, errno, "cannot open %s", path);
	}
	return 0;
}

int rw_rung_attach(struct rw_process *p, const struct user_regs_struct *base, uint64_t syscall_at,
		   struct rw_error *error)
{
	int failed = open_rung(p, error);

	return failed || p->rung != RW_WRITE_PROTECT ? failed : attach_userfault(p, base, syscall_at, error);
}

int rw_rung_attach_by_table(struct rw_process *p, struct rw_error *error)
{
	int64_t fd;
	int failed = open_rung(p, error);

	if (failed)
		return failed;
	if (p->rung != RW_WRITE_PROTECT)
		return rw_run_ops(p, NULL, error);
	failed = rw_op(p, error, SYS_userfaultfd, OP_CAPTURE, O_CLOEXEC | UFFD_USER_MODE_ONLY, 0, 0, 0, 0, 0);
	if (!failed)
		failed = rw_run_ops(p, &fd, error);
	if (!failed)
		failed = adopt_userfault(p, fd, error);
	return failed ? failed : rw_op(p, error, SYS_close, 0, (uint64_t)fd, 0, 0, 0, 0, 0);
}

int rw_rung_register(struct rw_process *p, const struct region *region, struct rw_error *error)
{
	return watch(p, region->start, region->end, error);
}

int rw_register_all(struct rw_process *p, struct rw_error *error)
{
	const struct region_list *list = &p->image->regions;
	int failed = 0;

	for (uint64_t first = 0, last; first < list->count && !failed; first = last + 1) {
		last = first;
		if (!rw_tracked(&list->at[first]))
			continue;
		while (last + 1 < list->count && rw_tracked(&list->at[last + 1]))
			last++;
		failed = watch(p, list->at[first].start, list->at[last].end, error);
	}
	return failed;
}

int rw_rung_unregister(struct rw_process *p, uint64_t start, uint64_t end, struct rw_error *error)
{
	struct uffdio_range range = { start, end - start };

	if (p->rung != RW_WRITE_PROTECT || ioctl(p->userfault, UFFDIO_UNREGISTER, &range) == 0)
		return 0;
	return rw_fail(error, RW_MAPPING, errno, "cannot stop watching mapping %llx-%llx", (unsigned long long)start,
		       (unsigned long long)end);
}

int rw_rung_arm(struct rw_process *p, struct rw_error *error)
{
	switch (p->rung) {
	case RW_WRITE_PROTECT:
		return rearm_written(p, error);
	case RW_SOFT_DIRTY:
		return clear_soft_dirty(p, error);
	case RW_COPY_ALL:
		break;
	}
	return 0;
}

/* One at a time, by the rung that can do so. */
static int collect_region(struct rw_process *p, const struct region *region, enum rw_rung rung, struct rw_error *error)
{
	switch (rung) {
	case RW_WRITE_PROTECT:
		return collect_group(p, region, region, error);
	case RW_SOFT_DIRTY:
		return collect_soft_dirty_region(p, region, error);
	case RW_COPY_ALL:
		break;
	}
	return rw_dirty_add(p, region->start, region->end, true, error);
}

int rw_rung_collect(struct rw_process *p, struct rw_error *error)
{
	int failed = 0;

	if (p->rung == RW_WRITE_PROTECT)
		failed = collect_written(p, error);
	for (uint64_t i = 0; i < p->image->regions.count && p->rung != RW_WRITE_PROTECT && !failed; i++)
		if (rw_tracked(&p->image->regions.at[i]))
			failed = collect_region(p, &p->image->regions.at[i], p->rung, error);
	return failed || !rw_level_crossed(p) ? failed : rw_level_add_differences(p, error);
}

/* Only what the base had is watched: of that the rung tells what was written. The kernel marks new mappings as soft-dirty. */
int rw_rung_collect_since_base(struct rw_process *p, struct rw_error *error)
{
	int failed = 0;

	for (uint64_t i = 0; i < p->now.count && !failed; i++) {
		const struct region *region = &p->now.at[i];
		bool is_told = p->rung != RW_WRITE_PROTECT || region->flags & FLAG_WATCHED;

		if (rw_tracked(region))
			failed = collect_region(p, region, is_told ? p->rung : RW_COPY_ALL, error);
	}
	return failed;
}

/*
 * A page that was written once stays unarmed and is copied back every time: that is 5 to 10 times cheaper than its next
 * fault. When the set has grown well beyond what one activation writes, all is armed anew. The soft-dirty bits can only
 * be cleared for the whole process.
 */
int rw_rung_rearm(struct rw_process *p, struct rw_error *error)
{
	uint64_t copied = p->took.pages_copied + p->took.pages_zeroed;

	if (p->rung == RW_SOFT_DIRTY)
		return clear_soft_dirty(p, error);
	if (p->rung == RW_COPY_ALL)
		return 0;
	if (rw_level_crossed(p)) {
		/* All that the level differs in has just been written. */
		p->rearm = true;
		return rw_rung_arm(p, error);
	}
	if (p->rearm || !p->fresh_copied) {
		p->fresh_copied = copied;
		p->rearm = false;
		return 0;
	}
	if (copied <= p->fresh_copied * REARM_FACTOR_PERCENT / 100 + REARM_SLACK_PAGES)
		return 0;
	p->rearm = true;
	return rw_rung_arm(p, error);
}
