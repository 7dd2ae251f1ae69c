/* Dirties: the kernel's clock data that every process reads: unmapped. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "injected.h"

static void prepare(void)
{
}

static void change(void)
{
	MUST(!munmap((void *)injected("[vvar]"), size_of("[vvar]")));
}
