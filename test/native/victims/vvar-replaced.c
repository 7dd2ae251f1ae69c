/* Dirties: the kernel's clock data that every process reads: memory of its own in their place, under the same protection. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "injected.h"

static char *at;
static size_t size;

static void prepare(void)
{
	at = (char *)injected("[vvar]");
	size = size_of("[vvar]");
}

static void change(void)
{
	MUST(mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
	at[size - 1] = 'x';
	MUST(!mprotect(at, size, PROT_READ));
}
