/* Dirties: where signals of the leader find their stack. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static char stack[65536];

static void prepare(void)
{
}

static void change(void)
{
	const stack_t elsewhere = { .ss_sp = stack, .ss_size = sizeof(stack) };

	MUST(!sigaltstack(&elsewhere, NULL));
}
