/* Taking a checkpoint: from a running process to an image and a process bound to it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SCRATCH_SIZE PAGE

/* What the injection needs while the code is not yet mapped. */
struct bootstrap {
	struct user_regs_struct base;	/* the leader's registers, not normalised */
	uint64_t syscall_at;
	uint64_t scratch;		/* a page of the process, ours for the time being */
};

static int step(struct rw_process *p, const struct bootstrap *boot, long nr, const uint64_t arg[6], uint64_t *result,
		struct rw_error *error)
{
	return rw_inject_step(p->pid, &boot->base, boot->syscall_at, nr, arg, result, error);
}

/* The leader's and then the other threads' ids, as the kernel lists them. */
static int list_threads(struct rw_process *p, const struct frozen *frozen, struct rw_error *error)
{
	struct image *image = p->image;
	uint64_t capacity = 0;

	RW_STEP(error, "threads");
	if (rw_reserve(&image->threads, &capacity, frozen->count, sizeof(*image->threads)))
		return rw_fail(error, RW_SYSTEM, ENOMEM, "threads");
	memset(image->threads, 0, frozen->count * sizeof(*image->threads));
	image->thread_count = frozen->count;
	for (uint32_t i = 0; i < frozen->count; i++) {
		bool waiting;
		int failed = rw_thread_save(frozen->tids[i], &image->threads[i], &waiting, error);

		if (failed)
			return failed;
		if (!waiting || frozen->signals[i])
			return rw_fail(error, RW_NOT_QUIESCENT, 0, "thread %d is not waiting in a system call",
				       frozen->tids[i]);
	}
	return 0;
}

/* The instruction of the system call that the leader sits in serves for the first injected calls. */
static int find_syscall(struct rw_process *p, struct bootstrap *boot, struct rw_error *error)
{
	static const uint8_t instruction[2] = { 0x0f, 0x05 };
	uint8_t found[2];

	if (ptrace(PTRACE_GETREGS, p->pid, 0, &boot->base))
		return rw_fail(error, RW_SYSTEM, errno, "cannot read the registers of %d", p->pid);
	boot->syscall_at = boot->base.rip - 2;
	if (rw_read_memory(p, boot->syscall_at, found, 2) || memcmp(found, instruction, 2))
		return rw_fail(error, RW_NOT_QUIESCENT, 0, "thread %d waits in an unknown way", p->pid);
	return 0;
}

static int borrow_scratch(struct rw_process *p, struct bootstrap *boot, struct rw_error *error)
{
	return step(p, boot, SYS_mmap,
		    (const uint64_t[6]){ 0, SCRATCH_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1 },
		    &boot->scratch, error);
}

static int return_scratch(struct rw_process *p, struct bootstrap *boot, struct rw_error *error)
{
	uint64_t ignored;
	int failed = step(p, boot, SYS_munmap, (const uint64_t[6]){ boot->scratch, SCRATCH_SIZE }, &ignored, error);

	boot->scratch = 0;
	return failed;
}

/*
 * Makes a memory file inside the process, fetches it, and maps it writable here. The file is charged to whoever touches
 * its pages first: us.
 */
static int make_file(struct rw_process *p, const struct bootstrap *boot, const char *name, uint64_t size, int *fd,
		     uint64_t *remote_fd, uint8_t **here, struct rw_error *error)
{
	int failed = rw_write_memory(p, boot->scratch, name, strlen(name) + 1);

	if (failed)
		return rw_fail(error, RW_SYSTEM, -failed, "cannot write the name of a memory file");
	failed = step(p, boot, SYS_memfd_create, (const uint64_t[6]){ boot->scratch, MFD_CLOEXEC | MFD_ALLOW_SEALING },
		      remote_fd, error);
	if (failed)
		return failed;
	*fd = (int)syscall(SYS_pidfd_getfd, p->pidfd, (int)*remote_fd, 0);
	if (*fd < 0 || ftruncate(*fd, (off_t)size))
		return rw_fail(error, RW_SYSTEM, errno, "cannot fetch a memory file");
	*here = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, *fd, 0);
	return *here == MAP_FAILED ? rw_fail(error, RW_SYSTEM, errno, "cannot map a memory file") : 0;
}

/* Nobody may write the file any more but through mappings that exist: ours. Then the process maps it read-only. */
static int seal_and_map(struct rw_process *p, const struct bootstrap *boot, int fd, uint64_t remote_fd, uint64_t size,
			uint64_t prot, uint64_t *address, struct rw_error *error)
{
	uint64_t ignored;
	int failed;

	RW_STEP(error, "seal");
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL))
		return rw_fail(error, RW_UNSUPPORTED, errno, "cannot seal a memory file (Linux 5.1 and newer)");
	failed = step(p, boot, SYS_mmap, (const uint64_t[6]){ 0, size, prot, MAP_SHARED | MAP_NORESERVE, remote_fd },
		      address, error);
	return failed ? failed : step(p, boot, SYS_close, (const uint64_t[6]){ remote_fd }, &ignored, error);
}

static int map_code(struct rw_process *p, const struct bootstrap *boot, struct rw_error *error)
{
	uint64_t remote;
	uint8_t *here = MAP_FAILED;
	int fd cleanup_(rw_close) = -1;
	int failed = make_file(p, boot, "rewhisk-code", PAGE, &fd, &remote, &here, error);

	if (!failed)
		memcpy(here, rw_parasite_start, (size_t)(rw_parasite_end - rw_parasite_start));
	if (here != MAP_FAILED)
		munmap(here, PAGE);
	return failed ? failed
		      : seal_and_map(p, boot, fd, remote, PAGE, PROT_READ | PROT_EXEC, &p->image->code, error);
}

static int map_table(struct rw_process *p, const struct bootstrap *boot, struct rw_error *error)
{
	uint64_t remote;
	uint8_t *here = MAP_FAILED;
	int fd cleanup_(rw_close) = -1;
	int failed = make_file(p, boot, "rewhisk-table", TABLE_SIZE, &fd, &remote, &here, error);

	p->table = here == MAP_FAILED ? NULL : here;
	return failed ? failed
		      : seal_and_map(p, boot, fd, remote, TABLE_SIZE, PROT_READ, &p->image->table, error);
}

static int parse_live_maps(struct rw_process *p, struct rw_error *error)
{
	int failed = rw_read_text(p->maps, &p->text, &p->text_capacity, &p->text_length, error);

	return failed ? failed : rw_parse_maps(p->text, &p->now, error);
}

static uint64_t tracked_size(const struct region_list *list)
{
	uint64_t size = 0;

	for (uint64_t i = 0; i < list->count; i++)
		if (rw_tracked(&list->at[i]))
			size += list->at[i].end - list->at[i].start;
	return size;
}

/* The final list of regions, each with its place in the image. */
static int fix_regions(struct rw_process *p, struct rw_error *error)
{
	struct image *image = p->image;
	uint64_t offset = 0;
	int failed = parse_live_maps(p, error);

	if (failed)
		return failed;
	image->maps = malloc(p->text_length + 1);
	if (!image->maps)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "text of maps");
	memcpy(image->maps, p->text, p->text_length + 1);
	image->maps_length = p->text_length;
	failed = rw_parse_maps(image->maps, &image->regions, error);
	if (!failed)
		failed = rw_read_flags(p->pid, &image->regions, error);
	for (uint64_t i = 0; i < image->regions.count && !failed; i++) {
		struct region *region = &image->regions.at[i];

		if (region->start == image->code || region->start == image->table || region->start == image->window)
			region->kind = REGION_INJECTED;
		if (region->flags & FLAG_LOCKED)
			return rw_fail(error, RW_UNSUPPORTED, 0, "mapping %llx is locked in memory",
				       (unsigned long long)region->start);
		if (region->kind == REGION_SHARED && region->prot & PROT_WRITE)
			return rw_fail(error, RW_UNSUPPORTED, 0, "writable shared mapping %llx (%.*s)",
				       (unsigned long long)region->start, (int)region->name_length,
				       image->maps + region->name);
		if (!rw_tracked(region))
			continue;
		region->image_offset = offset;
		offset += region->end - region->start;
		failed = rw_rung_register(p, region, error);
	}
	return failed;
}

static int save_region(struct rw_process *p, struct region *region, uint8_t *file, struct rw_error *error)
{
	struct image *image = p->image;
	struct page_run *runs cleanup_(rw_free) = NULL;
	uint64_t count = 0, capacity = 0;
	int failed = rw_private_runs(p, region->start, region->end, &runs, &count, &capacity, error);

	for (uint64_t i = 0; i < count && !failed; i++) {
		uint64_t offset = region->image_offset + (runs[i].start - region->start);
		uint64_t length = runs[i].end - runs[i].start;

		failed = rw_read_memory(p, runs[i].start, file + offset, length);
		if (failed)
			return rw_fail(error, RW_SYSTEM, -failed, "cannot read page %llx",
				       (unsigned long long)runs[i].start);
		if (rw_reserve(&image->extents, &image->extent_capacity, image->extent_count + 1, sizeof(struct extent)))
			return rw_fail(error, RW_SYSTEM, ENOMEM, "list of saved pages");
		image->extents[image->extent_count++] = (struct extent){ runs[i].start, runs[i].end, offset };
		region->saved += length / PAGE;
		image->pages_saved += length / PAGE;
	}
	return failed;
}

/* Maps the image's file into the process, fixes the list of regions, and fills the file. */
static int save_memory(struct rw_process *p, struct bootstrap *boot, struct rw_error *error)
{
	struct image *image = p->image;
	uint8_t *file = MAP_FAILED;
	uint64_t remote;
	int failed = parse_live_maps(p, error);

	if (!failed)
		failed = rw_share_readonly(p, error);
	if (!failed)
		failed = parse_live_maps(p, error);
	if (failed)
		return failed;
	image->size = tracked_size(&p->now);
	failed = make_file(p, boot, "rewhisk-image", image->size, &image->fd, &remote, &file, error);
	if (!failed)
		failed = seal_and_map(p, boot, image->fd, remote, image->size, PROT_READ, &image->window, error);
	if (!failed)
		failed = return_scratch(p, boot, error);
	if (!failed)
		failed = fix_regions(p, error);
	for (uint64_t i = 0; i < image->regions.count && !failed; i++)
		if (rw_tracked(&image->regions.at[i]))
			failed = save_region(p, &image->regions.at[i], file, error);
	if (file != MAP_FAILED)
		munmap(file, image->size);
	if (failed)
		return failed;
	/* With our writable view gone, the seal of before leaves nobody who could write the file. */
	image->pages = mmap(NULL, image->size, PROT_READ, MAP_SHARED | MAP_NORESERVE, image->fd, 0);
	if (image->pages != MAP_FAILED)
		return 0;
	image->pages = NULL;
	return rw_fail(error, RW_SYSTEM, errno, "cannot map the image");
}

static int put_leader_back(struct rw_process *p, struct rw_error *error)
{
	return rw_thread_put_back(&p->image->threads[0], error);
}

static int take(struct rw_process *p, struct frozen *frozen, struct rw_error *error)
{
	struct bootstrap boot = { 0 };
	int failed = list_threads(p, frozen, error);

	if (!failed)
		failed = find_syscall(p, &boot, error);
	if (!failed)
		failed = rw_descriptors_save(p, error);
	if (!failed)
		failed = rw_objects_save(p, error);
	if (failed)
		return failed;
	RW_STEP(error, "checkpoint");
	frozen->touched = true;
	failed = rw_block_signals(p->pid, error);
	if (!failed)
		failed = borrow_scratch(p, &boot, error);
	if (!failed)
		failed = rw_rung_attach(p, &boot.base, boot.syscall_at, error);
	if (!failed)
		failed = map_code(p, &boot, error);
	if (!failed)
		failed = map_table(p, &boot, error);
	if (!failed)
		failed = rw_kernel_save(p, error);
	if (!failed)
		failed = save_memory(p, &boot, error);
	if (!failed)
		failed = rw_rung_arm(p, error);
	if (!failed)
		failed = put_leader_back(p, error);
	if (failed)
		error->untouched = 0;
	else
		frozen->touched = false;
	return failed;
}

static int checkpoint(struct rw_process *p, struct rw_error *error)
{
	struct frozen frozen cleanup_(rw_thaw) = { 0 };
	int failed = rw_process_open(p, error);

	if (!failed)
		failed = rw_freeze(p->pid, &p->pid, 1, &frozen, error);
	return failed ? failed : take(p, &frozen, error);
}

int rw_checkpoint(int32_t pid, uint32_t rung, struct rw_process **process, struct rw_summary *summary,
		  struct rw_error *error)
{
	double start = rw_now_us();
	struct rw_process *p;
	int failed;

	*error = (struct rw_error){ .untouched = 1 };
	if (rung < RW_WRITE_PROTECT || rung > RW_COPY_ALL)
		return rw_fail(error, RW_UNSUPPORTED, EINVAL, "rung %u", rung);
	p = rw_process_new(pid, (enum rw_rung)rung);
	if (!p)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "process %d", pid);
	failed = checkpoint(p, error);
	if (failed) {
		rw_release(p);
		return failed;
	}
	*summary = (struct rw_summary){
		.threads = p->image->thread_count,
		.regions = (uint32_t)p->image->regions.count,
		.descriptors = p->image->descriptor_count,
		.pages = p->image->pages_saved,
		.took_us = rw_now_us() - start,
	};
	*process = p;
	return 0;
}
