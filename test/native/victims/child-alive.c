/* Dirties: a child that lives on. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/prctl.h>

static void prepare(void)
{
}

static void change(void)
{
	pid_t child = fork();

	MUST(child >= 0);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
}
