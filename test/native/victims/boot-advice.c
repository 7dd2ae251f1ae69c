/* Has memory that children do not get, or get empty, and memory with other advice; then makes a child, and dirties all. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"
#include "alone.h"

#include <sys/wait.h>

static const int advices[] = { MADV_DONTFORK, MADV_WIPEONFORK, MADV_DONTDUMP, MADV_NOHUGEPAGE, MADV_RANDOM, MADV_SEQUENTIAL };
static char *kept[sizeof(advices) / sizeof(*advices)], *reserved, *code;

static void prepare(void)
{
	for (size_t i = 0; i < sizeof(advices) / sizeof(*advices); i++) {
		kept[i] = map_alone();
		memset(kept[i], 7, SIZE);
		MUST(!madvise(kept[i], SIZE, advices[i]));
	}
	reserved = mmap(NULL, 64 * MB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	MUST(reserved != MAP_FAILED && !mprotect(reserved + MB, MB, PROT_READ | PROT_WRITE));
	memset(reserved + MB, 7, PAGE);
	code = map(PAGE, PROT_READ | PROT_WRITE);
	memcpy(code, "\xb8\x2a\x00\x00\x00\xc3", 6); /* mov $42, %eax; ret */
	MUST(!mprotect(code, PAGE, PROT_READ | PROT_EXEC));
}

static void change(void)
{
	unsigned char there;
	int status;
	pid_t child = fork();

	MUST(child >= 0);
	if (!child)
		_exit(mincore(kept[0], PAGE, &there) == -1 && errno == ENOMEM && !kept[1][5] && kept[2][5] == 7 ? 42 : 1);
	MUST(waitpid(child, &status, 0) == child && status == 42 << 8);
	MUST(((int (*)(void))code)() == 42);
	for (size_t i = 0; i < sizeof(advices) / sizeof(*advices); i++) {
		MUST(kept[i][5] == 7);
		memset(kept[i], 9, SIZE);
	}
	MUST(reserved[MB] == 7);
	memset(reserved + MB, 9, 2 * PAGE);
}
