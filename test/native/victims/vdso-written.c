/* Dirties: the kernel's code that every process calls for the time: made writable, written, made as it was. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/auxv.h>

#include "injected.h"

static void prepare(void)
{
}

static void change(void)
{
	char *code = (char *)getauxval(AT_SYSINFO_EHDR);
	const size_t size = size_of("[vdso]");

	MUST(!mprotect(code, size, PROT_READ | PROT_WRITE));
	code[size - 1]++;
	MUST(!mprotect(code, size, PROT_READ | PROT_EXEC));
}
