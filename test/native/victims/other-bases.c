/* Dirties: the bases of the segments fs and gs of a thread other than the leader. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "other.h"

#include <asm/prctl.h>
#include <sys/syscall.h>

static char area[2 * PAGE] __attribute__((aligned(64)));

/* Its thread-local data, moved: the area below the thread pointer, and the pointer's own structure. */
static void run(ucontext_t *unused)
{
	(void)unused;
	memcpy(area, (char *)__builtin_thread_pointer() - PAGE / 2, PAGE);
	MUST(!syscall(SYS_arch_prctl, ARCH_SET_GS, area) && !syscall(SYS_arch_prctl, ARCH_SET_FS, area + PAGE / 2));
}

static void prepare(void)
{
	start_other();
}

static void change(void)
{
	on_other(run);
}
