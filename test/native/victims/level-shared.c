/* Dirties: first what an init makes of memory, mappings, break, stack, handlers, name and mask; then all of that. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/prctl.h>
#include <sys/stat.h>

static char *kept, *dropped, *replaced, *removed, *made, *grown;

static void prepare(void)
{
	kept = map(64 * PAGE, PROT_READ | PROT_WRITE);
	dropped = map(64 * PAGE, PROT_READ | PROT_WRITE);
	replaced = map(64 * PAGE, PROT_READ | PROT_WRITE);
	removed = map(64 * PAGE, PROT_READ | PROT_WRITE);
	memset(kept, 1, 32 * PAGE);
	memset(dropped, 2, 64 * PAGE);
	memset(replaced, 3, 64 * PAGE);
	memset(removed, 4, 64 * PAGE);
	MUST((grown = sbrk(16 * (int)PAGE)) != (char *)-1);
	memset(grown, 9, 16 * PAGE);
}

static void deepen(int depth)
{
	volatile char frame[8 * PAGE];

	memset((char *)frame, depth, sizeof(frame));
	if (depth)
		deepen(depth - 1);
	frame[0]++;
}

static void make(void)
{
	memset(kept + 16 * PAGE, 5, 32 * PAGE);
	MUST(!madvise(dropped + 8 * PAGE, 16 * PAGE, MADV_DONTNEED) && !dropped[8 * PAGE]);
	MUST(mmap(replaced, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == replaced);
	memset(replaced, 3, 32 * PAGE);
	MUST(!munmap(removed + 8 * PAGE, 16 * PAGE) && !mprotect(removed + 32 * PAGE, 8 * PAGE, PROT_READ));
	made = map(256 * PAGE, PROT_READ | PROT_WRITE);
	memset(made, 6, 128 * PAGE);
	grown = sbrk(64 * (int)PAGE);
	MUST(grown != (char *)-1);
	memset(grown, 7, 32 * PAGE);
	deepen(60);
	MUST(signal(SIGUSR1, SIG_IGN) != SIG_ERR && !prctl(PR_SET_NAME, "level") && umask(027) != 027);
}

static void disturb(void)
{
	MUST(kept[15 * PAGE] == 1 && kept[16 * PAGE] == 5 && !kept[48 * PAGE] && !dropped[23 * PAGE] && dropped[24 * PAGE] == 2);
	MUST(replaced[31 * PAGE] == 3 && !replaced[32 * PAGE] && made[127 * PAGE] == 6 && !made[128 * PAGE] && grown[31 * PAGE] == 7);
	MUST(signal(SIGUSR1, SIG_DFL) == SIG_IGN && umask(022) == 027);
	memset(kept, 8, 64 * PAGE);
	memset(dropped, 8, 64 * PAGE);
	memset(replaced + 16 * PAGE, 8, 32 * PAGE);
	MUST(!munmap(made + 64 * PAGE, 32 * PAGE));
	memset(grown, 8, 64 * PAGE);
	MUST(sbrk(-16 * (int)PAGE) != (void *)-1);
	deepen(120);
}

static void change(void)
{
	if (made)
		disturb();
	else
		make();
}
