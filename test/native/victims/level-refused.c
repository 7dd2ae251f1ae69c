/* Dirties: by turns what forbids a level only once much of it has been looked at; with each, a mapping in place of the base's. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/eventfd.h>
#include <sys/resource.h>

#define SURPLUS 65

static char *replaced, *locked, *huge;
static int counters[128], count;

static void limit_descriptors(rlim_t most)
{
	MUST(!setrlimit(RLIMIT_NOFILE, &(struct rlimit){ most, 128 }));
}

static void prepare(void)
{
	replaced = map(64 * PAGE, PROT_READ | PROT_WRITE);
	MUST(!madvise(replaced, 64 * PAGE, MADV_DONTFORK));
	memset(replaced, 1, 64 * PAGE);
	limit_descriptors(32);
}

static void replace(void)
{
	MUST(mmap(replaced, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == replaced);
	memset(replaced, 2, 32 * PAGE);
}

static void fill(void)
{
	while ((counters[count] = eventfd(0, 0)) >= 0)
		count++;
	MUST(errno == EMFILE);
}

/* Each begins where the one before has ended: no rewind comes in between. */
static void change(void)
{
	static int turn, semaphore;

	switch (turn++) {
	case 0:
		replace();
		break;
	case 1:
		locked = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
		MUST(locked != MAP_FAILED);
		break;
	case 2:
		MUST(!munmap(locked, PAGE) && (semaphore = eventfd(65, EFD_SEMAPHORE)) >= 0);
		break;
	case 3:
		MUST(!close(semaphore));
		huge = mmap(NULL, 1UL << 46, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		MUST(huge != MAP_FAILED);
		break;
	case 4:
		MUST(!munmap(huge, 1UL << 46));
		fill();
		break;
	case 5:
		limit_descriptors(128);
		while (count < SURPLUS)
			MUST((counters[count++] = eventfd(0, 0)) >= 0);
		break;
	default:
		while (count)
			MUST(!close(counters[--count]));
		limit_descriptors(32);
	}
}
