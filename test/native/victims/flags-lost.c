/* Dirties: mappings that are more than their protection says: removed, or plain ones in their place. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "alone.h"

#define KINDS 6

static char *at[KINDS];
static const int advices[] = { MADV_DONTDUMP, MADV_DONTFORK, MADV_WIPEONFORK, MADV_RANDOM };

static void prepare(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);

	for (size_t i = 0; i < KINDS; i++)
		at[i] = map_alone();
	for (size_t i = 0; i < sizeof(advices) / sizeof(*advices); i++)
		MUST(!madvise(at[i], SIZE, advices[i]));
	(void)!madvise(at[0], SIZE, MADV_NOHUGEPAGE); /* not every kernel knows it */
	memset(at[4], 7, SIZE);
	MUST(!mprotect(at[4], SIZE, PROT_READ));
	MUST(fd >= 0 && mmap(at[5], PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0) == at[5] && !close(fd));
	at[5][0] = 'x';
	MUST(!mprotect(at[5], PAGE, PROT_READ) && !munmap(at[5] + PAGE, SIZE - PAGE));
}

static void change(void)
{
	for (size_t i = 0; i < KINDS; i++)
		MUST(!munmap(at[i], i == 5 ? PAGE : SIZE));
	for (size_t i = 0; i < KINDS; i += 2)
		MUST(mmap(at[i], PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at[i]);
}
