/* Dirties: the program break, by whole pages and within one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static void prepare(void)
{
	memset(sbrk(100), 7, 100);
}

static void change(void)
{
	memset(sbrk((intptr_t)MB + 123), 9, MB + 123);
}
