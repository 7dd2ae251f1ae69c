/* Steps that leave descriptors, and change what lies behind the runtime's own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

enum { CHANNEL = 3 };

/* step: copies of the runtime's own descriptors, as many as are asked for */
static long descriptors_copied(const long a[])
{
	for (long i = 0; i < 1 + a[0] % 64; i++)
		if (dup((int)(a[1] + i) % 4) < 0)
			return -errno;
	return 0;
}

/* step: a descriptor with one of the highest numbers that there may be */
static long descriptor_high(const long a[])
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	return dup2((int)(a[0] % 4), (int)limit.rlim_cur - 1 - (int)(a[1] % 500)) < 0 ? -errno : 0;
}

/* step: flags of the output's and the channel's descriptors */
static long flags_changed(const long a[])
{
	int fd = 1 + (int)(a[0] % 3);
	int flags = fcntl(fd, F_GETFL);

	/* A channel that does not wait would end the runtime, as the action's own end. */
	if (fcntl(fd, F_SETFL, flags | O_APPEND | (fd == CHANNEL ? 0 : O_NONBLOCK)))
		return -errno;
	return fcntl(fd, F_SETFD, a[1] % 2 ? FD_CLOEXEC : 0) ? -errno : 0;
}

/* step: pipes with bytes in them, their ends kept or closed */
static long pipes_filled(const long a[])
{
	for (long i = 0; i < 1 + a[0] % 8; i++) {
		int ends[2];

		if (pipe2(ends, i % 2 ? O_NONBLOCK : O_CLOEXEC) || write(ends[1], hostile_memory, 1 + (size_t)a[1] * 4) < 0)
			return -errno;
		if (i % 3 == 2 && close(ends[i % 2]))
			return -errno;
	}
	return 0;
}

/* Sends a descriptor and some bytes. */
static long send_descriptor(int to, int fd)
{
	union {
		struct cmsghdr head;
		uint8_t bytes[CMSG_SPACE(sizeof(int))];
	} control = { .head = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec bytes = { hostile_memory, 100 };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };

	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	return sendmsg(to, &message, 0) < 0 ? -errno : 0;
}

/* step: pairs of sockets with messages in them, that carry descriptors, their own too */
static long pairs_filled(const long a[])
{
	long failed = 0;

	for (long i = 0; i < 1 + a[0] % 6 && !failed; i++) {
		int ends[2];

		if (socketpair(AF_UNIX, (a[1] + i) % 2 ? SOCK_STREAM : SOCK_DGRAM, 0, ends))
			return -errno;
		failed = send_descriptor(ends[0], i % 2 ? ends[1] : (int)(a[1] % 4));
		if (!failed && a[1] % 3 == 0 && (close(ends[0]) || close(ends[1])))
			failed = -errno;
	}
	return failed;
}

/* step: event counters, timers and a watch on signals, as descriptors */
static long counters_made(const long a[])
{
	const struct itimerspec when = { { 0, 1000000 + a[1] * 1000 }, { a[0] % 3, 1000000 } };
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	sigset_t set;

	sigfillset(&set);
	if (timer < 0 || timerfd_settime(timer, 0, &when, NULL) || signalfd(-1, &set, 0) < 0)
		return -errno;
	return eventfd((unsigned int)a[0], a[1] % 2 ? EFD_SEMAPHORE : EFD_NONBLOCK) < 0 ? -errno : 0;
}

/* step: interest lists one within the other, with the runtime's descriptors in them */
static long lists_nested(const long a[])
{
	int outer = -1;

	for (long i = 0; i < 1 + a[0] % 4; i++) {
		int inner = epoll_create1(0);
		int watched = outer < 0 ? (int)(1 + a[1] % 3) : outer;
		struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data = { .u64 = (uint64_t)a[1] } };

		if (inner < 0 || epoll_ctl(inner, EPOLL_CTL_ADD, watched, &event))
			return -errno;
		outer = inner;
	}
	return 0;
}

static long counter_raised(int fd, long by)
{
	const uint64_t value = (uint64_t)by;

	return write(fd, &value, sizeof(value)) < 0 && errno != EAGAIN ? -errno : 0;
}

/* step: the runtime's own pipes, counters and interest lists, whichever it has, used behind its back */
static long runtimes_objects_used(const long a[])
{
	struct epoll_event event = { .events = EPOLLIN, .data = { .u64 = 1U << 20 } };
	long failed = 0;

	for (int fd = CHANNEL + 1; fd < 32 && !failed; fd++) {
		char path[32], target[64] = "";

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (readlink(path, target, sizeof(target) - 1) < 0)
			continue;
		if (!strcmp(target, "anon_inode:[eventfd]") && (a[0] + fd) % 2)
			failed = counter_raised(fd, 1 + a[1]);
		if (!strcmp(target, "anon_inode:[eventpoll]") && a[0] % 3 && epoll_ctl(fd, EPOLL_CTL_ADD, 1, &event))
			failed = errno == EEXIST ? 0 : -errno;
	}
	return failed;
}

/* step: options of the channel: time-outs, sizes, marks */
static long channel_options_set(const long a[])
{
	const int options[] = { SO_SNDBUF, SO_RCVBUF, SO_RCVLOWAT, SO_KEEPALIVE, SO_PASSCRED, SO_PRIORITY };
	const int value = 1 + (int)(a[1] % 2) * (int)(4096 + a[1] % 512 * 16);
	const struct timeval time = { 30 + a[0], 0 };

	if (a[0] % 2)
		return setsockopt(CHANNEL, SOL_SOCKET, a[1] % 2 ? SO_SNDTIMEO : SO_RCVTIMEO, &time, sizeof(time)) ? -errno : 0;
	/* a channel that wants more than a byte before it wakes up would let the activation wait for ever */
	return setsockopt(CHANNEL, SOL_SOCKET, options[a[0] / 2 % 6], a[0] / 2 % 6 == 2 ? &(int){ 1 } : &value, sizeof(value)) ? -errno : 0;
}

static int listener(int family, int type, struct sockaddr_in *address)
{
	socklen_t size = sizeof(*address);
	int fd = socket(family, type, 0);

	*address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	if (fd < 0 || bind(fd, (struct sockaddr *)address, size) || getsockname(fd, (struct sockaddr *)address, &size))
		return -1;
	return fd;
}

/* step: connections over the loopback: with unread bytes, half closed, never accepted, closed */
static long connections_left(const long a[])
{
	struct sockaddr_in address;
	int server = listener(AF_INET, SOCK_STREAM, &address);

	if (server < 0 || listen(server, 8))
		return -errno;
	for (long i = 0; i < 1 + a[0] % 4; i++) {
		int client = socket(AF_INET, SOCK_STREAM, 0), accepted = -1;

		if (client < 0 || connect(client, (struct sockaddr *)&address, sizeof(address)))
			return -errno;
		if ((a[1] + i) % 4 && (accepted = accept(server, NULL, NULL)) < 0)
			return -errno;
		if (write(client, hostile_memory, 1 + (size_t)a[1] * 20) < 0)
			return -errno;
		if ((a[1] + i) % 4 == 2 && shutdown(client, SHUT_WR))
			return -errno;
		if ((a[1] + i) % 4 == 3 && (close(client) || close(accepted)))
			return -errno;
	}
	return 0;
}

/* step: datagrams sent and not read, a port kept */
static long datagrams_left(const long a[])
{
	struct sockaddr_in address;
	int fd = listener(AF_INET, SOCK_DGRAM, &address);

	if (fd < 0)
		return -errno;
	for (long i = 0; i < 1 + a[0] % 16; i++)
		if (sendto(fd, hostile_memory, (size_t)a[1], 0, (struct sockaddr *)&address, sizeof(address)) < 0)
			return -errno;
	return 0;
}

/* step: a listening socket under an abstract name, with connections that wait */
static long abstract_name_taken(const long a[])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 16);
	int fd = socket(AF_UNIX, a[1] % 2 ? SOCK_STREAM : SOCK_SEQPACKET, 0);

	snprintf(address.sun_path + 1, 16, "left-%ld", a[0]);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size))
		return -errno;
	return listen(fd, 1 + (int)a[1] % 16) ? -errno : 0;
}

/* step rare lost-descriptor replaced-descriptor channel process-gone kernel-state: a descriptor of the runtime's own closed */
static long descriptor_closed(const long a[])
{
	return close((int)(a[0] % 3)) ? -errno : 0;
}

/* step rare hangs replaced-descriptor lost-descriptor kernel-state: another thing in the place of an output */
static long descriptor_replaced(const long a[])
{
	int ends[2];

	return pipe(ends) || dup2(ends[a[1] % 2], 1 + (int)(a[0] % 2)) < 0 ? -errno : 0;
}

/* step rare channel process-gone kernel-state hangs: the channel shut down, or garbage in it */
static long channel_broken(const long a[])
{
	if (a[0] % 2)
		return shutdown(CHANNEL, a[1] % 2 ? SHUT_RDWR : SHUT_WR) ? -errno : 0;
	return write(CHANNEL, hostile_memory, 40 + (size_t)a[1]) < 0 ? -errno : 0;
}

const struct act descriptor_steps[] = {
	{ "descriptors_copied", descriptors_copied },
	{ "descriptor_high", descriptor_high },
	{ "flags_changed", flags_changed },
	{ "pipes_filled", pipes_filled },
	{ "pairs_filled", pairs_filled },
	{ "counters_made", counters_made },
	{ "lists_nested", lists_nested },
	{ "runtimes_objects_used", runtimes_objects_used },
	{ "channel_options_set", channel_options_set },
	{ "connections_left", connections_left },
	{ "datagrams_left", datagrams_left },
	{ "abstract_name_taken", abstract_name_taken },
	{ "descriptor_closed", descriptor_closed },
	{ "descriptor_replaced", descriptor_replaced },
	{ "channel_broken", channel_broken },
	{ NULL, NULL },
};
