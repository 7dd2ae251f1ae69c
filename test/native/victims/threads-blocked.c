/* Dirties: nothing: its threads sit in system calls of every restartable sort, which a rewind must make again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <poll.h>
#include <sys/epoll.h>
#include <time.h>

static void *in_call(void *which)
{
	struct timespec long_time = { 1000000, 0 };
	struct epoll_event event;
	int never[2], poller = epoll_create1(0);
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

	MUST(!pipe(never));
	pthread_mutex_lock(&mutex);
	for (;;)
		switch ((intptr_t)which) {
		case 0: nanosleep(&long_time, NULL); break;
		case 1: poll(NULL, 0, 1000000000); break;
		case 2: epoll_wait(poller, &event, 1, -1); break;
		case 3: MUST(read(never[0], &event, 1) == 1); break;
		default: pthread_mutex_lock(&mutex);
		}
	return NULL;
}

static void prepare(void)
{
	pthread_t thread;

	for (intptr_t which = 0; which < 5; which++)
		MUST(!pthread_create(&thread, NULL, in_call, (void *)which));
	usleep(50000);
}

static void change(void)
{
}
