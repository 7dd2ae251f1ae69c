/* Dirties: the registers of a thread other than the leader: it runs elsewhere, with other flags and data. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "other.h"

static void spins(void)
{
	__asm__ volatile("pushf\n orl $0x240400, (%%rsp)\n popf\n mov $7, %%r12\n mov $8, %%rbx\n 1: jmp 1b" : : : "r12", "rbx", "memory");
}

static void run(ucontext_t *context)
{
	context->uc_mcontext.gregs[REG_RIP] = (greg_t)spins;
}

static void prepare(void)
{
	start_other();
}

static void change(void)
{
	on_other(run);
}
