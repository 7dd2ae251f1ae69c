/* A process bound to its image: made, its files in /proc opened, freed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct rw_process *rw_process_new(pid_t pid, enum rw_rung rung)
{
	struct rw_process *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->image = calloc(1, sizeof(*p->image));
	if (!p->image) {
		free(p);
		return NULL;
	}
	p->image->fd = -1;
	p->pid = pid;
	p->rung = rung;
	p->pidfd = p->mem = p->pagemap = p->maps = p->status = p->timers = p->userfault = p->clear_refs = p->shared_pages = p->mounts = -1;
	return p;
}

static int open_proc(pid_t pid, const char *name, int flags, int *fd, struct rw_error *error)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	*fd = open(path, flags | O_CLOEXEC);
	return *fd < 0 ? rw_fail(error, errno == ENOENT ? RW_PROCESS_GONE : RW_SYSTEM, errno, "cannot open %s", path) : 0;
}

int rw_process_open(struct rw_process *p, struct rw_error *error)
{
	int failed;

	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	if (p->pidfd < 0)
		return rw_fail(error, errno == ESRCH ? RW_PROCESS_GONE : RW_SYSTEM, errno, "process %d", p->pid);
	failed = open_proc(p->pid, "mem", O_RDWR, &p->mem, error);
	if (!failed)
		failed = open_proc(p->pid, "pagemap", O_RDONLY, &p->pagemap, error);
	if (!failed)
		failed = open_proc(p->pid, "maps", O_RDONLY, &p->maps, error);
	if (!failed)
		failed = open_proc(p->pid, "status", O_RDONLY, &p->status, error);
	if (failed)
		return failed;
	/* Absent without CONFIG_POSIX_TIMERS: then there are none. */
	if (open_proc(p->pid, "timers", O_RDONLY, &p->timers, error))
		p->timers = -1;
	p->pagemap_buffer = malloc(8192 * 8);
	return p->pagemap_buffer ? 0 : rw_fail(error, RW_SYSTEM, ENOMEM, "pagemap buffer");
}

void rw_target_free(struct target *target)
{
	for (uint32_t i = 0; target->held && i < target->image->descriptor_count; i++)
		rw_close(&target->held[i]);
	for (uint32_t i = 0; target->info && i < target->image->descriptor_count; i++)
		rw_close(&target->info[i]);
	free(target->held);
	free(target->info);
	rw_image_free(target->image);
	*target = (struct target){ 0 };
}

void rw_release(struct rw_process *p)
{
	if (!p)
		return;
	rw_target_free(&(struct target){ p->image, p->held, p->info });
	rw_target_free(&p->below);
	rw_target_free(&p->above);
	if (p->table)
		munmap(p->table, TABLE_SIZE);
	rw_close(&p->pidfd);
	rw_close(&p->mem);
	rw_close(&p->pagemap);
	rw_close(&p->maps);
	rw_close(&p->status);
	rw_close(&p->timers);
	rw_close(&p->userfault);
	rw_close(&p->clear_refs);
	rw_close(&p->shared_pages);
	rw_close(&p->mounts);
	free(p->embryo);
	free(p->text);
	free(p->now.at);
	free(p->dirty);
	free(p->scan);
	free(p->pagemap_buffer);
	free(p->without_pages);
	free(p);
}
