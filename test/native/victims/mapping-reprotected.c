/* Dirties: protections changed, a secret hidden in pages that may not be read. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static char *closed, *opened, *hidden;

static void prepare(void)
{
	closed = map(16 * PAGE, PROT_READ | PROT_WRITE);
	opened = map(16 * PAGE, PROT_READ);
	hidden = map(16 * PAGE, PROT_NONE);
	memset(closed, 7, 16 * PAGE);
}

static void change(void)
{
	MUST(!mprotect(closed + PAGE, 4 * PAGE, PROT_NONE));
	MUST(!mprotect(opened, 8 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
	memset(opened, 9, 8 * PAGE);
	MUST(!mprotect(hidden, 16 * PAGE, PROT_READ | PROT_WRITE));
	strcpy(hidden + 5 * PAGE, "a message for the next activation");
	MUST(!mprotect(hidden, 16 * PAGE, PROT_NONE));
}
