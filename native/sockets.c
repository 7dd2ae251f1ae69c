/* Sockets: their options, and whether they were shut down. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* What a process without privileges can set on a Unix socket. */
static const struct {
	int option;
	socklen_t size;
	int set_by;	/* where that is another option; the kernel doubles what it is told of sizes */
} socket_options[] = {
	{ SO_RCVLOWAT, sizeof(int), 0 },
	{ SO_RCVTIMEO, sizeof(struct timeval), 0 },
	{ SO_SNDTIMEO, sizeof(struct timeval), 0 },
	{ SO_SNDBUF, sizeof(int), SO_SNDBUFFORCE },
	{ SO_RCVBUF, sizeof(int), SO_RCVBUFFORCE },
	{ SO_PRIORITY, sizeof(int), 0 },
	{ SO_PASSCRED, sizeof(int), 0 },
	{ SO_PASSSEC, sizeof(int), 0 },
	{ SO_PEEK_OFF, sizeof(int), 0 },
	{ SO_KEEPALIVE, sizeof(int), 0 },
	{ SO_REUSEADDR, sizeof(int), 0 },
	{ SO_OOBINLINE, sizeof(int), 0 },
	{ SO_LINGER, sizeof(struct linger), 0 },
	{ SO_TIMESTAMP, sizeof(int), 0 },
	{ SO_BROADCAST, sizeof(int), 0 },
	{ SO_REUSEPORT, sizeof(int), 0 },
	{ SO_BUF_LOCK, sizeof(int), 0 }, /* last: setting a size sets it */
};

#define OPTION_COUNT (sizeof(socket_options) / sizeof(*socket_options))
_Static_assert(OPTION_COUNT <= SOCKET_OPTIONS, "struct descriptor has room for fewer options");

/* An option that this socket does not have reads as zero, and is not set. */
static int read_options(int fd, int64_t options[SOCKET_OPTIONS][2], struct rw_error *error)
{
	memset(options, 0, sizeof(int64_t[SOCKET_OPTIONS][2]));
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		socklen_t size = socket_options[i].size;

		if (!getsockopt(fd, SOL_SOCKET, socket_options[i].option, options[i], &size))
			continue;
		if (errno != ENOPROTOOPT && errno != EOPNOTSUPP)
			return rw_fail(error, RW_SYSTEM, errno, "cannot read option %d of a socket", socket_options[i].option);
		memset(options[i], 0, sizeof(options[i]));
	}
	return 0;
}

/*
 * For reading, by either side: poll() tells. For writing: it does not tell this end, but sending nothing fails (of a stream only:
 * to others it would be a message).
 */
static int is_shut_down(int fd, bool *shut_down, struct rw_error *error)
{
	int type = 0;
	short seen;
	int failed = rw_look_for(fd, POLLRDHUP, &seen, error);

	*shut_down = seen;
	if (failed || seen)
		return failed;
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){ sizeof(type) }))
		return rw_fail(error, RW_SYSTEM, errno, "cannot ask for the type of a socket");
	if (type == SOCK_STREAM && send(fd, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		*shut_down = errno == EPIPE;
		if (errno != EPIPE && errno != EAGAIN && errno != ENOTCONN)
			return rw_fail(error, RW_SYSTEM, errno, "cannot ask whether a socket is shut down");
	}
	return 0;
}

int rw_socket_save(struct rw_process *p, uint32_t index, struct rw_error *error)
{
	struct descriptor *descriptor = &p->image->descriptors[index];
	int failed = read_options(p->held[index], descriptor->options, error);

	return failed ? failed : is_shut_down(p->held[index], &descriptor->shut_down, error);
}

int rw_socket_compare(struct rw_process *p, uint32_t index, bool *equal, struct rw_error *error)
{
	const struct descriptor *was = &p->image->descriptors[index];
	int64_t options[SOCKET_OPTIONS][2];
	bool shut_down = false;
	int failed = read_options(p->held[index], options, error);

	if (!failed)
		failed = is_shut_down(p->held[index], &shut_down, error);
	*equal = !failed && shut_down == was->shut_down && !memcmp(options, was->options, sizeof(options));
	return failed;
}

int rw_socket_check_shut_down(struct rw_process *p, uint32_t index, struct rw_error *error)
{
	const struct descriptor *was = &p->image->descriptors[index];
	bool shut_down;
	int failed = is_shut_down(p->held[index], &shut_down, error);

	if (failed || shut_down == was->shut_down)
		return failed;
	return rw_fail(error, RW_KERNEL_STATE, 0, "socket %d was shut down", was->fd);
}

/* The time is only taken while it is switched on. */
static void linger_for(int fd, const int64_t *value)
{
	struct linger linger;

	memcpy(&linger, value, sizeof(linger));
	linger.l_onoff = 1;
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

int rw_socket_put_back_options(struct rw_process *p, uint32_t index, struct rw_error *error)
{
	const struct descriptor *was = &p->image->descriptors[index];
	int fd = p->held[index];
	int64_t is[SOCKET_OPTIONS][2];
	int failed = read_options(fd, is, error);

	if (failed)
		return failed;
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		int64_t value[2] = { was->options[i][0], was->options[i][1] };

		if (!memcmp(is[i], value, sizeof(value)))
			continue;
		if (socket_options[i].set_by)
			value[0] /= 2;
		if (socket_options[i].option == SO_LINGER)
			linger_for(fd, value);
		if (setsockopt(fd, SOL_SOCKET, socket_options[i].set_by ?: socket_options[i].option, value,
			       socket_options[i].size))
			return rw_fail(error, RW_KERNEL_STATE, errno, "option %d of socket %d cannot be put back",
				       socket_options[i].option, was->fd);
	}
	return 0;
}
