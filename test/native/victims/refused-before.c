/* Dirties: ends calls that were under way at the checkpoint. Until the first change a lock keeps that from being taken. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <poll.h>
#include <stdbool.h>
#include <sys/file.h>
#include <time.h>

#define HOUR_S 3600

static int locked;
static volatile bool is_woken;
static pthread_t sleeper, poller;

static void ignore(int signal)
{
	(void)signal;
}

/* A call that is made again by the kernel's own note of it ends early once a signal has taken that note away. */
static void *end_early(int status)
{
	if (!is_woken)
		_exit(status);
	for (;;)
		pause();
}

static void *sleeps(void *unused)
{
	nanosleep(&(struct timespec){ .tv_sec = HOUR_S }, unused);
	return end_early(4);
}

static void *polls(void *unused)
{
	poll(unused, 0, HOUR_S * 1000);
	return end_early(5);
}

static void prepare(void)
{
	MUST(!sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = ignore }, NULL));
	MUST(!pthread_create(&sleeper, NULL, sleeps, NULL) && !pthread_create(&poller, NULL, polls, NULL));
	MUST((locked = memfd_create("locked", 0)) >= 0 && !flock(locked, LOCK_EX));
	usleep(20000);
}

static void change(void)
{
	if (locked) {
		MUST(!flock(locked, LOCK_UN));
		locked = 0;
		return;
	}
	is_woken = true;
	MUST(!pthread_kill(sleeper, SIGUSR1) && !pthread_kill(poller, SIGUSR1));
	usleep(20000);
}
