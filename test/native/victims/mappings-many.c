/* Dirties: five thousand new mappings. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static void prepare(void)
{
}

static void change(void)
{
	char *at = map(10000 * PAGE, PROT_NONE);

	for (int i = 0; i < 10000; i += 2)
		MUST(!mprotect(at + (size_t)i * PAGE, PAGE, PROT_READ));
}
