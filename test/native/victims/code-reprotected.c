/* Dirties: the protection of the injected code. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "injected.h"

static void prepare(void)
{
}

static void change(void)
{
	MUST(mprotect((void *)injected("rewhisk-code"), PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) && errno == EACCES);
	MUST(!mprotect((void *)injected("rewhisk-code"), PAGE, PROT_NONE));
}
