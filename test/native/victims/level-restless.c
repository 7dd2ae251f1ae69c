/* Dirties: nothing but how a thread waits beside others that rest: each change is the next way to go on by itself, the last is none. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <poll.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#define HOUR_MS 3600000

static sem_t never;
static int empty[2], counter, watching_empty, watching_counter, watching_answers;

static int watch(int fd, uint32_t events)
{
	int epoll = epoll_create1(0);

	MUST(epoll >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){ .events = events, .data.fd = fd }));
	return epoll;
}

static void prepare(void)
{
	MUST(!sem_init(&never, 0, 0) && !pipe(empty) && (counter = eventfd(0, 0)) >= 0);
	watching_empty = watch(empty[0], EPOLLIN);
	watching_counter = watch(counter, EPOLLIN | EPOLLET);
	watching_answers = watch(4, EPOLLERR);
}

static void in_epoll(int epoll, int timeout)
{
	struct epoll_event event;

	/* A stop ends it, like a signal. */
	while (epoll_wait(epoll, &event, 1, timeout) < 0)
		;
}

static void in_poll(int fd, int timeout)
{
	poll((struct pollfd[]){ { .fd = fd, .events = POLLPRI }, { .fd = -1 } }, 2, timeout);
}

static void *sleeps(void *unused)
{
	sleep(HOUR_MS / 1000);
	return unused;
}

static void *locks_for_a_time(void *unused)
{
	sem_timedwait(&never, &(struct timespec){ time(NULL) + HOUR_MS / 1000, 0 });
	return unused;
}

static void *polls_for_a_time(void *unused)
{
	in_poll(empty[0], HOUR_MS);
	return unused;
}

static void *polls_what_others_write(void *unused)
{
	in_poll(3, -1);
	return unused;
}

static void *watches_for_a_time(void *unused)
{
	in_epoll(watching_empty, HOUR_MS);
	return unused;
}

static void *watches_what_others_read(void *unused)
{
	in_epoll(watching_answers, -1);
	return unused;
}

static void *watches_what_is_put_back(void *unused)
{
	/* The edge is over; a rewind would write the counter again. */
	in_epoll(watching_counter, 0);
	in_epoll(watching_counter, 0);
	in_epoll(watching_counter, -1);
	return unused;
}

static void *locks(void *unused)
{
	sem_wait(&never);
	return unused;
}

static void *polls(void *unused)
{
	in_poll(empty[0], -1);
	return unused;
}

static void *reads(void *unused)
{
	char byte;

	MUST(read(empty[0], &byte, 1) == 1);
	return unused;
}

static void *watches(void *unused)
{
	in_epoll(watching_empty, -1);
	return unused;
}

typedef void *way(void *);

static way *const restless[] = { sleeps, locks_for_a_time, polls_for_a_time, polls_what_others_write, watches_for_a_time,
				 watches_what_others_read, watches_what_is_put_back },
	   *const resting[] = { locks, polls, reads, watches };

static void start(pthread_t *thread, way *run)
{
	MUST(!pthread_create(thread, NULL, run, NULL));
	usleep(20000);
}

static void change(void)
{
	static pthread_t last;
	static size_t next;
	pthread_t thread;

	if (next)
		MUST(!pthread_cancel(last) && !pthread_join(last, NULL));
	else
		for (size_t i = 0; i < sizeof(resting) / sizeof(*resting); i++)
			start(&thread, resting[i]);
	if (next == sizeof(restless) / sizeof(*restless) - 1)
		MUST(!eventfd_write(counter, 1));
	if (next < sizeof(restless) / sizeof(*restless))
		start(&last, restless[next++]);
}
