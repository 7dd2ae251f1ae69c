/* Dirties: what is behind descriptors: pipes, counters, interest lists, options of a socket. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>

static int full[2], empty[2], counted, uncounted, epoll, ends[2];

static void wait_for(int operation, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };

	MUST(!epoll_ctl(epoll, operation, fd, &event));
}

static void prepare(void)
{
	MUST(!pipe(full) && !pipe(empty) && write(full[1], "12", 2) == 2);
	counted = eventfd(7, 0);
	uncounted = eventfd(0, EFD_NONBLOCK);
	epoll = epoll_create1(0);
	MUST(counted >= 0 && uncounted >= 0 && epoll >= 0 && !socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	wait_for(EPOLL_CTL_ADD, full[0], EPOLLIN, 1);
	wait_for(EPOLL_CTL_ADD, uncounted, EPOLLIN | EPOLLET, 2ULL << 40);
}

static void change(void)
{
	const struct timeval limit = { 60, 5 };
	const int one = 1, large = 1 << 20;
	eventfd_t count;
	char bytes[2];

	MUST(read(full[0], bytes, 2) == 2 && !memcmp(bytes, "12", 2) && write(full[1], "21", 2) == 2);
	MUST(write(empty[1], "x", 1) == 1);
	MUST(!eventfd_read(counted, &count) && count == 7 && !eventfd_write(uncounted, 3));
	wait_for(EPOLL_CTL_DEL, full[0], 0, 0);
	wait_for(EPOLL_CTL_MOD, uncounted, EPOLLIN | EPOLLONESHOT, 3);
	wait_for(EPOLL_CTL_ADD, empty[0], EPOLLIN, 4);
	MUST(!setsockopt(ends[0], SOL_SOCKET, SO_RCVLOWAT, &large, sizeof(large)));
	MUST(!setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	MUST(!setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)));
	MUST(!setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &one, sizeof(one)));
	MUST(!setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)));
	MUST(!setsockopt(ends[1], SOL_SOCKET, SO_PEEK_OFF, &one, sizeof(one)));
}
