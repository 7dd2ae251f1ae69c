/* Empties the scratch space of a lean container, and proves that it is empty by what the file system counts; removes what was kept of one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"
#include "lean.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static const char *const folders[LEAN_SCRATCH_FOLDERS] = LEAN_SCRATCH_NAMES;

static void close_folder(DIR **folder)
{
	if (*folder)
		closedir(*folder);
	*folder = NULL;
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
 * Removes all that is in a folder but what is *kept*, as long as any are *left* to be removed in this call. unlink first: only
 * a folder needs more.
 * Unlinking while reading is fine on tmpfs as elsewhere: an entry that is there all the while is seen.
 */
static int empty_folder(int at, const char *name, const char *kept, unsigned int depth, uint32_t *left, struct rw_error *error)
{
	DIR *folder cleanup_(close_folder) = NULL;
	struct dirent *entry;
	int failed;

	if (depth > LEAN_SCRATCH_DEPTH)
		return rw_fail(error, RW_SYSTEM, ELOOP, "folders more than %d deep", LEAN_SCRATCH_DEPTH);
	folder = open_folder(at, name);
	if (!folder)
		return rw_fail(error, RW_SYSTEM, errno, "open a scratch folder at depth %u", depth);
	while (*left && (errno = 0, entry = readdir(folder))) {
		if (is_itself_or_above(entry->d_name) || (kept && !strcmp(entry->d_name, kept)))
			continue;
		--*left;
		if (!unlinkat(dirfd(folder), entry->d_name, 0))
			continue;
		if (errno != EISDIR)
			return rw_fail(error, RW_SYSTEM, errno, "unlink at depth %u", depth);
		failed = empty_folder(dirfd(folder), entry->d_name, NULL, depth + 1, left, error);
		if (failed || !*left)
			return failed;
		if (unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR))
			return rw_fail(error, RW_SYSTEM, errno, "remove a folder at depth %u", depth);
	}
	return *left && errno ? rw_fail(error, RW_SYSTEM, errno, "read a folder at depth %u", depth) : 0;
}

/*
 * The kernel counts exactly. Nothing is used but an inode for each folder, one for the root, and one for the place of code that is
 * shown: then no file is left, be it deleted but open.
 */
static int is_empty(int scratch_fd, bool has_code, bool *empty, struct rw_error *error)
{
	struct statfs space;

	if (fstatfs(scratch_fd, &space))
		return rw_fail(error, RW_SYSTEM, errno, "free space of the scratch space");
	*empty = space.f_bfree == space.f_blocks && space.f_ffree + LEAN_SCRATCH_FOLDERS + 1 + has_code == space.f_files;
	return 0;
}

/*
 * Owner and mode cannot be changed from inside: verified. When something was last made there can be read: put back, to
 * the time of the root, which nobody in the container can reach.
 */
static int mend_folder(int scratch_fd, const char *name, const struct stat *root, struct rw_error *error)
{
	const struct timespec times[2] = { root->st_mtim, root->st_mtim };
	struct stat folder;

	if (fstatat(scratch_fd, name, &folder, AT_SYMLINK_NOFOLLOW))
		return rw_fail(error, RW_SYSTEM, errno, "scratch folder %s", name);
	if (folder.st_mode != (S_IFDIR | LEAN_SCRATCH_MODE) || folder.st_uid != root->st_uid ||
	    folder.st_gid != root->st_gid)
		return rw_fail(error, RW_SYSTEM, 0, "owner or mode of scratch folder %s", name);
	if (folder.st_mtim.tv_sec == times[1].tv_sec && folder.st_mtim.tv_nsec == times[1].tv_nsec)
		return 0;
	if (utimensat(scratch_fd, name, times, AT_SYMLINK_NOFOLLOW))
		return rw_fail(error, RW_SYSTEM, errno, "times of scratch folder %s", name);
	return 0;
}

static int empty_all(int scratch_fd, bool has_code, uint32_t *left, struct rw_error *error)
{
	int failed = 0;

	for (int i = 0; i < LEAN_SCRATCH_FOLDERS && *left && !failed; i++)
		failed = empty_folder(scratch_fd, folders[i], has_code && i == LEAN_SCRATCH_HOME ? LEAN_CODE_NAME : NULL, 0, left,
				      error);
	return failed;
}

int lean_empty_scratch(int32_t scratch_fd, uint32_t has_code, uint32_t at_most, uint32_t *removed, uint32_t *empty,
		       struct rw_error *error)
{
	uint32_t left = at_most;
	struct stat root;
	bool is_now = false;
	int failed;

	if (fstat(scratch_fd, &root))
		return rw_fail(error, RW_SYSTEM, errno, "root of the scratch space");
	failed = is_empty(scratch_fd, has_code, &is_now, error);
	if (!failed && !is_now)
		failed = empty_all(scratch_fd, has_code, &left, error);
	if (!failed && !is_now)
		failed = is_empty(scratch_fd, has_code, &is_now, error);
	for (int i = 0; i < LEAN_SCRATCH_FOLDERS && is_now && !failed; i++)
		failed = mend_folder(scratch_fd, folders[i], &root, error);
	*removed = at_most - left;
	*empty = is_now;
	return failed;
}

int lean_remove(const char *path, struct rw_error *error)
{
	uint32_t left = UINT32_MAX;
	int failed;

	if (!unlink(path) || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return rw_fail(error, RW_SYSTEM, errno, "unlink");
	failed = empty_folder(AT_FDCWD, path, NULL, 0, &left, error);
	if (!failed && rmdir(path))
		failed = rw_fail(error, RW_SYSTEM, errno, "remove the folder");
	return failed;
}
