/* What pipes and counters hold. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COUNTER_READS 64	/* a semaphore's counter goes down by one at each */

static int readable(int fd, bool *is_readable, struct rw_error *error)
{
	short seen;
	int failed = rw_look_for(fd, POLLIN, &seen, error);

	*is_readable = seen & POLLIN;
	return failed;
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

int rw_pipe_save(struct rw_process *p, uint32_t index, struct rw_error *error)
{
	return peek(p->held[index], &p->image->descriptors[index], error);
}

int rw_pipe_compare(struct rw_process *p, uint32_t index, bool *equal, struct rw_error *error)
{
	const struct descriptor *was = &p->image->descriptors[index];
	struct descriptor now = { .fd = was->fd };
	int failed = peek(p->held[index], &now, error);

	*equal = !failed && now.content_length == was->content_length &&
		 !memcmp(now.content, was->content, now.content_length);
	return failed;
}

static int drain(int fd, int limit, struct rw_error *error)
{
	char bytes[4096];
	bool more;
	int failed;

	for (int i = 0; !(failed = readable(fd, &more, error)) && more; i++)
		if (i == limit || read(fd, bytes, sizeof(bytes)) <= 0)
			return rw_fail(error, RW_KERNEL_STATE, 0, "what was written does not end");
	return failed;
}

/* No thread of the process runs, so nobody sees it empty. */
int rw_pipe_put_back(struct rw_process *p, uint32_t index, struct rw_error *error)
{
	const struct descriptor *pipe = &p->image->descriptors[index];
	int from = p->held[index], to = p->held[pipe->write_end];
	int failed = drain(from, 1 << 20, error);

	if (failed || !pipe->content_length)
		return failed;
	if (write(to, pipe->content, pipe->content_length) != (ssize_t)pipe->content_length)
		return rw_fail(error, RW_KERNEL_STATE, errno, "pipe %d cannot be put back", pipe->fd);
	return 0;
}

bool rw_counter_can_be_put_back(const struct descriptor *descriptor)
{
	return descriptor->kind != OBJECT_COUNTER || descriptor->counter <= COUNTER_READS ||
	       !strstr(descriptor->info, "eventfd-semaphore: 1");
}

int rw_counter_put_back(struct rw_process *p, uint32_t index, struct rw_error *error)
{
	const struct descriptor *was = &p->image->descriptors[index];
	int fd = p->held[index];
	int failed = drain(fd, COUNTER_READS, error);

	if (failed)
		return failed;
	if (was->counter && write(fd, &was->counter, sizeof(was->counter)) != sizeof(was->counter))
		return rw_fail(error, RW_KERNEL_STATE, errno, "counter %d cannot be put back", was->fd);
	return 0;
}
