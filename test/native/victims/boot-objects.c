/* Has, and then dirties: pipes that hold something or lie in each other's way, counters, interest lists, files, duplicates. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

static int crossed[2], full[2], semaphore, epoll, file, again, null;

static void wait_for(int operation, int fd, uint64_t data)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u64 = data };

	MUST(!epoll_ctl(epoll, operation, fd, &event));
}

static void prepare(void)
{
	MUST(!pipe2(full, O_NONBLOCK) && write(full[1], "12", 2) == 2);
	/* The ends change places, and leave gaps between the numbers. */
	MUST(!pipe(crossed) && dup2(crossed[0], 40) == 40 && dup2(crossed[1], 20) == 20);
	MUST(!close(crossed[0]) && !close(crossed[1]));
	crossed[0] = 40, crossed[1] = 20;
	semaphore = eventfd(7, EFD_SEMAPHORE | EFD_CLOEXEC);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	file = open("/proc/self/exe", O_RDONLY);
	null = open("/dev/null", O_WRONLY | O_APPEND);
	MUST(file >= 0 && lseek(file, 100, SEEK_SET) == 100);
	again = fcntl(file, F_DUPFD_CLOEXEC, 30);
	MUST(semaphore >= 0 && epoll >= 0 && again >= 30 && null >= 0);
	wait_for(EPOLL_CTL_ADD, full[0], 1ULL << 40);
	wait_for(EPOLL_CTL_ADD, semaphore, 2);
	wait_for(EPOLL_CTL_ADD, crossed[0], 3);
}

static void change(void)
{
	struct epoll_event events[3];
	uint64_t count;
	char bytes[4];

	MUST(epoll_wait(epoll, events, 3, 0) == 2 && events[0].data.u64 + events[1].data.u64 == (1ULL << 40) + 2);
	MUST(read(full[0], bytes, 4) == 2 && !memcmp(bytes, "12", 2) && read(full[0], bytes, 4) < 0 && errno == EAGAIN);
	MUST(read(semaphore, &count, sizeof(count)) == sizeof(count) && count == 1);
	MUST(write(crossed[1], "x", 1) == 1);
	MUST(read(again, bytes, 4) == 4 && lseek(file, 0, SEEK_CUR) == 104 && fcntl(null, F_GETFL) & O_APPEND);
	wait_for(EPOLL_CTL_DEL, semaphore, 0);
}
