/* Dirties: signal handlers, mask, alternate stack, pending and queued signals, interval timers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/time.h>

static void handler(int signal)
{
	(void)signal;
}

static void prepare(void)
{
	signal(SIGUSR1, handler);
	signal(SIGPIPE, SIG_IGN);
}

static void change(void)
{
	stack_t stack = { .ss_sp = malloc(SIGSTKSZ), .ss_size = (size_t)SIGSTKSZ };
	struct itimerval soon = { { 0, 1000 }, { 0, 1000 } };
	sigset_t all;

	sigfillset(&all);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, handler);
	signal(SIGPIPE, SIG_DFL);
	MUST(!sigaltstack(&stack, NULL) && !sigprocmask(SIG_BLOCK, &all, NULL));
	raise(SIGUSR1);
	kill(getpid(), SIGTERM);
	for (int i = 0; i < 5; i++)
		sigqueue(getpid(), SIGRTMIN + 3, (union sigval){ i });
	setitimer(ITIMER_REAL, &soon, NULL);
	setitimer(ITIMER_PROF, &soon, NULL);
}
