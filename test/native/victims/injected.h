/* Finds what the kernel or a checkpoint has mapped into the victim. */
/* SPDX-License-Identifier: Apache-2.0 */
static inline uintptr_t injected(const char *name)
{
	char line[512];
	uintptr_t start = 0;
	FILE *maps = fopen("/proc/self/maps", "r");

	MUST(maps);
	while (fgets(line, sizeof(line), maps))
		if (strstr(line, name))
			start = strtoul(line, NULL, 16);
	fclose(maps);
	MUST(start);
	return start;
}

static inline size_t size_of(const char *name)
{
	char line[512];
	uintptr_t start, end;
	size_t size = 0;
	FILE *maps = fopen("/proc/self/maps", "r");

	MUST(maps);
	while (fgets(line, sizeof(line), maps))
		if (strstr(line, name) && sscanf(line, "%lx-%lx", &start, &end) == 2)
			size = end - start;
	fclose(maps);
	MUST(size);
	return size;
}
