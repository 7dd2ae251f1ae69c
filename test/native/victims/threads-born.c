/* Dirties: threads: sleeping, spinning, and one that makes others without end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static void *sleeps(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *spins(void *arg)
{
	for (volatile int i = 0;; i++)
		;
	return arg;
}

static void *breeds(void *arg)
{
	pthread_t child;

	pthread_detach(pthread_self());
	usleep(300);
	pthread_create(&child, NULL, breeds, arg);
	return NULL;
}

static void prepare(void)
{
}

static void change(void)
{
	void *(*const kinds[])(void *) = { sleeps, spins, breeds, sleeps };
	pthread_t thread;

	for (int i = 0; i < 4; i++)
		MUST(!pthread_create(&thread, NULL, kinds[i], NULL));
}
