/* Dirties: a mapping: one that is the same in all that can be seen in its place, with other content. */
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
	replace(at, 0);
	at[PAGE] = 9;
}
