/* Dirties: reserves 64 TB, with a page in its middle. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#define HALF (1UL << 45)

static char *reserved;

static void prepare(void)
{
}

static void change(void)
{
	if (!reserved) {
		reserved = map(2 * HALF, PROT_NONE);
		MUST(!mprotect(reserved + HALF, PAGE, PROT_READ | PROT_WRITE));
	}
	reserved[HALF]++;
}
