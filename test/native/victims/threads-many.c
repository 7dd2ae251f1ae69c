/* Dirties: the stacks, registers and thread-local memory of many threads that it had before. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#define THREADS 8

static int woken[2], done[2];
static _Thread_local char own[PAGE];

static void *works(void *arg)
{
	char wake, stack[PAGE];

	for (;;) {
		MUST(read(woken[0], &wake, 1) == 1);
		memset(own, wake, sizeof(own));
		memset(stack, wake, sizeof(stack));
		MUST(write(done[1], stack + own[0], 1) == 1);
	}
	return arg;
}

static void prepare(void)
{
	pthread_t thread;

	MUST(!pipe(woken) && !pipe(done));
	for (int i = 0; i < THREADS; i++)
		MUST(!pthread_create(&thread, NULL, works, NULL));
}

static void change(void)
{
	char bytes[THREADS] = { 1 };

	for (int i = 0; i < THREADS; i++)
		MUST(write(woken[1], bytes, 1) == 1 && read(done[0], bytes + 1, 1) == 1);
}
