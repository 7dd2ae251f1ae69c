/* Dirties: signals queued for a thread other than the leader, which blocks them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static pthread_t thread;

static void *waits(void *unused)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	for (;;)
		pause();
	return unused;
}

static void prepare(void)
{
	MUST(!pthread_create(&thread, NULL, waits, NULL));
	usleep(20000);
}

static void change(void)
{
	for (int i = 0; i < 3; i++)
		MUST(!pthread_sigqueue(thread, SIGRTMIN + 2, (union sigval){ .sival_int = 42 }));
	MUST(!pthread_kill(thread, SIGUSR1));
}
