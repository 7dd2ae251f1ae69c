/* Dirties: where signals of a thread other than the leader find their stack. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "other.h"

static char stack[65536];

static void run(ucontext_t *context)
{
	context->uc_stack = (stack_t){ .ss_sp = stack, .ss_size = sizeof(stack) };
}

static void prepare(void)
{
	start_other();
}

static void change(void)
{
	on_other(run);
}
