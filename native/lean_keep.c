/* Keeps what a container has unpacked: copies a folder of its scratch space to the host, and trusts nothing of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"
#include "lean.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of anything on disk, beside its bytes, which fill whole blocks. */
#define BLOCK 4096ULL
#define AT_ONCE (1UL << 20)

struct keeping {
	uint64_t bytes, at_most;
	struct rw_error *error;
};

static void close_folder(DIR **folder)
{
	if (*folder)
		closedir(*folder);
	*folder = NULL;
}

static int fail(struct keeping *keeping, int errnum, const char *what, const char *name)
{
	return rw_fail(keeping->error, RW_SYSTEM, errnum, "%s %.64s", what, name);
}

/* It will be root's: what its owner may, others may, but for writing. */
static mode_t mode_for_all(mode_t mode)
{
	const mode_t owner = (mode >> 6) & 05;

	return (mode & 0755) | owner << 3 | owner;
}

static int charge(struct keeping *keeping, uint64_t bytes, const char *name)
{
	keeping->bytes += BLOCK + (bytes + BLOCK - 1) / BLOCK * BLOCK;
	return keeping->bytes > keeping->at_most ? fail(keeping, EFBIG, "keep", name) : 0;
}

static int seal(struct keeping *keeping, int fd, const struct stat *was, const char *name)
{
	const struct timespec times[2] = { was->st_mtim, was->st_mtim };

	return fchmod(fd, mode_for_all(was->st_mode)) || futimens(fd, times) ? fail(keeping, errno, "seal", name) : 0;
}

static int keep_file(struct keeping *keeping, int from_at, int to_at, const char *name)
{
	int from cleanup_(rw_close) = openat(from_at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int to cleanup_(rw_close) = -1;
	struct stat was;
	ssize_t sent;
	int failed;

	if (from < 0 || fstat(from, &was))
		return fail(keeping, errno, "open", name);
	if (!S_ISREG(was.st_mode))
		return fail(keeping, EINVAL, "not a file:", name);
	failed = charge(keeping, (uint64_t)was.st_size, name);
	if (failed)
		return failed;
	to = openat(to_at, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return fail(keeping, errno, "make", name);
	do
		sent = sendfile(to, from, NULL, AT_ONCE);
	while (sent > 0 || (sent < 0 && errno == EINTR));
	return sent < 0 ? fail(keeping, errno, "write", name) : seal(keeping, to, &was, name);
}

static int keep_link(struct keeping *keeping, int from_at, int to_at, const char *name)
{
	char target[PATH_MAX + 1];
	ssize_t length = readlinkat(from_at, name, target, sizeof(target) - 1);

	if (length < 0)
		return fail(keeping, errno, "read link", name);
	target[length] = '\0';
	if (symlinkat(target, to_at, name))
		return fail(keeping, errno, "make link", name);
	return charge(keeping, 0, name);
}

static int keep_folder(struct keeping *keeping, int from_at, const char *name, int to_at, const char *to_name,
		       unsigned int depth);

static int keep_entry(struct keeping *keeping, int from_at, int to_at, const char *name, unsigned int depth)
{
	struct stat entry;

	if (fstatat(from_at, name, &entry, AT_SYMLINK_NOFOLLOW))
		return fail(keeping, errno, "look at", name);
	switch (entry.st_mode & S_IFMT) {
	case S_IFREG:
		return keep_file(keeping, from_at, to_at, name);
	case S_IFLNK:
		return keep_link(keeping, from_at, to_at, name);
	case S_IFDIR:
		return keep_folder(keeping, from_at, name, to_at, name, depth + 1);
	default:
		return fail(keeping, EINVAL, "neither a file nor a folder nor a link:", name);
	}
}

static int keep_folder(struct keeping *keeping, int from_at, const char *name, int to_at, const char *to_name,
		       unsigned int depth)
{
	DIR *folder cleanup_(close_folder) = NULL;
	int from = openat(from_at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), failed;
	int to cleanup_(rw_close) = -1;
	struct dirent *entry;
	struct stat was;

	if (from < 0)
		return fail(keeping, errno, "open", name);
	folder = fdopendir(from);
	if (!folder)
		close(from);
	if (!folder || fstat(from, &was))
		return fail(keeping, errno, "open", name);
	if (depth > LEAN_SCRATCH_DEPTH)
		return fail(keeping, ELOOP, "too deep:", name);
	if (mkdirat(to_at, to_name, 0700))
		return fail(keeping, errno, "make", to_name);
	to = openat(to_at, to_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return fail(keeping, errno, "open", to_name);
	failed = charge(keeping, 0, name);
	while (!failed && (errno = 0, entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			failed = keep_entry(keeping, from, to, entry->d_name, depth);
	if (!failed && errno)
		failed = fail(keeping, errno, "read", name);
	return failed ? failed : seal(keeping, to, &was, name);
}

int lean_keep_code(int32_t scratch_fd, const char *name, const char *into, uint64_t at_most, uint64_t *bytes,
		   struct rw_error *error)
{
	struct keeping keeping = { .at_most = at_most, .error = error };
	/* As deep as in the scratch space, and as below the folder that has it on the host. */
	int failed = keep_folder(&keeping, scratch_fd, name, AT_FDCWD, into, 1);

	*bytes = keeping.bytes;
	return failed;
}
