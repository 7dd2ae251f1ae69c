/* Dirties: which word the kernel clears when a thread other than the leader ends. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "other.h"

#include <sys/syscall.h>

static void run(ucontext_t *unused)
{
	(void)unused;
	MUST(syscall(SYS_set_tid_address, (long)PAGE) > 0);
}

static void prepare(void)
{
	start_other();
}

static void change(void)
{
	on_other(run);
}
