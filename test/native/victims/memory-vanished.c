/* Dirties: saved pages given back to the kernel (MADV_DONTNEED). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static char *at;

static void prepare(void)
{
	at = map(MB, PROT_READ | PROT_WRITE);
	memset(at, 7, MB);
}

static void change(void)
{
	MUST(!madvise(at + 8 * PAGE, 64 * PAGE, MADV_DONTNEED));
}
