/* Dirties: the injected code and table: unmapped. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static void prepare(void)
{
}

static void change(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	unsigned long start, end;

	while (fgets(line, sizeof(line), maps))
		if (strstr(line, "rewhisk-table") && sscanf(line, "%lx-%lx", &start, &end) == 2)
			MUST(!munmap((void *)start, end - start));
}
