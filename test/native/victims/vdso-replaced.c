/* Dirties: the kernel's code that every process calls for the time: empty memory in its place. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "injected.h"

static char *at;
static size_t size;

static void prepare(void)
{
	at = (char *)injected("[vdso]");
	size = size_of("[vdso]");
}

static void change(void)
{
	MUST(mmap(at, size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
}
