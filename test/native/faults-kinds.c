/* Which faults make sense for which call of the library, and why the others do not. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "faults.h"

const char *const kinds_names[FAULT_KINDS] = {
	[FAILS] = "fails",	    [INTERRUPTED] = "is interrupted", [SHORT] = "is short",
	[KILLED] = "victim killed", [DYING] = "victim dying",	      [STOPPED] = "victim stopped",
	[CONTINUED] = "victim continued", [SIGNALLED] = "victim signalled", [TRACER_KILLED] = "tracer killed",
};

static const char never_fails[] = "it cannot fail in its place: nobody else collects, unmaps or protects what we trace or map",
		  never_waits[] = "it does not wait",
		  moves_nothing[] = "it moves no bytes, or all of them",
		  no_moment[] = "nothing can be told apart from the same at the next system call",
		  inside[] = "the ptrace call that lets the process run it has these";

/* A function stands for all whose name goes on behind a blank. The first that fits. */
static const struct spec {
	const char *function;
	int errors[4], interruptions[2];
	bool moves;
	const char *no_moment;	/* why nothing from outside comes just before it */
} specs[] = {
	{ "ptrace SEIZE", { EPERM, ESRCH, EIO, ENOMEM }, { 0 }, false, NULL },
	{ "ptrace GET_RSEQ", { ESRCH }, { 0 }, false, NULL }, /* EIO would say that the kernel has no such request */
	{ "ptrace", { ESRCH, EIO }, { 0 }, false, NULL },
	{ "waitpid", { 0 }, { EINTR }, false, NULL },
	{ "waitid", { 0 }, { EINTR }, false, NULL },
	{ "kill", { 0 }, { 0 }, false, NULL },
	{ "pidfd_open", { EMFILE, ESRCH, ENOMEM }, { 0 }, false, NULL },
	{ "pidfd_getfd", { EMFILE, ESRCH, EPERM }, { 0 }, false, NULL },
	{ "pidfd_send_signal", { ESRCH, EPERM }, { 0 }, false, NULL },
	{ "kcmp", { EPERM, ESRCH }, { 0 }, false, NULL },
	{ "get_robust_list", { EPERM, ESRCH }, { 0 }, false, NULL },
	{ "process_vm_readv", { EFAULT, ESRCH, ENOMEM }, { EINTR }, true, NULL },
	{ "pread", { EIO, ESRCH, ENOMEM }, { EINTR, EAGAIN }, true, NULL },
	{ "pwrite", { EIO, ESRCH, ENOMEM }, { EINTR, EAGAIN }, true, NULL },
	{ "read", { EIO }, { EINTR, EAGAIN }, true, NULL },
	{ "write", { EPIPE, EIO }, { EINTR, EAGAIN }, true, NULL },
	{ "tee", { ENOMEM, EINVAL }, { EAGAIN, EINTR }, true, NULL },
	{ "poll", { ENOMEM }, { EINTR }, false, NULL },
	{ "nanosleep", { 0 }, { EINTR }, false, NULL },
	{ "open", { ENOENT, EMFILE, ENOMEM }, { EINTR }, false, NULL },
	{ "close", { EIO }, { EINTR }, false, NULL },
	{ "opendir", { ENOENT, EMFILE, ENOMEM }, { EINTR }, false, NULL },
	{ "readdir", { EIO, ENOMEM }, { EINTR }, false, NULL },
	{ "closedir", { EIO }, { EINTR }, false, NULL },
	{ "stat", { ENOENT, ENOMEM }, { 0 }, false, NULL },
	{ "fstat", { EIO, ENOMEM }, { 0 }, false, NULL },
	{ "statfs", { ENOENT, ENOMEM }, { 0 }, false, NULL },
	{ "prlimit", { ESRCH, EPERM }, { 0 }, false, NULL },
	{ "memfd_create", { EMFILE, ENOMEM }, { 0 }, false, NULL },
	{ "fstatfs", { EIO, ENOMEM }, { 0 }, false, NULL },
	{ "readlink", { ENOENT, ENOMEM }, { 0 }, false, NULL },
	{ "ftruncate", { ENOMEM, EINVAL }, { EINTR }, false, NULL },
	{ "flock", { ENOLCK }, { EINTR }, false, NULL },
	{ "fcntl OFD_SETLK", { ENOLCK }, { EINTR, EAGAIN }, false, NULL },
	{ "fcntl DUPFD", { EMFILE, ENOMEM }, { 0 }, false, NULL },
	{ "fcntl ADD_SEALS", { EBUSY, EPERM, EINVAL }, { 0 }, false, NULL },
	{ "fcntl", { EMFILE }, { 0 }, false, NULL },
	{ "ioctl PAGEMAP_SCAN", { ENOMEM, EPERM, EFAULT }, { EINTR, EAGAIN }, false, NULL },
	{ "ioctl PROCMAP_QUERY", { ENOTTY, ESRCH, ENOMEM }, { EINTR, EAGAIN }, false, NULL },
	{ "ioctl UFFDIO_API", { EINVAL, EFAULT }, { 0 }, false, NULL },
	{ "ioctl UFFDIO_REGISTER", { ENOMEM, EBUSY, EINVAL }, { EINTR, EAGAIN }, false, NULL },
	{ "ioctl FIONREAD", { EIO }, { 0 }, false, NULL },
	{ "getsockname", { ENOMEM }, { 0 }, false, NULL },
	{ "futimens", { EPERM, EROFS }, { 0 }, false, NULL },
	{ "send", { ENOBUFS, ENOMEM }, { 0 }, false, NULL },
	{ "sendmsg", { ETOOMANYREFS, ENOBUFS }, { EAGAIN }, false, NULL },
	{ "tgkill", { ESRCH }, { 0 }, false, NULL },
	{ "getsockopt", { ENOMEM }, { 0 }, false, NULL },
	{ "setsockopt", { ENOMEM, EPERM }, { 0 }, false, NULL },
	{ "pipe2", { EMFILE, ENFILE }, { 0 }, false, NULL },
	{ "mmap", { ENOMEM }, { EAGAIN }, false, NULL },
	{ "munmap", { 0 }, { 0 }, false, NULL },
	{ "malloc", { ENOMEM }, { 0 }, false, no_moment },
	{ "calloc", { ENOMEM }, { 0 }, false, no_moment },
	{ "realloc", { ENOMEM }, { 0 }, false, no_moment },
	{ "strdup", { ENOMEM }, { 0 }, false, no_moment },
	{ "in process:", { ENOSYS }, { 0 }, false, inside },
};

static const struct spec *spec_of(const char *function)
{
	for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
		size_t length = strlen(specs[i].function);

		if (!strncmp(function, specs[i].function, length) && (!function[length] || function[length] == ' '))
			return &specs[i];
	}
	return NULL;
}

const char *kinds_why_not(const char *function, enum fault_kind kind)
{
	const struct spec *spec = spec_of(function);

	if (kind == FAILS)
		return spec->errors[0] ? NULL : never_fails;
	if (kind == INTERRUPTED && !spec->no_moment)
		return spec->interruptions[0] ? NULL : never_waits;
	if (kind == SHORT && !spec->no_moment)
		return spec->moves ? NULL : moves_nothing;
	return spec->no_moment;
}

int kinds_of(const char *function, int errors, struct fault faults[FAULTS_AT_MOST])
{
	const struct spec *spec = spec_of(function);
	int count = 0;

	if (!spec)
		return -1;
	for (int i = 0; i < 4 && i < errors && spec->errors[i]; i++)
		faults[count++] = (struct fault){ FAILS, spec->errors[i] };
	for (int i = 0; i < 2 && i < errors && spec->interruptions[i]; i++)
		faults[count++] = (struct fault){ INTERRUPTED, spec->interruptions[i] };
	for (int percent = 0; spec->moves && percent <= 50; percent += 50)
		faults[count++] = (struct fault){ SHORT, percent };
	for (enum fault_kind kind = KILLED; kind <= TRACER_KILLED && !spec->no_moment; kind++)
		faults[count++] = (struct fault){ kind, 0 };
	return count;
}
