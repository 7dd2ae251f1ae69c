/* Dirties: signals on their way that mean something to who traces the process: traps, faults, stops. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static void handler(int signal)
{
	(void)signal;
}

static void prepare(void)
{
	signal(SIGTRAP, handler);
	signal(SIGSEGV, handler);
}

static void change(void)
{
	sigset_t all;

	sigfillset(&all);
	MUST(!sigprocmask(SIG_BLOCK, &all, NULL));
	for (int i = 0; i < 3; i++)
		MUST(!sigqueue(getpid(), SIGTRAP, (union sigval){ i }) && !raise(SIGSEGV) && !kill(getpid(), SIGTRAP));
}
