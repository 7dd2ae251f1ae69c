/* Dirties: a mapping: another in its place, which differs only in that its memory is not reserved. */
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
	replace(at, MAP_NORESERVE);
}
