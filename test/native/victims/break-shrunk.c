/* Dirties: the program break, moved below where it was. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static void prepare(void)
{
	memset(sbrk(64 * PAGE), 7, 64 * PAGE);
}

static void change(void)
{
	MUST(sbrk(-(intptr_t)(40 * PAGE)) != (void *)-1);
}
