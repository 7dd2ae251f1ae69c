/* A kernel, and a processor, whose answers are falsified: the probe of the library runs against it, and must find out. Arguments: lie, victim. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../../native/kernel_abi.h"
#include "../../native/rewind.h"

#define PAGE 4096
#define LONG_RUN 64	/* pages; of the victim's own data */
#define CHOSEN 20	/* the page of a long run that is lied about: one that the victim changes */

static const char *lie = "none";

static bool lies(const char *name)
{
	return !strcmp(lie, name);
}

/* -- PAGEMAP_SCAN ----------------------------------------------------------------------------------------------------- */

static long falsify_scan(struct rw_pm_scan_arg *arg, long found)
{
	struct rw_page_region *at = (struct rw_page_region *)(uintptr_t)arg->vec;
	long kept = 0;

	for (long i = 0; i < found; i++) {
		struct rw_page_region run = at[i];

		if (lies("scan-omits-ranges") && i % 3 == 2)
			continue;
		if (lies("scan-hides-holes") && !(run.categories & RW_PAGE_IS_PRESENT))
			continue;
		if (lies("scan-hides-writes"))
			run.categories &= ~RW_PAGE_IS_WRITTEN;
		if (lies("scan-omits-page") && run.end - run.start > CHOSEN * PAGE)
			run.end -= PAGE;
		at[kept++] = run;
	}
	if (lies("scan-is-silent") || lies("scan-ends-early"))
		arg->walk_end = arg->end;
	return lies("scan-is-silent") ? 0 : lies("scan-ends-early") ? kept / 2 : kept;
}

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list rest;
	void *argument;
	int result;

	va_start(rest, request);
	argument = va_arg(rest, void *);
	va_end(rest);
	if ((request == UFFDIO_API && lies("no-userfault")) || (request == RW_PAGEMAP_SCAN && lies("no-scan"))) {
		errno = EINVAL;
		return -1;
	}
	result = __real_ioctl(fd, request, argument);
	if (request != RW_PAGEMAP_SCAN || result < 0 || ((struct rw_pm_scan_arg *)argument)->flags & RW_SCAN_WP_MATCHING)
		return result;
	return (int)falsify_scan(argument, result);
}

/* -- pagemap ---------------------------------------------------------------------------------------------------------- */

static void falsify_pagemap(uint64_t *entries, size_t count)
{
	size_t run = 0;

	for (size_t i = 0; i < count; i++) {
		if (lies("pagemap-is-empty"))
			entries[i] = 0;
		run = entries[i] & RW_PM_PRESENT ? run + 1 : 0;
		if (lies("pagemap-omits-page") && run == LONG_RUN)
			entries[i - LONG_RUN + CHOSEN] = 0;
		if (lies("soft-dirty-never"))
			entries[i] &= ~RW_PM_SOFT_DIRTY;
		if (lies("soft-dirty-everywhere") || (lies("soft-dirty-omits-page") && run != CHOSEN))
			entries[i] |= RW_PM_SOFT_DIRTY;
	}
}

static bool is_pagemap(int fd)
{
	char link[32], path[64] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return readlink(link, path, sizeof(path) - 1) > 0 && strstr(path, "/pagemap");
}

ssize_t __real_pread(int fd, void *to, size_t length, off_t at);
ssize_t __wrap_pread(int fd, void *to, size_t length, off_t at);
ssize_t __wrap_pread(int fd, void *to, size_t length, off_t at)
{
	ssize_t got = __real_pread(fd, to, length, at);

	if (got < 8 || !is_pagemap(fd))
		return got;
	falsify_pagemap(to, (size_t)got / 8);
	return lies("pagemap-is-short") ? got - 8 : got;
}

/* -- The processor ------------------------------------------------------------------------------------------------------ */

enum { LOW_VECTORS = 160, HELD = 464, IN_USE = 512 };

/* All components that the kernel knows are in use, as a processor may say of any; or one has another content. */
static void falsify_vectors(uint8_t *state)
{
	if (lies("all-in-use"))
		memcpy(state + IN_USE, state + HELD, sizeof(uint64_t));
	if (lies("vectors-differ"))
		state[LOW_VECTORS] ^= 1;
}

long __real_ptrace(enum __ptrace_request request, pid_t tid, void *address, void *data);
long __wrap_ptrace(enum __ptrace_request request, pid_t tid, void *address, void *data);
long __wrap_ptrace(enum __ptrace_request request, pid_t tid, void *address, void *data)
{
	static pid_t put_back;
	long result = __real_ptrace(request, tid, address, data);

	if (result || (uintptr_t)address != NT_X86_XSTATE)
		return result;
	if (request == PTRACE_SETREGSET)
		put_back = tid;
	if (request == PTRACE_GETREGSET && tid == put_back)
		falsify_vectors(((struct iovec *)data)->iov_base);
	return result;
}

int main(int argc, char **argv)
{
	struct rw_rung_result results[3];
	struct rw_error error;

	if (argc != 3)
		return 2;
	lie = argv[1];
	if (rw_probe(argv[2], results, &error)) {
		fprintf(stderr, "%s\n", error.what);
		return 1;
	}
	for (int i = 0; i < 3; i++)
		printf("%u %u %s\n", results[i].rung, results[i].proven, results[i].why);
	return 0;
}
