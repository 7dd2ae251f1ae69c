/* Dirties: a handler, for another one: the set of caught signals stays the same. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static void one(int signal)
{
	(void)signal;
}

static void other(int signal)
{
	(void)(signal + 1);
}

static void prepare(void)
{
	MUST(signal(SIGUSR1, one) != SIG_ERR);
}

static void change(void)
{
	MUST(signal(SIGUSR1, other) == one);
}
