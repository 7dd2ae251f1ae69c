/* Dirties: the word on which a thread waits, without waking it: once made again, the wait ends. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <linux/futex.h>
#include <sys/syscall.h>

static volatile uint32_t word;

static void *wait_on_word(void *unused)
{
	while (word == 0)
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	for (;;)
		pause();
	return unused;
}

static void prepare(void)
{
	pthread_t thread;

	MUST(!pthread_create(&thread, NULL, wait_on_word, NULL));
	usleep(20000);
}

static void change(void)
{
	word = 1;
}
