/* Dirties: its first thread: it ends, and another goes on. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/syscall.h>

static void *goes_on(void *unused)
{
	usleep(20000);
	MUST(write(4, "r", 1) == 1);
	for (;;)
		pause();
	return unused;
}

static void prepare(void)
{
}

static void change(void)
{
	pthread_t thread;

	MUST(!pthread_create(&thread, NULL, goes_on, NULL));
	syscall(SYS_exit, 0);
}
