/* Dirties: the injected code, by its own at the same place, with a thread that would be ended by running it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "injected.h"

static void *wait_for_ever(void *unused)
{
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
	char *code = (char *)injected("rewhisk-code");

	MUST(mmap(code, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == code);
	memset(code, 0xcc, PAGE);
	MUST(!mprotect(code, PAGE, PROT_READ | PROT_EXEC) && !pthread_create(&thread, NULL, wait_for_ever, NULL));
}
