/* Dirties: the guard page below a thread's stack: made writable, and written. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static void *waits(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static char *guard;

static void prepare(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	size_t size;
	void *lowest;

	MUST(!pthread_create(&thread, NULL, waits, NULL) && !pthread_getattr_np(thread, &attributes));
	MUST(!pthread_attr_getstack(&attributes, &lowest, &size) && !pthread_attr_destroy(&attributes));
	guard = (char *)lowest - PAGE;
	usleep(20000);
}

static void change(void)
{
	MUST(!mprotect(guard, PAGE, PROT_READ | PROT_WRITE));
	*guard = 1;
}
