/* Dirties: a thread of the checkpoint: it ends, and the next time another one is born. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static int go[2];
static pthread_t thread;

static void *waits(void *arg)
{
	char byte;

	MUST(read(go[0], &byte, 1) == 1);
	return arg;
}

static void begin(void)
{
	MUST(!pthread_create(&thread, NULL, waits, NULL));
	usleep(20000);
}

static void prepare(void)
{
	MUST(!pipe(go));
	begin();
}

static void change(void)
{
	static int is_gone;

	if (is_gone)
		begin();
	else
		MUST(write(go[1], "", 1) == 1 && !pthread_join(thread, NULL));
	is_gone = !is_gone;
}
