/* Dirties: where the kernel looks for the locks of a thread that dies. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <linux/futex.h>
#include <sys/syscall.h>

static struct robust_list_head elsewhere;

static void prepare(void)
{
}

static void change(void)
{
	MUST(!syscall(SYS_set_robust_list, &elsewhere, sizeof(elsewhere)));
}
