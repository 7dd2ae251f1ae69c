/* Dirties: a part of what the kernel keeps as one mapping, replaced by another at the same address. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static char *at;

static void prepare(void)
{
	at = map(32 * PAGE, PROT_READ | PROT_WRITE);
	map(PAGE, PROT_NONE);
	memset(at, 7, 32 * PAGE);
}

static void change(void)
{
	MUST(mmap(at, 32 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
	memset(at + PAGE, 9, PAGE);
}
