/* Dirties: mappings removed wholly and in the middle. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static char *whole, *part;

static void prepare(void)
{
	whole = map(32 * PAGE, PROT_READ | PROT_WRITE);
	map(PAGE, PROT_NONE);
	part = map(64 * PAGE, PROT_READ | PROT_WRITE);
	memset(whole, 7, 32 * PAGE);
	memset(part, 8, 64 * PAGE);
}

static void change(void)
{
	MUST(!munmap(whole, 32 * PAGE));
	MUST(!munmap(part + 16 * PAGE, 8 * PAGE));
}
