/* Dirties: working directory, umask, process name. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/prctl.h>
#include <sys/stat.h>

static void prepare(void)
{
	MUST(!chdir("/"));
}

static void change(void)
{
	MUST(!chdir("/proc") && !prctl(PR_SET_NAME, "changed"));
	umask(0);
}
