/* Dirties: guard pages, one never writable, one that was: both are for a moment, and the kernel goes on accounting for them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static char *guard, *text, *stack;

static char *map_deleted(void)
{
	char path[] = "/tmp/victim-XXXXXX";
	int fd = mkstemp(path);
	char *at;

	MUST(fd >= 0 && write(fd, "text", 4) == 4 && !unlink(path));
	at = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	MUST(at != MAP_FAILED && !close(fd));
	return at;
}

static void prepare(void)
{
	text = map_deleted();
	map(PAGE, PROT_READ | PROT_WRITE);
	guard = map(PAGE, PROT_NONE);
	map(PAGE, PROT_READ | PROT_WRITE);
	stack = map(2 * PAGE, PROT_READ | PROT_WRITE);
	stack[PAGE] = 1;
	MUST(!mprotect(stack, PAGE, PROT_NONE));
}

static void write_for_a_moment(char *at, int prot)
{
	MUST(!mprotect(at, PAGE, PROT_READ | PROT_WRITE));
	*at = 1;
	MUST(!madvise(at, PAGE, MADV_DONTNEED) && !mprotect(at, PAGE, prot));
}

static void change(void)
{
	write_for_a_moment(guard, PROT_NONE);
	write_for_a_moment(stack, PROT_NONE);
	write_for_a_moment(text, PROT_READ);
}
