/* Dirties: pages of a private file mapping that were written before, dropped and read again: they are the file's. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static volatile char *at;

static void prepare(void)
{
	int file = open("/proc/self/exe", O_RDONLY);

	at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	MUST(file >= 0 && at != MAP_FAILED && !close(file));
	at[0] = at[PAGE] = 7;
}

static void change(void)
{
	MUST(!madvise((void *)at, PAGE, MADV_DONTNEED) && at[0] == 0x7f);
}
