/* Booting, third part: the descriptors, and what is behind them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* With O_CREAT and the like a file would not be opened again but made. */
#define OPENED_WITH (O_ACCMODE | O_APPEND | O_NONBLOCK | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_PATH | O_SYNC)

/* While descriptors are made: which numbers are taken. The kernel gives the lowest that is not. */
struct making {
	struct rw_process *p;
	uint64_t scratch;
	bool *taken;
	uint32_t count;		/* of numbers; the last two are never the image's */
	bool *is_there;		/* of the image's descriptors, by index */
	uint64_t used;		/* bytes of paths that the table passes */
};

static uint32_t take_lowest(struct making *making)
{
	uint32_t fd = 0;

	while (making->taken[fd])
		fd++;
	making->taken[fd] = true;
	return fd;
}

static int move(struct making *making, uint32_t from, uint32_t to, struct rw_error *error)
{
	int failed;

	if (from == to)
		return 0;
	failed = rw_op(making->p, error, SYS_dup3, 0, from, to, O_CLOEXEC, 0, 0, 0);
	making->taken[to] = true;
	making->taken[from] = false;
	return failed ? failed : rw_op(making->p, error, SYS_close, 0, from, 0, 0, 0, 0, 0);
}

/* Both ends by way of numbers that nobody has: either may lie where the other is to go. */
static int make_pipe(struct making *making, uint32_t index, struct rw_error *error)
{
	const struct descriptor *list = making->p->image->descriptors;
	const uint32_t write_end = list[index].write_end;
	uint32_t from, to;
	int failed;

	if (making->is_there[write_end])
		return rw_fail(error, RW_UNSUPPORTED, 0, "the process was given one end of pipe %d", list[index].fd);
	failed = rw_op(making->p, error, SYS_pipe2, 0, making->scratch, O_CLOEXEC, 0, 0, 0, 0);
	from = take_lowest(making);
	to = take_lowest(making);
	if (!failed)
		failed = move(making, from, making->count - 2, error);
	if (!failed)
		failed = move(making, to, making->count - 1, error);
	if (!failed)
		failed = move(making, making->count - 2, (uint32_t)list[index].fd, error);
	if (!failed)
		failed = move(making, making->count - 1, (uint32_t)list[write_end].fd, error);
	making->is_there[index] = making->is_there[write_end] = true;
	return failed;
}

static int open_file(struct making *making, const struct descriptor *was, struct rw_error *error)
{
	const uint64_t length = strlen(was->path) + 1;
	uint64_t address;

	if (was->path[0] != '/' || (was->type != S_IFREG && was->type != S_IFDIR && was->type != S_IFCHR))
		return rw_fail(error, RW_UNSUPPORTED, 0, "descriptor %d (%.80s) cannot be made anew", was->fd, was->path);
	if (TABLE_PASSING + making->used + length > TABLE_CONSTANTS) {
		int failed = rw_run_ops(making->p, NULL, error);

		if (failed)
			return failed;
		making->used = 0;
	}
	if (rw_constants_put(making->p, TABLE_PASSING + making->used, was->path, length, &address))
		return rw_fail(error, RW_UNSUPPORTED, E2BIG, "path of descriptor %d", was->fd);
	making->used += length;
	return rw_op(making->p, error, SYS_openat, 0, (uint64_t)AT_FDCWD, address, (uint64_t)(was->status & OPENED_WITH) | O_CLOEXEC,
		     0, 0, 0);
}

static int make_one(struct making *making, const struct descriptor *was, struct rw_error *error)
{
	struct rw_process *p = making->p;
	int failed = 0;

	switch (was->kind) {
	case OBJECT_COUNTER:
		failed = rw_op(p, error, SYS_eventfd2, 0, 0, O_CLOEXEC | (strstr(was->info, "eventfd-semaphore: 1") ? 1 : 0), 0, 0, 0,
			       0);
		break;
	case OBJECT_EPOLL:
		failed = rw_op(p, error, SYS_epoll_create1, 0, O_CLOEXEC, 0, 0, 0, 0, 0);
		break;
	case OBJECT_PLAIN:
		failed = open_file(making, was, error);
		break;
	case OBJECT_PIPE:
	case OBJECT_SOCKET:
	case OBJECT_OTHER:
		return rw_fail(error, RW_UNSUPPORTED, 0, "descriptor %d (%.80s) cannot be made anew", was->fd, was->path);
	}
	return failed ? failed : move(making, take_lowest(making), (uint32_t)was->fd, error);
}

static int make_all(struct making *making, struct rw_error *error)
{
	const struct image *image = making->p->image;
	int failed = 0;

	/* Pipes first: of their write ends nothing else tells. */
	for (uint32_t i = 0; i < image->descriptor_count && !failed; i++)
		if (!making->is_there[i] && image->descriptors[i].kind == OBJECT_PIPE && image->descriptors[i].same_as == i)
			failed = make_pipe(making, i, error);
	for (uint32_t i = 0; i < image->descriptor_count && !failed; i++) {
		const struct descriptor *was = &image->descriptors[i];

		if (making->is_there[i])
			continue;
		if (was->same_as != i) {
			failed = rw_op(making->p, error, SYS_dup3, 0, (uint64_t)image->descriptors[was->same_as].fd, (uint64_t)was->fd,
				       O_CLOEXEC, 0, 0, 0);
			making->taken[was->fd] = true;
		} else {
			failed = make_one(making, was, error);
		}
		making->is_there[i] = true;
	}
	return failed ? failed : rw_run_ops(making->p, NULL, error);
}

/* Our duplicate of descriptor `index`. *is_there: the process has one of that number. */
static int fetch(struct rw_process *p, uint32_t index, bool *is_there, struct rw_error *error)
{
	const struct descriptor *was = &p->image->descriptors[index];
	struct stat file;

	p->held[index] = (int)syscall(SYS_pidfd_getfd, p->pidfd, was->fd, 0);
	*is_there = p->held[index] >= 0;
	if (!*is_there)
		return errno == EBADF ? 0 : rw_fail(error, RW_SYSTEM, errno, "cannot fetch descriptor %d", was->fd);
	if (fstat(p->held[index], &file))
		return rw_fail(error, RW_SYSTEM, errno, "descriptor %d", was->fd);
	if ((file.st_mode & S_IFMT) != was->type || file.st_rdev != was->device)
		return rw_fail(error, RW_REPLACED_DESCRIPTOR, 0, "descriptor %d is no such thing as %.80s", was->fd, was->path);
	return 0;
}

/* What was the same open file is so again, and nothing else is. */
static int compare_identities(const struct rw_process *p, struct rw_error *error)
{
	const pid_t self = getpid();

	for (uint32_t i = 0; i < p->image->descriptor_count; i++)
		for (uint32_t j = 0; j < i; j++) {
			const bool was = p->image->descriptors[i].same_as == p->image->descriptors[j].same_as;
			const bool is = !syscall(SYS_kcmp, self, self, KCMP_FILE, (unsigned long)p->held[j], (unsigned long)p->held[i]);

			if (was != is)
				return rw_fail(error, RW_REPLACED_DESCRIPTOR, 0, "descriptors %d and %d %s the same open file",
					       p->image->descriptors[j].fd, p->image->descriptors[i].fd, is ? "are" : "are not");
		}
	return 0;
}

static int make_missing(struct boot *boot, struct making *making, struct rw_error *error)
{
	struct rw_process *p = boot->p;
	const uint32_t count = p->image->descriptor_count;
	/* The surplus first: what is given beyond the image's would be in the way. */
	int failed = rw_plan_closing(p, error);

	if (!failed)
		failed = rw_run_ops(p, NULL, error);
	for (uint32_t i = 0; i < count && !failed; i++) {
		failed = fetch(p, i, &making->is_there[i], error);
		making->taken[p->image->descriptors[i].fd] = making->is_there[i];
	}
	if (!failed)
		failed = make_all(making, error);
	for (uint32_t i = 0; i < count && !failed; i++)
		if (p->held[i] < 0)
			failed = fetch(p, i, &making->is_there[i], error);
	return failed ? failed : compare_identities(p, error);
}

int rw_boot_descriptors(struct boot *boot, struct rw_error *error)
{
	struct rw_process *p = boot->p;
	const uint32_t count = p->image->descriptor_count;
	const uint32_t numbers = (count ? (uint32_t)p->image->descriptors[count - 1].fd : 0) + 3;
	bool *taken cleanup_(rw_free) = calloc(numbers, sizeof(*taken));
	bool *is_there cleanup_(rw_free) = calloc(count + 1, sizeof(*is_there));
	struct making making = { p, boot->bootstrap.scratch, taken, numbers, is_there, 0 };
	int failed;

	p->held = malloc(sizeof(int) * (count + 1));
	/* Whatever else fails: all that is in there will be closed. */
	if (p->held)
		memset(p->held, 0xff, sizeof(int) * (count + 1));
	if (!taken || !is_there || !p->held)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "descriptors");
	failed = make_missing(boot, &making, error);
	if (!failed)
		failed = rw_plan_descriptor_flags(p, error);
	if (!failed)
		failed = rw_plan_positions(p, error);
	if (!failed)
		failed = rw_run_ops(p, NULL, error);
	return failed ? failed : rw_objects_adopt(p, error);
}
