/* What is behind the descriptors: of which kind it is, and all of a kind saved, put back or compared. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int rw_look_for(int fd, short events, short *seen, struct rw_error *error)
{
	struct pollfd one = { .fd = fd, .events = events };
	int got;

	do
		got = poll(&one, 1, 0);
	while (got < 0 && errno == EINTR);
	*seen = one.revents;
	return got < 0 ? rw_fail(error, RW_SYSTEM, errno, "cannot poll") : 0;
}

static int kind_of(int held, const struct stat *file, enum object_kind *kind, struct rw_error *error)
{
	static const struct {
		const char *link;
		enum object_kind kind;
	} kinds[] = { { "anon_inode:[eventfd]", OBJECT_COUNTER }, { "anon_inode:[eventpoll]", OBJECT_EPOLL } };
	char path[40], link[64] = "";

	*kind = S_ISSOCK(file->st_mode) ? OBJECT_SOCKET : OBJECT_PLAIN;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", held);
	if (readlink(path, link, sizeof(link) - 1) < 0)
		return rw_fail(error, RW_SYSTEM, errno, "cannot read %s", path);
	if (strncmp(link, "anon_inode:", 11))
		return 0;
	*kind = OBJECT_OTHER;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(link, kinds[i].link))
			*kind = kinds[i].kind;
	return 0;
}

/* A pipe that the process reads and another descriptor of its own writes is one of a kind. */
static int find_write_end(struct rw_process *p, const struct stat *file, uint32_t index, struct rw_error *error)
{
	struct descriptor *list = p->image->descriptors;
	struct stat other;

	if (!S_ISFIFO(file->st_mode) || (list[index].status & O_ACCMODE) != O_RDONLY)
		return 0;
	for (uint32_t i = 0; i < p->image->descriptor_count; i++) {
		if ((list[i].status & O_ACCMODE) != O_WRONLY)
			continue;
		if (fstat(p->held[i], &other))
			return rw_fail(error, RW_SYSTEM, errno, "descriptor %d", list[i].fd);
		if (other.st_ino == file->st_ino && other.st_dev == file->st_dev) {
			list[index].write_end = i;
			list[index].kind = OBJECT_PIPE;
		}
	}
	return 0;
}

static int save_state(struct rw_process *p, uint32_t index, struct rw_error *error)
{
	switch (p->image->descriptors[index].kind) {
	case OBJECT_PLAIN:
		return 0;
	case OBJECT_SOCKET:
		return rw_socket_save(p, index, error);
	case OBJECT_PIPE:
		return rw_pipe_save(p, index, error);
	case OBJECT_COUNTER:
	case OBJECT_EPOLL:
	case OBJECT_OTHER:
		return rw_info_save(p, index, error);
	}
	return 0;
}

static int save_one(struct rw_process *p, uint32_t index, struct rw_error *error)
{
	struct descriptor *descriptor = &p->image->descriptors[index];
	struct stat file;
	int failed;

	if (fstat(p->held[index], &file))
		return rw_fail(error, RW_SYSTEM, errno, "descriptor %d", descriptor->fd);
	failed = rw_attributes_save(p->held[index], &descriptor->attributes, error);
	if (!failed)
		failed = kind_of(p->held[index], &file, &descriptor->kind, error);
	if (!failed)
		failed = find_write_end(p, &file, index, error);
	return failed ? failed : save_state(p, index, error);
}

int rw_objects_save(struct rw_process *p, struct rw_error *error)
{
	const uint32_t count = p->image->descriptor_count;
	int failed = 0;

	p->info = malloc(sizeof(int) * (count + 1));
	if (!p->info)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "descriptors");
	memset(p->info, 0xff, sizeof(int) * (count + 1));
	for (uint32_t i = 0; i < count && !failed; i++)
		failed = save_one(p, i, error);
	return failed;
}

/* For each descriptor with that kind of thing behind it. */
static int for_each(struct rw_process *p, enum object_kind kind,
		    int (*run)(struct rw_process *p, uint32_t index, struct rw_error *error), struct rw_error *error)
{
	int failed = 0;

	for (uint32_t i = 0; i < p->image->descriptor_count && !failed; i++)
		if (p->image->descriptors[i].kind == kind)
			failed = run(p, i, error);
	return failed;
}

int rw_check_shut_down(struct rw_process *p, struct rw_error *error)
{
	return for_each(p, OBJECT_SOCKET, rw_socket_check_shut_down, error);
}

int rw_put_back_socket_options(struct rw_process *p, struct rw_error *error)
{
	return for_each(p, OBJECT_SOCKET, rw_socket_put_back_options, error);
}

int rw_put_back_pipes(struct rw_process *p, struct rw_error *error)
{
	return for_each(p, OBJECT_PIPE, rw_pipe_put_back, error);
}

int rw_put_back_counters(struct rw_process *p, struct rw_error *error)
{
	return for_each(p, OBJECT_COUNTER, rw_counter_put_back, error);
}

int rw_put_back_interest(struct rw_process *p, struct rw_error *error)
{
	return for_each(p, OBJECT_EPOLL, rw_info_put_back, error);
}

int rw_check_objects(struct rw_process *p, struct rw_error *error)
{
	return for_each(p, OBJECT_OTHER, rw_info_put_back, error);
}

static int adopt_one(struct rw_process *p, uint32_t index, struct rw_error *error)
{
	int failed = 0;

	switch (p->image->descriptors[index].kind) {
	case OBJECT_PLAIN:
		break;
	case OBJECT_SOCKET:
		failed = rw_socket_put_back_options(p, index, error);
		break;
	case OBJECT_PIPE:
		failed = rw_pipe_put_back(p, index, error);
		break;
	case OBJECT_COUNTER:
		failed = rw_counter_put_back(p, index, error);
		break;
	case OBJECT_EPOLL:
	case OBJECT_OTHER:
		break;
	}
	return failed;
}

/* What interest lists tell of others must have come to rest by then, and so must the times. */
int rw_objects_adopt(struct rw_process *p, struct rw_error *error)
{
	const uint32_t count = p->image->descriptor_count;
	int failed = 0;

	p->info = malloc(sizeof(int) * (count + 1));
	if (!p->info)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "descriptors");
	memset(p->info, 0xff, sizeof(int) * (count + 1));
	for (uint32_t i = 0; i < count && !failed; i++)
		failed = adopt_one(p, i, error);
	if (!failed)
		failed = for_each(p, OBJECT_COUNTER, rw_info_adopt, error);
	if (!failed)
		failed = for_each(p, OBJECT_EPOLL, rw_info_adopt, error);
	for (uint32_t i = 0; i < count && !failed; i++)
		failed = rw_attributes_adopt(p, i, error);
	return failed;
}

static int compare_state(struct rw_process *p, uint32_t index, bool *equal, struct rw_error *error)
{
	switch (p->image->descriptors[index].kind) {
	case OBJECT_PLAIN:
		break;
	case OBJECT_SOCKET:
		return rw_socket_compare(p, index, equal, error);
	case OBJECT_PIPE:
		return rw_pipe_compare(p, index, equal, error);
	case OBJECT_COUNTER:
	case OBJECT_EPOLL:
	case OBJECT_OTHER:
		return rw_info_compare(p, index, equal, error);
	}
	*equal = true;
	return 0;
}

static int compare_one(struct rw_process *p, uint32_t index, struct rw_error *error)
{
	const struct descriptor *was = &p->image->descriptors[index];
	bool equal;
	int failed = compare_state(p, index, &equal, error);

	if (!failed && equal)
		failed = rw_attributes_compare(p->held[index], &was->attributes, &equal, error);
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
