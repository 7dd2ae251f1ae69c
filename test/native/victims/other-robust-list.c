/* Dirties: where the kernel finds the locks of a thread other than the leader. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "other.h"

#include <sys/syscall.h>

static long elsewhere[3] = { (long)elsewhere };

static void run(ucontext_t *unused)
{
	(void)unused;
	MUST(!syscall(SYS_set_robust_list, elsewhere, sizeof(elsewhere)));
}

static void prepare(void)
{
	start_other();
}

static void change(void)
{
	on_other(run);
}
