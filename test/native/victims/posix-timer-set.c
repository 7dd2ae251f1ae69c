/* Dirties: its POSIX timers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <time.h>

static void prepare(void)
{
}

static void change(void)
{
	struct sigevent nothing = { .sigev_notify = SIGEV_NONE };
	timer_t timer;

	MUST(!timer_create(CLOCK_MONOTONIC, &nothing, &timer));
}
