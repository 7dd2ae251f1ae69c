/* Dirties: where the injected code lies, with other code in its place. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "injected.h"

static void prepare(void)
{
}

static void change(void)
{
	char *code = (char *)injected("rewhisk-code");

	MUST(mremap(code, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, map(PAGE, PROT_NONE)) != MAP_FAILED);
	MUST(mmap(code, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == code);
	memset(code, 0xcc, PAGE);
}
