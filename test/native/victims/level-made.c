/* Dirties: first what an init makes (mappings, a thread, descriptors, dropped pages), then all of that. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

static char *kept, *dropped, *replaced, *removed, *made, *grown;
static int ends[2], counter, interest;
static uint64_t count = 5;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static void *wait_for_ever(void *unused)
{
	pthread_mutex_lock(&held);
	return unused;
}

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
	pthread_mutex_lock(&held);
}

static void make(void)
{
	pthread_t thread;

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
	MUST(!pipe2(ends, O_NONBLOCK) && write(ends[1], "level", 5) == 5);
	counter = eventfd((unsigned int)count, EFD_NONBLOCK);
	interest = epoll_create1(0);
	MUST(counter >= 0 && interest >= 0);
	MUST(!epoll_ctl(interest, EPOLL_CTL_ADD, counter, &(struct epoll_event){ .events = EPOLLIN }));
	MUST(!pthread_create(&thread, NULL, wait_for_ever, NULL));
}

static void disturb(void)
{
	char bytes[8];
	uint64_t seen;

	MUST(kept[15 * PAGE] == 1 && kept[16 * PAGE] == 5 && !kept[48 * PAGE] && !dropped[23 * PAGE] && dropped[24 * PAGE] == 2);
	MUST(replaced[31 * PAGE] == 3 && !replaced[32 * PAGE] && made[127 * PAGE] == 6 && !made[128 * PAGE] && grown[31 * PAGE] == 7);
	MUST(read(ends[0], bytes, sizeof(bytes)) == 5 && !memcmp(bytes, "level", 5));
	MUST(read(counter, &seen, sizeof(seen)) == sizeof(seen) && seen == count);
	MUST(!epoll_ctl(interest, EPOLL_CTL_DEL, counter, NULL));
	memset(kept, 8, 64 * PAGE);
	memset(dropped, 8, 64 * PAGE);
	memset(replaced + 16 * PAGE, 8, 32 * PAGE);
	MUST(!munmap(made + 64 * PAGE, 32 * PAGE));
	memset(grown, 8, 64 * PAGE);
	MUST(sbrk(-16 * (int)PAGE) != (void *)-1);
}

static void change(void)
{
	if (made)
		disturb();
	else
		make();
}
