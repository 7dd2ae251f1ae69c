/* Booting from an embryo: the cgroups of the container, in which the newborn is from its birth on. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#define PASSING_WORD (TABLE_PASSING + 512) /* beyond what a birth passes */

/* Of version 2 the folder, in which a process can be born. */
static int open_one(struct joins *joins, const char *path, struct rw_error *error)
{
	char folder[4096];
	struct statfs where;
	const char *name = strrchr(path, '/');

	if (!name || statfs(path, &where))
		return rw_fail(error, RW_SYSTEM, errno, "cgroup %s", path);
	if (where.f_type == CGROUP2_SUPER_MAGIC && joins->folder < 0) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(name - path), path);
		joins->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return joins->folder < 0 ? rw_fail(error, RW_SYSTEM, errno, "open %s", folder) : 0;
	}
	if (joins->count == MAX_JOINS)
		return rw_fail(error, RW_SYSTEM, E2BIG, "cgroup %s", path);
	joins->files[joins->count] = open(path, O_WRONLY | O_CLOEXEC);
	return joins->files[joins->count++] < 0 ? rw_fail(error, RW_SYSTEM, errno, "open %s", path) : 0;
}

int rw_joins_open(struct joins *joins, const char *paths, uint64_t length, struct rw_error *error)
{
	int failed = 0;

	*joins = (struct joins){ .folder = -1 };
	for (const char *path = paths; path < paths + length && !failed; path += strlen(path) + 1)
		failed = open_one(joins, path, error);
	return failed;
}

void rw_joins_close(struct joins *joins)
{
	rw_close(&joins->folder);
	for (uint32_t i = 0; i < joins->count; i++)
		rw_close(&joins->files[i]);
}

/*
 * The process itself, and not we for it: a single thread that moves itself (the file "tasks") waits for nobody, whereas for a process
 * that somebody moves the kernel first waits until all processors have seen that it will (cgroup_threadgroup_rwsem), which takes
 * milliseconds.
 */
int rw_joins_plan(const struct joins *joins, struct rw_process *p, struct rw_error *error)
{
	uint64_t word;
	int failed = rw_op(p, error, SYS_close_range, 0, FD_PASSED, ~0U, 0, 0, 0, 0);

	if (rw_constants_put(p, PASSING_WORD, "0", 1, &word))
		return rw_fail(error, RW_SYSTEM, E2BIG, "cgroups");
	for (uint32_t i = 0; i < joins->count && !failed; i++) {
		failed = rw_op(p, error, SYS_pidfd_getfd, 0, FD_US, (uint64_t)joins->files[i], 0, 0, 0, 0);
		if (!failed)
			failed = rw_op(p, error, SYS_write, 0, FD_PASSED, word, 1, 0, 0, 0);
		if (!failed)
			failed = rw_op(p, error, SYS_close, 0, FD_PASSED, 0, 0, 0, 0, 0);
	}
	return failed;
}
