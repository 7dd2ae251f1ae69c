/* Dirties: the leader's flag that tells whether there is CPUID, which PTRACE_SETREGS leaves as it is. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static void prepare(void)
{
}

static void change(void)
{
	__asm__ volatile("lea -128(%%rsp), %%rsp\n pushf\n xorl $0x200000, (%%rsp)\n popf\n lea 128(%%rsp), %%rsp" : : : "memory");
}
