/* Dirties: which word the kernel clears when the leader ends. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/syscall.h>

static void prepare(void)
{
}

static void change(void)
{
	MUST(syscall(SYS_set_tid_address, (long)PAGE) > 0);
}
