/* Dirties: all of it: the process executes another program. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static void prepare(void)
{
	if (!getenv("AGAIN"))
		return;
	MUST(write(4, "r", 1) == 1);
	pause();
}

static void change(void)
{
	MUST(!setenv("AGAIN", "1", 1));
	execl("/proc/self/exe", "again", (char *)NULL);
}
