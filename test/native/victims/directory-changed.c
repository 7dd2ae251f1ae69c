/* Dirties: the working directory alone. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static void prepare(void)
{
	MUST(!chdir("/"));
}

static void change(void)
{
	MUST(!chdir("/proc"));
}
