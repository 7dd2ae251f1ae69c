/* Stands between the library and the C library (-Wl,--wrap), where a call does no more than succeed or fail. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../native/kernel_abi.h"
#include "faults.h"

#define WRAP(type, name, failure, parameters, arguments)        \
	type __real_##name parameters;                          \
	type __wrap_##name parameters;                          \
	type __wrap_##name parameters                           \
	{                                                       \
		const struct fault *fault = NOTE(#name);        \
                                                                \
		if (!fault)                                     \
			return __real_##name arguments;         \
		errno = fault->number;                          \
		return failure;                                 \
	}

/* Calls that do their work even where they answer with an error. */
#define WRAP_ENDING(name, parameters, arguments)                \
	int __real_##name parameters;                           \
	int __wrap_##name parameters;                           \
	int __wrap_##name parameters                            \
	{                                                       \
		const struct fault *fault = NOTE(#name);        \
		int result = __real_##name arguments;           \
                                                                \
		if (!fault)                                     \
			return result;                          \
		errno = fault->number;                          \
		return -1;                                      \
	}

/* Calls that move `length` bytes, or fewer. */
#define WRAP_MOVING(name, parameters, arguments)                            \
	ssize_t __real_##name parameters;                                   \
	ssize_t __wrap_##name parameters;                                   \
	ssize_t __wrap_##name parameters                                    \
	{                                                                   \
		const struct fault *fault = NOTE(#name);                    \
                                                                            \
		if (fault && fault->kind != SHORT)                          \
			return errno = fault->number, -1;                   \
		if (fault)                                                  \
			length = length * (size_t)fault->number / 100;      \
		return fault && !length ? 0 : __real_##name arguments;      \
	}

WRAP(DIR *, opendir, NULL, (const char *path), (path))
WRAP(struct dirent *, readdir, NULL, (DIR * folder), (folder))
WRAP(int, stat, -1, (const char *path, struct stat *to), (path, to))
WRAP(int, fstat, -1, (int fd, struct stat *to), (fd, to))
WRAP(int, fstatfs, -1, (int fd, struct statfs *to), (fd, to))
WRAP(int, ftruncate, -1, (int fd, off_t length), (fd, length))
WRAP(int, flock, -1, (int fd, int operation), (fd, operation))
WRAP(int, pipe2, -1, (int fds[2], int flags), (fds, flags))
WRAP(int, poll, -1, (struct pollfd * fds, nfds_t count, int timeout), (fds, count, timeout))
WRAP(int, kill, -1, (pid_t pid, int signal), (pid, signal))
WRAP(int, nanosleep, -1, (const struct timespec *time, struct timespec *left), (time, left))
WRAP(pid_t, waitpid, -1, (pid_t pid, int *status, int options), (pid, status, options))
WRAP(int, waitid, -1, (idtype_t type, id_t id, siginfo_t *info, int options), (type, id, info, options))
WRAP(ssize_t, send, -1, (int fd, const void *data, size_t size, int flags), (fd, data, size, flags))
WRAP(ssize_t, sendmsg, -1, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
WRAP(int, getsockopt, -1, (int fd, int level, int name, void *value, socklen_t *size), (fd, level, name, value, size))
WRAP(int, setsockopt, -1, (int fd, int level, int name, const void *value, socklen_t size),
     (fd, level, name, value, size))
WRAP(int, memfd_create, -1, (const char *name, unsigned int flags), (name, flags))
WRAP(int, statfs, -1, (const char *path, struct statfs *to), (path, to))
WRAP(int, prlimit, -1, (pid_t pid, __rlimit_resource_t resource, const struct rlimit *next, struct rlimit *now),
     (pid, resource, next, now))
WRAP(int, getsockname, -1, (int fd, struct sockaddr *name, socklen_t *size), (fd, name, size))
WRAP(int, futimens, -1, (int fd, const struct timespec times[2]), (fd, times))
WRAP(ssize_t, readlink, -1, (const char *path, char *to, size_t size), (path, to, size))
WRAP_ENDING(close, (int fd), (fd))
WRAP_ENDING(closedir, (DIR * folder), (folder))
WRAP_MOVING(read, (int fd, void *to, size_t length), (fd, to, length))
WRAP_MOVING(write, (int fd, const void *from, size_t length), (fd, from, length))
WRAP_MOVING(pread, (int fd, void *to, size_t length, off_t at), (fd, to, length, at))
WRAP_MOVING(pwrite, (int fd, const void *from, size_t length, off_t at), (fd, from, length, at))
WRAP_MOVING(tee, (int from, int to, size_t length, unsigned int flags), (from, to, length, flags))

/* The library names one stretch on either side. */
ssize_t __real_process_vm_readv(pid_t, const struct iovec *, unsigned long, const struct iovec *, unsigned long, unsigned long);
ssize_t __wrap_process_vm_readv(pid_t, const struct iovec *, unsigned long, const struct iovec *, unsigned long, unsigned long);
ssize_t __wrap_process_vm_readv(pid_t pid, const struct iovec *local, unsigned long local_count, const struct iovec *remote,
				unsigned long remote_count, unsigned long flags)
{
	const struct fault *fault = NOTE("process_vm_readv");
	struct iovec less = *local;

	if (fault && fault->kind != SHORT)
		return errno = fault->number, -1;
	if (fault)
		less.iov_len = less.iov_len * (size_t)fault->number / 100;
	return __real_process_vm_readv(pid, &less, local_count, remote, remote_count, flags);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	const struct fault *fault = NOTE("open");

	return fault ? errno = fault->number, -1 : __real_open(path, flags);
}

static const char *name_fcntl(int command)
{
	switch (command) {
	case F_ADD_SEALS: return "fcntl ADD_SEALS";
	case F_DUPFD_CLOEXEC: return "fcntl DUPFD";
	case F_OFD_SETLK: return "fcntl OFD_SETLK";
	default: return "fcntl";
	}
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...)
{
	const struct fault *fault = NOTE(name_fcntl(command));
	va_list rest;
	long argument;

	va_start(rest, command);
	argument = va_arg(rest, long);
	va_end(rest);
	return fault ? errno = fault->number, -1 : __real_fcntl(fd, command, argument);
}

static const char *name_ioctl(unsigned long request)
{
	switch (request) {
	case FIONREAD: return "ioctl FIONREAD";
	case RW_PAGEMAP_SCAN: return "ioctl PAGEMAP_SCAN";
	case RW_PROCMAP_QUERY: return "ioctl PROCMAP_QUERY";
	case UFFDIO_API: return "ioctl UFFDIO_API";
	case UFFDIO_REGISTER: return "ioctl UFFDIO_REGISTER";
	default: return "ioctl";
	}
}

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	const struct fault *fault = NOTE(name_ioctl(request));
	va_list rest;
	void *argument;

	va_start(rest, request);
	argument = va_arg(rest, void *);
	va_end(rest);
	return fault ? errno = fault->number, -1 : __real_ioctl(fd, request, argument);
}

/* -- Memory --------------------------------------------------------------------------------------------------------------- */

static int64_t live_allocations;

int64_t calls_live_allocations(void)
{
	return live_allocations;
}

#define WRAP_ALLOCATION(name, fresh, parameters, arguments)     \
	void *__real_##name parameters;                         \
	void *__wrap_##name parameters;                         \
	void *__wrap_##name parameters                          \
	{                                                       \
		const struct fault *fault = NOTE(#name);        \
		void *got = fault ? NULL : __real_##name arguments; \
                                                                \
		if (fault)                                      \
			errno = fault->number;                  \
		live_allocations += got && (fresh);             \
		return got;                                     \
	}

WRAP_ALLOCATION(malloc, true, (size_t size), (size))
WRAP_ALLOCATION(calloc, true, (size_t count, size_t size), (count, size))
WRAP_ALLOCATION(realloc, !was, (void *was, size_t size), (was, size))
WRAP_ALLOCATION(strdup, true, (const char *text), (text))

void __real_free(void *memory);
void __wrap_free(void *memory);
void __wrap_free(void *memory)
{
	live_allocations -= memory != NULL;
	__real_free(memory);
}

int __real_munmap(void *at, size_t size);
int __wrap_munmap(void *at, size_t size);
int __wrap_munmap(void *at, size_t size)
{
	NOTE("munmap");
	calls_forget_table(at);
	return __real_munmap(at, size);
}
