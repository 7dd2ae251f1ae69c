/* Steps that leave files, and ask for what no action may have. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <locale.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static const char *folder(long n)
{
	static const char *const folders[] = { "/tmp", "/dev/shm", "/home/action" };

	return folders[n % 3];
}

static int open_file(long where, long number)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/left-%ld", folder(where), number);
	return open(path, O_RDWR | O_CREAT, 0600);
}

/* step: a file with holes, long and nearly empty */
static long file_sparse(const long a[])
{
	int fd = open_file(a[0], a[1]);

	if (fd < 0 || ftruncate(fd, (off_t)1 << 34) || pwrite(fd, hostile_memory, 10, (off_t)a[1] << 20) < 0)
		return -errno;
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)a[1] << 20, 4096) ? -errno : 0;
}

/* step: a deleted file, still open, mapped and locked */
static long file_deleted(const long a[])
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = a[1], .l_len = 10 };
	int fd = open(folder(a[0]), O_TMPFILE | O_RDWR, 0600);
	uint8_t *found;

	if (fd < 0 || ftruncate(fd, 65536))
		return -errno;
	found = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (found == MAP_FAILED)
		return -errno;
	memset(found, (int)a[1], 65536);
	return fcntl(fd, a[1] % 2 ? F_OFD_SETLK : F_SETLK, &lock) ? -errno : 0;
}

/* step: a pipe with a name */
static long fifo_made(const long a[])
{
	char path[64];

	snprintf(path, sizeof(path), "/tmp/fifo-%ld", a[1]);
	return mkfifo(path, 0600) && errno != EEXIST ? -errno : 0;
}

/* step: locks of every sort on files, and on what is behind the runtime's input */
static long locks_taken(const long a[])
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 5 };
	int fd = open_file(a[0], a[1]);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) || fcntl(fd, F_SETLK, &lock))
		return -errno;
	return a[1] % 2 && flock(0, LOCK_SH | LOCK_NB) ? -errno : 0;
}

/* step: attributes of a file */
static long attributes_set(const long a[])
{
	int fd = open_file(a[0], a[1]), flags = FS_NODUMP_FL;

	/* A kernel's tmpfs need not know attributes or flags. */
	if (fd < 0 || (fsetxattr(fd, "user.left", hostile_memory, (size_t)a[1] % 100, 0) && errno != ENOTSUP))
		return -errno;
	if (ioctl(fd, FS_IOC_SETFLAGS, &flags) && errno != ENOTTY && errno != EOPNOTSUPP)
		return -errno;
	return fchmod(fd, (mode_t)a[1] % 01000) ? -errno : 0;
}

/* step: folders deeper than any path can say, and the working directory at their end */
static long folders_deep(const long a[])
{
	char name[200];
	long levels = 1 + a[1] % 40;

	memset(name, 'd', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	if (chdir(folder(a[0])))
		return -errno;
	for (long i = 0; i < levels; i++)
		if ((mkdir(name, 0700) && errno != EEXIST) || chdir(name))
			return -errno;
	return 0;
}

/* step: folders that even their owner may not enter */
static long folders_closed(const long a[])
{
	char path[96];

	snprintf(path, sizeof(path), "%s/closed-%ld", folder(a[0]), a[1]);
	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	strcat(path, "/inside");
	if (mkdir(path, (mode_t)a[1] % 8 << 6) && errno != EEXIST)
		return -errno;
	*strrchr(path, '/') = '\0';
	return chmod(path, 0) ? -errno : 0;
}

/* step: another library loaded */
static long library_loaded(const long a[])
{
	static const char *const names[] = { "libutil.so.1", "libresolv.so.2", "libnsl.so.1", "libBrokenLocale.so.1", "libanl.so.1" };

	for (long i = 0; i < 5; i++)
		if (dlopen(names[(a[0] + i) % 5], a[1] % 2 ? RTLD_NOW | RTLD_GLOBAL : RTLD_LAZY))
			return 0;
	return -ENOENT;
}

/* step: the C library's own state: locale, zone, environment, random numbers, output not yet written */
static long library_used(const long a[])
{
	setenv("TZ", a[0] % 2 ? "Asia/Tokyo" : "UTC-3", 1);
	tzset();
	srand((unsigned int)a[1]);
	if (!setlocale(LC_ALL, "C.UTF-8") || setenv("LEFT_BY_C", "left", 1))
		return -errno;
	return printf("%ld not yet written", a[1]) < 0 ? -errno : 0;
}

/* step refused: a limit, a place in the schedule, a namespace, a key: whatever is asked for */
static long asked_for_more(const long a[])
{
	static const struct rlimit none = { 0, 0 };
	static const struct { int cpu; } first = { 1 };
	const long calls[][5] = {
		{ SYS_setrlimit, RLIMIT_NOFILE, (long)(intptr_t)&none },
		{ SYS_prlimit64, 0, RLIMIT_STACK, (long)(intptr_t)&none },
		{ SYS_setpriority, PRIO_PROCESS, 0, 5 },
		{ SYS_sched_setaffinity, 0, sizeof(first), (long)(intptr_t)&first },
		{ SYS_sched_setscheduler, 0, 3, (long)(intptr_t)&none },
		{ SYS_ioprio_set, 1, 0, 3 << 13 },
		{ SYS_unshare, 0x10000000 },
		{ SYS_personality, 0x0040000 },
		{ SYS_prctl, 36, 1 }, /* PR_SET_CHILD_SUBREAPER */
		{ SYS_prctl, 4, 0 }, /* PR_SET_DUMPABLE */
		{ SYS_prctl, 1, 9 }, /* PR_SET_PDEATHSIG */
		{ SYS_seccomp, 0, 0 },
		{ SYS_add_key, (long)(intptr_t) "user", (long)(intptr_t) "left", (long)(intptr_t) "left", 4 },
		{ SYS_shmget, 0x4c454654, 4096, 01666 },
		{ SYS_semget, 0x4c454654, 1, 01666 },
		{ SYS_msgget, 0x4c454654, 01666 },
		{ SYS_timer_create, 0, 0, (long)(intptr_t)hostile_memory },
		{ SYS_io_setup, 8, (long)(intptr_t)hostile_memory },
		{ SYS_userfaultfd, 0 },
		{ SYS_mlock, (long)(intptr_t)hostile_memory, 4096 },
		{ SYS_pkey_alloc, 0, 0 },
		{ SYS_inotify_init, 0 },
		{ SYS_ptrace, 0 },
		{ SYS_membarrier, 16, 0 },
		{ SYS_chroot, (long)(intptr_t) "/tmp" },
		{ SYS_mknod, (long)(intptr_t) "/tmp/left-device", S_IFCHR | 0600, 0x103 },
		{ SYS_chmod, (long)(intptr_t) "/tmp", 0700 },
		{ SYS_fcntl, 1, F_SETPIPE_SZ, 1 << 16 },
		{ SYS_fcntl, 1, F_SETOWN, 1 },
	};
	const long *call = calls[a[0] % (long)(sizeof(calls) / sizeof(*calls))];

	return syscall(call[0], call[1], call[2], call[3], call[4]) < 0 ? -errno : 0;
}

const struct act file_steps[] = {
	{ "file_sparse", file_sparse },
	{ "file_deleted", file_deleted },
	{ "fifo_made", fifo_made },
	{ "locks_taken", locks_taken },
	{ "attributes_set", attributes_set },
	{ "folders_deep", folders_deep },
	{ "folders_closed", folders_closed },
	{ "library_loaded", library_loaded },
	{ "library_used", library_used },
	{ "asked_for_more", asked_for_more },
	{ NULL, NULL },
};
