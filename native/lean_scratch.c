/* Empties the scratch space of a lean container, and proves that it is empty by what the file system counts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"
#include "lean.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define LATE_TRIES 40
#define LATE_PAUSE_NS 500000

const char *lean_scratch_folder(uint32_t i)
{
	static const char *const names[LEAN_SCRATCH_FOLDERS] = { "tmp", "home", "shm" };

	return i < LEAN_SCRATCH_FOLDERS ? names[i] : NULL;
}

static void close_folder(DIR **folder)
{
	if (*folder)
		closedir(*folder);
	*folder = NULL;
}

int lean_scratch_base(int32_t scratch_fd, struct lean_scratch *base, struct rw_error *error)
{
	struct statfs space;

	memset(base, 0, sizeof(*base));
	if (fstatfs(scratch_fd, &space))
		return rw_fail(error, RW_SYSTEM, errno, "free space of the scratch space");
	base->free_blocks = (uint64_t)space.f_bfree;
	base->free_inodes = (uint64_t)space.f_ffree;
	for (uint32_t i = 0; i < LEAN_SCRATCH_FOLDERS; i++) {
		const char *name = lean_scratch_folder(i);
		struct stat folder;

		if (fstatat(scratch_fd, name, &folder, AT_SYMLINK_NOFOLLOW))
			return rw_fail(error, RW_SYSTEM, errno, "scratch folder %s", name);
		base->folders[i].mtime_s = folder.st_mtim.tv_sec;
		base->folders[i].mtime_ns = folder.st_mtim.tv_nsec;
		base->folders[i].mode = folder.st_mode;
		base->folders[i].uid = folder.st_uid;
		base->folders[i].gid = folder.st_gid;
	}
	return 0;
}

/* Opens one folder without following a link; NULL with errno. */
static DIR *open_folder(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	DIR *folder;

	if (fd < 0)
		return NULL;
	folder = fdopendir(fd);
	if (!folder)
		close(fd);
	return folder;
}

static bool is_itself_or_above(const char *name)
{
	return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/*
 * Removes all that is in a folder. unlink first: only a folder needs more. Unlinking while reading is fine on tmpfs as
 * elsewhere: an entry that is there all the while is seen.
 */
static int empty_folder(int at, const char *name, unsigned int depth, struct rw_error *error)
{
	DIR *folder cleanup_(close_folder) = NULL;
	struct dirent *entry;
	int failed;

	if (depth > LEAN_SCRATCH_DEPTH)
		return rw_fail(error, RW_SYSTEM, ELOOP, "folders more than %d deep", LEAN_SCRATCH_DEPTH);
	folder = open_folder(at, name);
	if (!folder)
		return rw_fail(error, RW_SYSTEM, errno, "open a scratch folder at depth %u", depth);
	while ((errno = 0, entry = readdir(folder))) {
		if (is_itself_or_above(entry->d_name) || !unlinkat(dirfd(folder), entry->d_name, 0))
			continue;
		if (errno != EISDIR)
			return rw_fail(error, RW_SYSTEM, errno, "unlink at depth %u", depth);
		failed = empty_folder(dirfd(folder), entry->d_name, depth + 1, error);
		if (failed)
			return failed;
		if (unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR))
			return rw_fail(error, RW_SYSTEM, errno, "remove a folder at depth %u", depth);
	}
	return errno ? rw_fail(error, RW_SYSTEM, errno, "read a folder at depth %u", depth) : 0;
}

/* The kernel counts exactly: equal numbers mean that no file is left, deleted but open ones included. */
static int compare_space(int scratch_fd, const struct lean_scratch *base, bool *equal, struct rw_error *error)
{
	struct statfs space;

	if (fstatfs(scratch_fd, &space))
		return rw_fail(error, RW_SYSTEM, errno, "free space of the scratch space");
	*equal = (uint64_t)space.f_bfree == base->free_blocks && (uint64_t)space.f_ffree == base->free_inodes;
	return 0;
}

/* A file passed over a socket and never received is given back by a worker of the kernel's, a moment after the socket. */
static int await_space(int scratch_fd, const struct lean_scratch *base, struct rw_error *error)
{
	const struct timespec pause = { 0, LATE_PAUSE_NS };
	bool equal = false;
	int failed;

	for (int i = 0; i < LATE_TRIES; i++) {
		failed = compare_space(scratch_fd, base, &equal, error);
		if (failed || equal)
			return failed;
		nanosleep(&pause, NULL);
	}
	return rw_fail(error, RW_SYSTEM, EBUSY, "the emptied scratch space still holds something");
}

/* Owner and mode cannot be changed from inside: verified. When something was last made there can be read: put back. */
static int mend_folders(int scratch_fd, const struct lean_scratch *base, struct rw_error *error)
{
	for (uint32_t i = 0; i < LEAN_SCRATCH_FOLDERS; i++) {
		const char *name = lean_scratch_folder(i);
		const struct timespec times[2] = {
			{ .tv_sec = base->folders[i].mtime_s, .tv_nsec = base->folders[i].mtime_ns },
			{ .tv_sec = base->folders[i].mtime_s, .tv_nsec = base->folders[i].mtime_ns },
		};
		struct stat folder;

		if (fstatat(scratch_fd, name, &folder, AT_SYMLINK_NOFOLLOW))
			return rw_fail(error, RW_SYSTEM, errno, "scratch folder %s", name);
		if (folder.st_mode != base->folders[i].mode || folder.st_uid != base->folders[i].uid ||
		    folder.st_gid != base->folders[i].gid)
			return rw_fail(error, RW_SYSTEM, 0, "owner or mode of scratch folder %s", name);
		if (folder.st_mtim.tv_sec == times[1].tv_sec && folder.st_mtim.tv_nsec == times[1].tv_nsec)
			continue;
		if (utimensat(scratch_fd, name, times, AT_SYMLINK_NOFOLLOW))
			return rw_fail(error, RW_SYSTEM, errno, "times of scratch folder %s", name);
	}
	return 0;
}

int lean_empty_scratch(int32_t scratch_fd, const struct lean_scratch *base, uint32_t *was_empty, struct rw_error *error)
{
	bool equal = false;
	int failed;

	failed = compare_space(scratch_fd, base, &equal, error);
	if (failed)
		return failed;
	*was_empty = equal;
	if (!equal) {
		for (uint32_t i = 0; i < LEAN_SCRATCH_FOLDERS; i++) {
			failed = empty_folder(scratch_fd, lean_scratch_folder(i), 0, error);
			if (failed)
				return failed;
		}
		failed = await_space(scratch_fd, base, error);
		if (failed)
			return failed;
	}
	return mend_folders(scratch_fd, base, error);
}
