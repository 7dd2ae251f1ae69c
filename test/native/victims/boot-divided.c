/* Has mappings side by side that are alike, and that the kernel would have joined, had they not got pages of their own before. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#define COUNT 5
#define SIZE (8 * PAGE)

static char *first;

static void map_apart(char *at, int advice, int undone)
{
	const int prot = PROT_READ | PROT_WRITE;

	MUST(mmap(at, SIZE, prot | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at && !madvise(at, SIZE, advice));
	memset(at, 7, PAGE);
	MUST(!madvise(at, SIZE, undone) && !mprotect(at, SIZE, prot));
}

static int count_mappings(void)
{
	unsigned long start, end;
	char line[512];
	int count = 0;
	FILE *maps = fopen("/proc/self/maps", "r");

	MUST(maps);
	while (fgets(line, sizeof(line), maps))
		count += sscanf(line, "%lx-%lx", &start, &end) == 2 && start >= (unsigned long)first &&
			 end <= (unsigned long)first + COUNT * SIZE;
	fclose(maps);
	return count;
}

static void prepare(void)
{
	/* Between two gaps. */
	first = map(COUNT * SIZE + 2 * PAGE, PROT_NONE) + PAGE;
	MUST(!munmap(first - PAGE, COUNT * SIZE + 2 * PAGE));
	for (int i = 0; i < COUNT; i++)
		map_apart(first + i * SIZE, i % 2 ? MADV_DONTDUMP : MADV_DONTFORK, i % 2 ? MADV_DODUMP : MADV_DOFORK);
	/* One of them has no page any more. */
	MUST(!madvise(first + SIZE, SIZE, MADV_DONTNEED) && count_mappings() == COUNT);
}

static void change(void)
{
	MUST(count_mappings() == COUNT);
	memset(first, 9, COUNT * SIZE);
}
