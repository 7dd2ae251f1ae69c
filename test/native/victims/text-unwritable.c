/* Dirties: nothing of a library's text, since neither mprotect nor /proc/self/mem lets it; so it maps its own there. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static char *library;

static void prepare(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);

	library = mmap(NULL, 2 * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	MUST(library != MAP_FAILED && library[0] == 0x7f);
	close(fd);
}

static void change(void)
{
	int memory = open("/proc/self/mem", O_RDWR);

	MUST(library[0] == 0x7f && library[PAGE - 1] != 'x');
	MUST(mprotect(library, PAGE, PROT_READ | PROT_WRITE) && errno == EACCES);
	MUST(memory >= 0 && pwrite(memory, "x", 1, (off_t)(uintptr_t)library) < 0);
	MUST(!close(memory));
	MUST(mmap(library, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == library);
	memset(library, 'x', PAGE);
}
