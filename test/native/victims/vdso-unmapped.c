/* Dirties: the kernel's code that every process calls for the time: unmapped. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "injected.h"

static void prepare(void)
{
}

static void change(void)
{
	MUST(!munmap((void *)injected("[vdso]"), size_of("[vdso]")));
}
