/* Dirties: by turns what forbids a level only once much of it has been looked at; with each, a mapping in place of the base's. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/syscall.h>

#define SURPLUS 65
#define STRIPES 20000UL
#define GIGABYTE (1UL << 30)

static char *replaced, *locked, *huge, *striped;
static int counters[128], count;
static pthread_mutex_t turn_of_main = PTHREAD_MUTEX_INITIALIZER;
static pthread_t thread;

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

/* Of its own length, over the end of what is written to. */
static void *has_long_area(void *area)
{
	MUST(!syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset, sizeof(struct rseq), RSEQ_FLAG_UNREGISTER,
		      RSEQ_SIG));
	MUST(!syscall(SYS_rseq, area, 64, 0, RSEQ_SIG));
	pthread_mutex_lock(&turn_of_main);
	MUST(!syscall(SYS_rseq, area, 64, RSEQ_FLAG_UNREGISTER, RSEQ_SIG));
	return NULL;
}

static void divide(void)
{
	striped = map(STRIPES * PAGE, PROT_READ);
	for (size_t i = 0; i < STRIPES; i += 2)
		MUST(!mprotect(striped + i * PAGE, PAGE, PROT_NONE));
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
		huge = map(6 * GIGABYTE, PROT_NONE);
		for (int i = 0; i < 6; i += 2)
			MUST(!mprotect(huge + i * GIGABYTE, GIGABYTE, PROT_READ));
		break;
	case 4:
		MUST(!munmap(huge, 6 * GIGABYTE));
		fill();
		break;
	case 5:
		limit_descriptors(128);
		while (count < SURPLUS)
			MUST((counters[count++] = eventfd(0, 0)) >= 0);
		break;
	case 6:
		while (count)
			MUST(!close(counters[--count]));
		limit_descriptors(32);
		divide();
		break;
	case 7:
		MUST(!munmap(striped, STRIPES * PAGE));
		pthread_mutex_lock(&turn_of_main);
		MUST(!pthread_create(&thread, NULL, has_long_area, map(2 * PAGE, PROT_READ | PROT_WRITE) + PAGE - 32));
		usleep(20000);
		break;
	default:
		pthread_mutex_unlock(&turn_of_main);
		MUST(!pthread_join(thread, NULL));
	}
}
