/* Dirties: the name of a thread other than the leader. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "other.h"

#include <sys/prctl.h>

static void run(ucontext_t *unused)
{
	(void)unused;
	MUST(!prctl(PR_SET_NAME, "a message"));
}

static void prepare(void)
{
	start_other();
}

static void change(void)
{
	on_other(run);
}
