/* Dirties: itself: it is stopped by a signal of its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static void prepare(void)
{
}

static void change(void)
{
	MUST(write(4, "r", 1) == 1);
	raise(SIGSTOP);
}
