/* Dirties: where the kernel's code lies that every process calls for the time. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "injected.h"

static void prepare(void)
{
}

static void change(void)
{
	const size_t size = size_of("[vdso]");

	MUST(mremap((void *)injected("[vdso]"), size, size, MREMAP_MAYMOVE | MREMAP_FIXED, map(size, PROT_NONE)) != MAP_FAILED);
}
