/* Dirties: which signals a thread other than the leader blocks. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "other.h"

static void run(ucontext_t *context)
{
	sigaddset(&context->uc_sigmask, SIGTERM);
}

static void prepare(void)
{
	start_other();
}

static void change(void)
{
	on_other(run);
}
