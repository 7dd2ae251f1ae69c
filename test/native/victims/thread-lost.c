/* Dirties: a thread of the checkpoint: it ends. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static int go[2];

static void *ends(void *arg)
{
	char byte;

	MUST(read(go[0], &byte, 1) == 1);
	return arg;
}

static pthread_t thread;

static void prepare(void)
{
	MUST(!pipe(go) && !pthread_create(&thread, NULL, ends, NULL));
	usleep(20000);
}

static void change(void)
{
	MUST(write(go[1], "", 1) == 1 && !pthread_join(thread, NULL));
}
