/* Dirties: registers restartable sequences where the C library has not, so that the kernel writes there from then on. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/rseq.h>
#include <sys/syscall.h>

static struct rseq late;

static void prepare(void)
{
	MUST(!syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset, sizeof(late), RSEQ_FLAG_UNREGISTER, RSEQ_SIG));
}

static void change(void)
{
	MUST(!syscall(SYS_rseq, &late, sizeof(late), 0, RSEQ_SIG));
}
