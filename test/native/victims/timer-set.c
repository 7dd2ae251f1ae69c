/* Dirties: one interval timer. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/time.h>

static void prepare(void)
{
}

static void change(void)
{
	const struct itimerval far = { .it_value = { 1000, 0 } };

	MUST(!setitimer(ITIMER_REAL, &far, NULL));
}
