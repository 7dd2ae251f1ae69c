/* Dirties: a signal descriptor's mask, which is neither put back nor let pass. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/signalfd.h>

static int watch;
static sigset_t mask;

static void prepare(void)
{
	sigemptyset(&mask);
	MUST((watch = signalfd(-1, &mask, 0)) >= 0);
}

static void change(void)
{
	sigaddset(&mask, SIGUSR1);
	MUST(signalfd(watch, &mask, 0) == watch);
}
