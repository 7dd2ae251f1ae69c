/* Dirties: children: dead and not waited for, and killed from outside while still ours. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static void prepare(void)
{
}

static void change(void)
{
	for (int i = 0; i < 3; i++) {
		pid_t child = fork();

		MUST(child >= 0);
		if (child == 0 && i)
			_exit(i);
		while (child == 0)
			pause();
		if (i == 0)
			kill(child, SIGKILL);
	}
}
