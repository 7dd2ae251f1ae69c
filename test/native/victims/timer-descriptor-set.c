/* Dirties: a timer behind a descriptor, which is neither put back nor let pass. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/timerfd.h>

static int timer;

static void prepare(void)
{
	MUST((timer = timerfd_create(CLOCK_MONOTONIC, 0)) >= 0);
}

static void change(void)
{
	const struct itimerspec soon = { .it_value = { 3600, 0 } };

	MUST(!timerfd_settime(timer, 0, &soon, NULL));
}
