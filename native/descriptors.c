/* Descriptors of a process: which there are, that they are still the same open files, their flags, positions and locks. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* So many a level may have beside the base's: each costs one of our own, or two. */
#define LEVEL_DESCRIPTORS 64

static int by_number(const void *left, const void *right)
{
	return ((const struct descriptor *)left)->fd - ((const struct descriptor *)right)->fd;
}

static int list_numbers(pid_t pid, struct descriptor **list, uint64_t *capacity, uint32_t *count,
			struct rw_error *error)
{
	char path[40];
	struct dirent *entry;
	DIR *folder;
	int failed;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	folder = opendir(path);
	if (!folder)
		return rw_fail(error, RW_PROCESS_GONE, errno, "cannot list %s", path);
	*count = 0;
	while (errno = 0, (entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		if (rw_reserve(list, capacity, *count + 1, sizeof(**list))) {
			closedir(folder);
			return rw_fail(error, RW_SYSTEM, ENOMEM, "list of descriptors");
		}
		(*list)[(*count)++] = (struct descriptor){ .fd = atoi(entry->d_name), .position = -1 };
	}
	failed = errno;
	closedir(folder);
	if (failed)
		return rw_fail(error, RW_SYSTEM, failed, "cannot list %s", path);
	if (*count)
		qsort(*list, *count, sizeof(**list), by_number);
	return 0;
}

int rw_lowest_free(struct rw_process *p, uint64_t *fd, struct rw_error *error)
{
	struct descriptor *list cleanup_(rw_free) = NULL;
	uint64_t capacity = 0;
	uint32_t count = 0;
	int failed = list_numbers(p->pid, &list, &capacity, &count, error);

	*fd = 0;
	while (*fd < count && (uint64_t)list[*fd].fd == *fd)
		++*fd;
	return failed;
}

/* Flags as /proc/PID/fdinfo has them: octal, with O_CLOEXEC folded in. */
static int read_flags(pid_t pid, struct descriptor *descriptor, bool seekable, struct rw_error *error)
{
	char path[64], text[256];
	const char *flags;
	int fd cleanup_(rw_close) = -1;
	ssize_t got;
	unsigned long value;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, descriptor->fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (got <= 0)
		return rw_fail(error, RW_SYSTEM, errno, "cannot read %s", path);
	text[got] = 0;
	flags = strstr(text, "flags:");
	if (!flags)
		return rw_fail(error, RW_SYSTEM, 0, "%s has no flags", path);
	value = strtoul(flags + 6, NULL, 8);
	descriptor->cloexec = value & O_CLOEXEC ? FD_CLOEXEC : 0;
	descriptor->status = (int)(value & ~(unsigned long)O_CLOEXEC);
	descriptor->position = seekable ? strtoll(text + 4, NULL, 10) : -1;
	descriptor->locked = strstr(text, "\nlock:");
	return 0;
}

int rw_descriptors_save(struct rw_process *p, struct rw_error *error)
{
	struct image *image = p->image;
	uint64_t capacity = 0;
	int failed = list_numbers(p->pid, &image->descriptors, &capacity, &image->descriptor_count, error);

	if (failed)
		return failed;
	if (p->below.image && image->descriptor_count > p->below.image->descriptor_count + LEVEL_DESCRIPTORS)
		return rw_fail(error, RW_UNSUPPORTED, E2BIG, "%u descriptors", image->descriptor_count);
	p->held = malloc(sizeof(int) * (image->descriptor_count + 1));
	if (!p->held)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "descriptors");
	memset(p->held, 0xff, sizeof(int) * (image->descriptor_count + 1));
	for (uint32_t i = 0; i < image->descriptor_count; i++) {
		struct descriptor *descriptor = &image->descriptors[i];
		struct stat seen;

		p->held[i] = (int)syscall(SYS_pidfd_getfd, p->pidfd, descriptor->fd, 0);
		if (p->held[i] < 0 || fstat(p->held[i], &seen))
			return rw_fail(error, RW_SYSTEM, errno, "cannot fetch descriptor %d", descriptor->fd);
		failed = read_flags(p->pid, descriptor, S_ISREG(seen.st_mode) || S_ISDIR(seen.st_mode), error);
		if (failed)
			return failed;
		if (descriptor->locked)
			return rw_fail(error, RW_NOT_QUIESCENT, 0, "descriptor %d is locked", descriptor->fd);
	}
	return 0;
}

int rw_descriptors_check(struct rw_process *p, struct rw_error *error)
{
	pid_t self = getpid();

	for (uint32_t i = 0; i < p->image->descriptor_count; i++) {
		int fd = p->image->descriptors[i].fd;
		long order = syscall(SYS_kcmp, self, p->pid, KCMP_FILE, (unsigned long)p->held[i], (unsigned long)fd);

		if (order < 0 && errno == EBADF)
			return rw_fail(error, RW_LOST_DESCRIPTOR, 0, "descriptor %d was closed", fd);
		if (order < 0)
			return rw_fail(error, RW_SYSTEM, errno, "cannot compare descriptor %d", fd);
		if (order)
			return rw_fail(error, RW_REPLACED_DESCRIPTOR, 0, "descriptor %d is another file now", fd);
	}
	return 0;
}

/*
 * The gaps between the image's descriptors are closed unseen: a close_range() over nothing costs less than looking. Locks
 * and leases end with their descriptors.
 */
int rw_plan_closing(struct rw_process *p, struct rw_error *error)
{
	const struct image *image = p->image;
	uint32_t next = 0;
	int failed = 0;

	for (uint32_t i = 0; i < image->descriptor_count && !failed; i++) {
		uint32_t fd = (uint32_t)image->descriptors[i].fd;

		if (fd > next)
			failed = rw_op(p, error, SYS_close_range, 0, next, fd - 1, 0, 0, 0, 0);
		next = fd + 1;
	}
	return failed ? failed : rw_op(p, error, SYS_close_range, 0, next, UINT_MAX, 0, 0, 0, 0);
}

/* Where a descriptor is not the image's any more these calls fail as well; rw_descriptors_check() has named it before. */
int rw_plan_descriptor_flags(struct rw_process *p, struct rw_error *error)
{
	int failed = 0;

	for (uint32_t i = 0; i < p->image->descriptor_count && !failed; i++) {
		const struct descriptor *was = &p->image->descriptors[i];

		failed = rw_op(p, error, SYS_fcntl, 0, (uint64_t)was->fd, F_SETFD, (uint64_t)was->cloexec, 0, 0, 0);
		if (!failed)
			failed = rw_op(p, error, SYS_fcntl, 0, (uint64_t)was->fd, F_SETFL, (uint64_t)was->status, 0, 0, 0);
	}
	return failed;
}

int rw_plan_positions(struct rw_process *p, struct rw_error *error)
{
	int failed = 0;

	for (uint32_t i = 0; i < p->image->descriptor_count && !failed; i++) {
		const struct descriptor *was = &p->image->descriptors[i];

		if (was->position >= 0)
			failed = rw_op(p, error, SYS_lseek, 0, (uint64_t)was->fd, (uint64_t)was->position, SEEK_SET, 0, 0, 0);
	}
	return failed;
}

int rw_plan_record_locks(struct rw_process *p, struct rw_error *error)
{
	int failed = 0;

	for (uint32_t i = 0; i < p->image->descriptor_count && !failed; i++)
		failed = rw_op(p, error, SYS_fcntl, 0, (uint64_t)p->image->descriptors[i].fd, F_SETLK,
			       p->image->table + AT_UNLOCK, 0, 0, 0);
	return failed;
}

/* Those of flock() and of open file descriptions belong to the open file, which our duplicate is as well. */
int rw_put_back_file_locks(struct rw_process *p, struct rw_error *error)
{
	struct flock all = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	for (uint32_t i = 0; i < p->image->descriptor_count; i++)
		if (flock(p->held[i], LOCK_UN) || fcntl(p->held[i], F_OFD_SETLK, &all))
			return rw_fail(error, RW_SYSTEM, errno, "locks on descriptor %d", p->image->descriptors[i].fd);
	return 0;
}

int rw_descriptors_compare(struct rw_process *p, struct rw_error *error)
{
	struct descriptor *now cleanup_(rw_free) = NULL;
	const struct image *image = p->image;
	uint64_t capacity = 0;
	uint32_t count = 0;
	int failed = list_numbers(p->pid, &now, &capacity, &count, error);

	if (failed)
		return failed;
	for (uint32_t i = 0; i < count; i++) {
		const struct descriptor *was = &image->descriptors[i];

		if (i >= image->descriptor_count || now[i].fd < was->fd)
			return rw_fail(error, RW_DIFFERENCE, 0, "descriptor %d is surplus", now[i].fd);
		if (now[i].fd > was->fd)
			return rw_fail(error, RW_DIFFERENCE, 0, "descriptor %d is missing", was->fd);
		failed = read_flags(p->pid, &now[i], was->position >= 0, error);
		if (failed)
			return failed;
		if (now[i].cloexec != was->cloexec || now[i].status != was->status || now[i].position != was->position)
			return rw_fail(error, RW_DIFFERENCE, 0, "descriptor %d: flags or position differ", was->fd);
		if (now[i].locked)
			return rw_fail(error, RW_DIFFERENCE, 0, "descriptor %d is locked", was->fd);
	}
	if (count < image->descriptor_count)
		return rw_fail(error, RW_DIFFERENCE, 0, "descriptor %d is missing", image->descriptors[count].fd);
	return rw_descriptors_check(p, error);
}
