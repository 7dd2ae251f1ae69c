/* Dirties: a mapping: another in its place, which cannot be written and has no content. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "alone.h"

static char *at;

static void prepare(void)
{
	at = map_alone();
	memset(at, 7, SIZE);
}

static void change(void)
{
	MUST(mmap(at, SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
	MUST(!at[PAGE]);
}
