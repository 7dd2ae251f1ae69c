/* Dirties: how a thread other than the leader rounds, on both of its floating point units. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "other.h"

static void run(ucontext_t *context)
{
	context->uc_mcontext.fpregs->mxcsr |= 0x6000;
	context->uc_mcontext.fpregs->cwd |= 0x0c00;
}

static void prepare(void)
{
	start_other();
}

static void change(void)
{
	on_other(run);
}
