/* Dirties: the table that the injected code works through, by memory that the process can write. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "injected.h"

static void prepare(void)
{
}

static void change(void)
{
	void *table = (void *)injected("rewhisk-table");

	MUST(mmap(table, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == table);
}
