/* Dirties: the injected mappings: tries to make them writable, which must fail. */
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
	int seen = 0;

	while (fgets(line, sizeof(line), maps))
		if (strstr(line, "rewhisk-") && sscanf(line, "%lx-%lx", &start, &end) == 2) {
			seen++;
			MUST(mprotect((void *)start, end - start, PROT_READ | PROT_WRITE) == -1 && errno == EACCES);
		}
	/* And one more where there is a level. */
	MUST(seen >= 3);
}
