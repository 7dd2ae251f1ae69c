/* What is behind the descriptors: contents of pipes, counters, socket options, locks, and what fdinfo tells. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNTER_READS 64	/* a semaphore's counter goes down by one at each */
#define AT_UNLOCK (TABLE_PASSING - sizeof(struct flock))

/* -- sockets -------------------------------------------------------------------------------------------------------- */

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
};

#define OPTION_COUNT (sizeof(socket_options) / sizeof(*socket_options))
_Static_assert(OPTION_COUNT <= SOCKET_OPTIONS, "struct descriptor has room for fewer options");

/* An option that this socket does not have reads as zero, and is not set. */
static void read_options(int fd, int64_t options[SOCKET_OPTIONS][2])
{
	memset(options, 0, sizeof(int64_t[SOCKET_OPTIONS][2]));
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		socklen_t size = socket_options[i].size;

		if (getsockopt(fd, SOL_SOCKET, socket_options[i].option, options[i], &size))
			memset(options[i], 0, sizeof(options[i]));
	}
}

/* By either side. */
static bool is_shut_down(int fd)
{
	struct pollfd one = { .fd = fd, .events = POLLRDHUP };

	return poll(&one, 1, 0) == 1;
}

static int put_back_options(int fd, const struct descriptor *was, struct rw_error *error)
{
	int64_t is[SOCKET_OPTIONS][2];

	if (is_shut_down(fd) != was->shut_down)
		return rw_fail(error, RW_KERNEL_STATE, 0, "socket %d was shut down", was->fd);
	read_options(fd, is);
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		int64_t value[2] = { was->options[i][0], was->options[i][1] };

		if (!memcmp(is[i], value, sizeof(value)))
			continue;
		if (socket_options[i].set_by)
			value[0] /= 2;
		if (setsockopt(fd, SOL_SOCKET, socket_options[i].set_by ?: socket_options[i].option, value,
			       socket_options[i].size))
			return rw_fail(error, RW_KERNEL_STATE, errno, "option %d of socket %d cannot be put back",
				       socket_options[i].option, was->fd);
	}
	return 0;
}

/* -- pipes and counters --------------------------------------------------------------------------------------------- */

static bool readable(int fd)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };

	return poll(&one, 1, 0) == 1 && one.revents & POLLIN;
}

/* Looks at what a pipe holds and leaves it there. */
static int peek(int fd, struct descriptor *pipe, struct rw_error *error)
{
	int held = 0, copy[2] = { -1, -1 };
	ssize_t got = 0;

	if (ioctl(fd, FIONREAD, &held))
		return rw_fail(error, RW_SYSTEM, errno, "cannot ask how much pipe %d holds", pipe->fd);
	if (held > PIPE_CONTENT)
		return rw_fail(error, RW_UNSUPPORTED, E2BIG, "pipe %d holds %d bytes", pipe->fd, held);
	if (held) {
		if (pipe2(copy, O_CLOEXEC))
			return rw_fail(error, RW_SYSTEM, errno, "cannot make a pipe");
		got = tee(fd, copy[1], (size_t)held, SPLICE_F_NONBLOCK);
		if (got > 0)
			got = read(copy[0], pipe->content, (size_t)got);
		rw_close(&copy[0]);
		rw_close(&copy[1]);
	}
	pipe->content_length = (uint32_t)held;
	return got == held ? 0 : rw_fail(error, RW_SYSTEM, 0, "cannot look into pipe %d", pipe->fd);
}

static int drain(int fd, int limit)
{
	char bytes[4096];

	for (int i = 0; readable(fd); i++)
		if (i == limit || read(fd, bytes, sizeof(bytes)) <= 0)
			return -EIO;
	return 0;
}

/* No thread of the process runs, so nobody sees it empty. */
static int put_back_pipe(struct rw_process *p, uint32_t index, struct rw_error *error)
{
	const struct descriptor *pipe = &p->image->descriptors[index];
	int from = p->held[index], to = p->held[pipe->write_end];

	if (!pipe->content_length && !readable(from))
		return 0;
	if (drain(from, 1 << 20) || write(to, pipe->content, pipe->content_length) != (ssize_t)pipe->content_length)
		return rw_fail(error, RW_KERNEL_STATE, errno, "pipe %d cannot be put back", pipe->fd);
	return 0;
}

static int put_back_counter(int fd, const struct descriptor *was, struct rw_error *error)
{
	if (drain(fd, COUNTER_READS) ||
	    (was->counter && write(fd, &was->counter, sizeof(was->counter)) != sizeof(was->counter)))
		return rw_fail(error, RW_KERNEL_STATE, errno, "counter %d cannot be put back", was->fd);
	return 0;
}

/* -- all of them ------------------------------------------------------------------------------------------------------ */

static enum object_kind kind_of(int held, const struct stat *file)
{
	static const struct {
		const char *link;
		enum object_kind kind;
	} kinds[] = { { "anon_inode:[eventfd]", OBJECT_COUNTER }, { "anon_inode:[eventpoll]", OBJECT_EPOLL } };
	char path[40], link[64] = "";

	if (S_ISSOCK(file->st_mode))
		return OBJECT_SOCKET;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", held);
	if (readlink(path, link, sizeof(link) - 1) < 0 || strncmp(link, "anon_inode:", 11))
		return OBJECT_PLAIN;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(link, kinds[i].link))
			return kinds[i].kind;
	return OBJECT_OTHER;
}

/* Whether the pipe that descriptor `index` reads is written by another descriptor of the process. */
static bool has_write_end(struct rw_process *p, const struct stat *file, uint32_t index)
{
	struct descriptor *list = p->image->descriptors;
	struct stat other;

	if (!S_ISFIFO(file->st_mode) || (list[index].status & O_ACCMODE) != O_RDONLY)
		return false;
	for (uint32_t i = 0; i < p->image->descriptor_count; i++)
		if ((list[i].status & O_ACCMODE) == O_WRONLY && !fstat(p->held[i], &other) &&
		    other.st_ino == file->st_ino && other.st_dev == file->st_dev) {
			list[index].write_end = i;
			return true;
		}
	return false;
}

int rw_objects_save(struct rw_process *p, struct rw_error *error)
{
	struct image *image = p->image;
	int failed = 0;

	p->info = malloc(sizeof(int) * (image->descriptor_count + 1));
	if (!p->info)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "descriptors");
	memset(p->info, 0xff, sizeof(int) * (image->descriptor_count + 1));
	for (uint32_t i = 0; i < image->descriptor_count && !failed; i++) {
		struct descriptor *descriptor = &image->descriptors[i];
		struct stat file;

		if (fstat(p->held[i], &file))
			return rw_fail(error, RW_SYSTEM, errno, "descriptor %d", descriptor->fd);
		descriptor->kind = has_write_end(p, &file, i) ? OBJECT_PIPE : kind_of(p->held[i], &file);
		if (descriptor->kind == OBJECT_SOCKET) {
			read_options(p->held[i], descriptor->options);
			descriptor->shut_down = is_shut_down(p->held[i]);
		}
		if (descriptor->kind == OBJECT_PIPE)
			failed = peek(p->held[i], descriptor, error);
		if (descriptor->kind == OBJECT_COUNTER || descriptor->kind == OBJECT_EPOLL || descriptor->kind == OBJECT_OTHER)
			failed = rw_info_save(p, i, error);
	}
	return failed;
}

/* Locks of fcntl() belong to the process, and only it can end them: no image has any. */
int rw_objects_plan(struct rw_process *p, struct rw_error *error)
{
	const struct flock unlock = { .l_type = F_UNLCK, .l_whence = SEEK_SET };
	uint64_t address;
	int failed = rw_constants_put(p, AT_UNLOCK, &unlock, sizeof(unlock), &address)
			     ? rw_fail(error, RW_SYSTEM, E2BIG, "constants")
			     : 0;

	for (uint32_t i = 0; i < p->image->descriptor_count && !failed; i++)
		failed = rw_op(p, error, SYS_fcntl, OP_MAY_FAIL, (uint64_t)p->image->descriptors[i].fd, F_SETLK, address, 0,
			       0, 0);
	return failed;
}

/* Those of flock() and of open file descriptions belong to the open file, which our duplicate is as well. */
static void unlock(int fd)
{
	struct flock all = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	(void)flock(fd, LOCK_UN);
	(void)fcntl(fd, F_OFD_SETLK, &all);
}

int rw_objects_put_back(struct rw_process *p, struct rw_error *error)
{
	int failed = 0;

	RW_STEP(error, "objects");
	for (uint32_t i = 0; i < p->image->descriptor_count && !failed; i++) {
		const struct descriptor *was = &p->image->descriptors[i];

		unlock(p->held[i]);
		switch (was->kind) {
		case OBJECT_PLAIN:
		case OBJECT_EPOLL:
		case OBJECT_OTHER:
			break;
		case OBJECT_SOCKET:
			failed = put_back_options(p->held[i], was, error);
			break;
		case OBJECT_PIPE:
			failed = put_back_pipe(p, i, error);
			break;
		case OBJECT_COUNTER:
			failed = put_back_counter(p->held[i], was, error);
			break;
		}
	}
	return failed;
}

int rw_objects_settle(struct rw_process *p, struct rw_error *error)
{
	int failed = 0;

	for (uint32_t i = 0; i < p->image->descriptor_count && !failed; i++)
		if (p->image->descriptors[i].kind == OBJECT_EPOLL || p->image->descriptors[i].kind == OBJECT_OTHER)
			failed = rw_info_put_back(p, i, error);
	return failed;
}

static int compare_one(struct rw_process *p, uint32_t index, struct rw_error *error)
{
	const struct descriptor *was = &p->image->descriptors[index];
	struct descriptor now = { .fd = was->fd };
	bool equal = true;
	int failed = 0;

	switch (was->kind) {
	case OBJECT_PLAIN:
		break;
	case OBJECT_SOCKET:
		read_options(p->held[index], now.options);
		equal = !memcmp(now.options, was->options, sizeof(now.options));
		break;
	case OBJECT_PIPE:
		failed = peek(p->held[index], &now, error);
		equal = now.content_length == was->content_length &&
			!memcmp(now.content, was->content, now.content_length);
		break;
	case OBJECT_COUNTER:
	case OBJECT_EPOLL:
	case OBJECT_OTHER:
		failed = rw_info_compare(p, index, &equal, error);
		break;
	}
	if (failed || equal)
		return failed;
	return rw_fail(error, RW_DIFFERENCE, 0, "descriptor %d: what is behind it differs", was->fd);
}

int rw_objects_compare(struct rw_process *p, struct rw_error *error)
{
	int failed = 0;

	for (uint32_t i = 0; i < p->image->descriptor_count && !failed; i++)
		failed = compare_one(p, i, error);
	return failed;
}
