/* Dirties: the mode of a pipe that it made before. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/stat.h>

static int ends[2];

static void prepare(void)
{
	MUST(!pipe(ends));
}

static void change(void)
{
	MUST(!fchmod(ends[0], 0421));
}
