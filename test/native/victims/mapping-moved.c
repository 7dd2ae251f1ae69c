/* Dirties: a mapping moved away by mremap, another grown. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static char *moved, *grown;

static void prepare(void)
{
	moved = map(32 * PAGE, PROT_READ | PROT_WRITE);
	map(PAGE, PROT_NONE);
	grown = map(32 * PAGE, PROT_READ | PROT_WRITE);
	memset(moved, 7, 32 * PAGE);
	memset(grown, 8, 32 * PAGE);
}

static void change(void)
{
	char *away = map(32 * PAGE, PROT_READ);

	MUST(mremap(moved, 32 * PAGE, 32 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, away) == away);
	MUST(mremap(grown, 32 * PAGE, 256 * PAGE, MREMAP_MAYMOVE) != MAP_FAILED);
}
