/* Code on the host: shown in a container that runs, taken out of it again, and kept from what a container has unpacked. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"
#include "lean.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK_SIZE (64UL << 10)

/*
 * What is done in a container's mount namespace: *tree* is attached to *target*, or, where it is -1, what is mounted there is
 * taken away.
 */
struct visit {
	int namespace;
	int tree;
	const char *target;
	int errnum;
};

/* A thread of its own, since none that shares its folders with others may enter a mount namespace, and none could come back. */
static void *visit(void *argument)
{
	struct visit *visit = argument;
	int done = unshare(CLONE_FS);

	if (!done)
		done = setns(visit->namespace, CLONE_NEWNS);
	if (!done && visit->tree >= 0)
		done = (int)syscall(SYS_move_mount, visit->tree, "", AT_FDCWD, visit->target, MOVE_MOUNT_F_EMPTY_PATH);
	else if (!done)
		done = umount2(visit->target, UMOUNT_NOFOLLOW);
	visit->errnum = done ? errno : 0;
	return NULL;
}

/* 0 or -errno. */
static int run_visit(struct visit *how)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int failed = pthread_attr_init(&attributes);

	if (failed)
		return -failed;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	failed = pthread_attr_setstacksize(&attributes, STACK_SIZE);
	if (!failed)
		failed = pthread_create(&thread, &attributes, visit, how);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (!failed)
		failed = pthread_join(thread, NULL);
	return failed ? -failed : -how->errnum;
}

static int open_namespace(int32_t init_pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", init_pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

int lean_show_code(int32_t init_pid, const char *source, const char *target, struct rw_error *error)
{
	/* Programs of an archive can be executed, whatever the host's file system is mounted for. */
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
					 .attr_clr = MOUNT_ATTR_NOEXEC,
					 .propagation = MS_PRIVATE };
	int namespace cleanup_(rw_close) = open_namespace(init_pid);
	int tree cleanup_(rw_close) = -1;
	struct visit how = { .namespace = namespace, .target = target };
	int failed;

	if (namespace < 0)
		return rw_fail(error, RW_SYSTEM, errno, "mount namespace of process %d", init_pid);
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	if (tree < 0)
		return rw_fail(error, RW_SYSTEM, errno, "show %s", source);
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)))
		return rw_fail(error, RW_SYSTEM, errno, "restrict %s", source);
	how.tree = tree;
	failed = run_visit(&how);
	return failed ? rw_fail(error, RW_SYSTEM, -failed, "show %s on %s", source, target) : 0;
}

int lean_hide_code(int32_t init_pid, const char *target, uint32_t *busy, struct rw_error *error)
{
	int namespace cleanup_(rw_close) = open_namespace(init_pid);
	struct visit how = { .namespace = namespace, .tree = -1, .target = target };
	int failed;

	if (namespace < 0)
		return rw_fail(error, RW_SYSTEM, errno, "mount namespace of process %d", init_pid);
	failed = run_visit(&how);
	*busy = failed == -EBUSY;
	return failed && !*busy ? rw_fail(error, RW_SYSTEM, -failed, "hide %s", target) : 0;
}
