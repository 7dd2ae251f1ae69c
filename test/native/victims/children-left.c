/* Dirties: children: dead and not waited for, and killed from outside while still ours. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/wait.h>

static void prepare(void)
{
}

static void change(void)
{
	for (int i = 0; i < 3; i++) {
		siginfo_t ended;
		pid_t child = fork();

		MUST(child >= 0);
		if (child == 0 && i)
			_exit(i);
		while (child == 0)
			pause();
		if (i == 0)
			kill(child, SIGKILL);
		/* Its end is a signal, which must not be under way when somebody looks. */
		MUST(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT) == 0);
	}
}
