/* Dirties: vector registers that no function restores. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static void prepare(void)
{
}

static void change(void)
{
	__asm__ volatile("pcmpeqd %%xmm7, %%xmm7\n\tpcmpeqd %%xmm15, %%xmm15\n\tfldpi" ::: "xmm7", "xmm15");
}
