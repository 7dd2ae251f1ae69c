/* Dirties: a library's text unmapped. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static char *library;
static size_t size = 4 * PAGE;

static void prepare(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);

	library = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	MUST(library != MAP_FAILED);
	close(fd);
}

static void change(void)
{
	MUST(!munmap(library + PAGE, PAGE));
}
