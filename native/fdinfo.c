/* What fdinfo tells of an object: interest lists are put back, other things must not have changed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INFO_SIZE 65536
#define EVENTS_AT_MOST 512

/* The lines that are the object's own: behind pos, flags, mnt_id and ino. */
static int read_info(int info, int fd, char text[INFO_SIZE], struct rw_error *error)
{
	ssize_t got = pread(info, text, INFO_SIZE - 1, 0);
	char *own;

	if (got <= 0 || got == INFO_SIZE - 1)
		return rw_fail(error, RW_SYSTEM, got < 0 ? errno : E2BIG, "cannot read fdinfo of descriptor %d", fd);
	text[got] = 0;
	own = strstr(text, "\nino:");
	own = own ? strchr(own + 1, '\n') : NULL;
	if (!own)
		return rw_fail(error, RW_SYSTEM, 0, "fdinfo of descriptor %d has no inode", fd);
	memmove(text, own + 1, strlen(own + 1) + 1);
	return 0;
}

/* One line of an epoll instance's fdinfo. The text of the next one; NULL at the end. */
static const char *parse_interest(const char *line, int *fd, struct epoll_event *event)
{
	unsigned long long data;

	if (sscanf(line, "tfd: %d events: %x data: %llx", fd, &event->events, &data) != 3)
		return NULL;
	event->data.u64 = data;
	line = strchr(line, '\n');
	return line ? line + 1 : "";
}

static bool find_interest(const char *text, int fd, struct epoll_event *event)
{
	int at;

	while ((text = parse_interest(text, &at, event)))
		if (at == fd)
			return true;
	return false;
}

static int queue_interest(struct rw_process *p, int epoll, int operation, int fd, const struct epoll_event *event,
			  uint64_t *used, struct rw_error *error)
{
	uint64_t address;

	if (*used == EVENTS_AT_MOST ||
	    rw_constants_put(p, TABLE_PASSING + *used * sizeof(*event), event, sizeof(*event), &address))
		return rw_fail(error, RW_KERNEL_STATE, E2BIG, "interest list of descriptor %d", epoll);
	++*used;
	return rw_op(p, error, SYS_epoll_ctl, OP_MAY_FAIL, (uint64_t)epoll, (uint64_t)operation, (uint64_t)fd, address, 0, 0);
}

/* Entries are found by open file and number, so that only the process itself can change them. Whether it did is seen after. */
static int mend_interest(struct rw_process *p, const struct descriptor *was, const char *now, struct rw_error *error)
{
	struct epoll_event is, wanted;
	uint64_t used = 0;
	int failed = 0, fd;

	for (const char *line = now; !failed && (line = parse_interest(line, &fd, &is));) {
		if (!find_interest(was->info, fd, &wanted))
			failed = queue_interest(p, was->fd, EPOLL_CTL_DEL, fd, &is, &used, error);
		else if (wanted.events != is.events || wanted.data.u64 != is.data.u64)
			failed = queue_interest(p, was->fd, EPOLL_CTL_MOD, fd, &wanted, &used, error);
	}
	for (const char *line = was->info; !failed && (line = parse_interest(line, &fd, &wanted));)
		if (!find_interest(now, fd, &is))
			failed = queue_interest(p, was->fd, EPOLL_CTL_ADD, fd, &wanted, &used, error);
	return failed ? failed : rw_run_ops(p, NULL, error);
}

int rw_info_put_back(struct rw_process *p, uint32_t index, struct rw_error *error)
{
	const struct descriptor *was = &p->image->descriptors[index];
	char now[INFO_SIZE];
	int failed = read_info(p->info[index], was->fd, now, error);

	if (failed || !strcmp(now, was->info))
		return failed;
	if (was->kind == OBJECT_EPOLL) {
		failed = mend_interest(p, was, now, error);
		if (!failed)
			failed = read_info(p->info[index], was->fd, now, error);
		if (failed || !strcmp(now, was->info))
			return failed;
	}
	return rw_fail(error, RW_KERNEL_STATE, 0, "descriptor %d: was \"%.80s\", is \"%.80s\"", was->fd, was->info, now);
}

static int open_info(struct rw_process *p, uint32_t index, char text[INFO_SIZE], struct rw_error *error)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", p->held[index]);
	p->info[index] = open(path, O_RDONLY | O_CLOEXEC);
	if (p->info[index] < 0)
		return rw_fail(error, RW_SYSTEM, errno, "cannot open %s", path);
	return read_info(p->info[index], p->image->descriptors[index].fd, text, error);
}

static int keep_info(struct descriptor *descriptor, const char *text, struct rw_error *error)
{
	rw_free(&descriptor->info);
	if (rw_reserve(&descriptor->info, &(uint64_t){ 0 }, strlen(text) + 1, 1))
		return rw_fail(error, RW_SYSTEM, ENOMEM, "fdinfo of descriptor %d", descriptor->fd);
	strcpy(descriptor->info, text);
	return 0;
}

/* In any order, which is that of addresses in the kernel. */
static bool same_interest(const char *was, const char *is)
{
	struct epoll_event wanted, found;
	int left = 0, fd;

	for (const char *line = is; (line = parse_interest(line, &fd, &found));)
		left++;
	for (const char *line = was; (line = parse_interest(line, &fd, &wanted)); left--)
		if (!find_interest(is, fd, &found) || found.events != wanted.events || found.data.u64 != wanted.data.u64)
			return false;
	return !left;
}

/* The number that follows a word; all ones where there is none. */
static uint64_t number_behind(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	return at ? strtoull(at + strlen(word), NULL, 16) : UINT64_MAX;
}

static bool same_counter(const char *was, const char *is)
{
	return number_behind(was, "eventfd-count:") == number_behind(is, "eventfd-count:") &&
	       number_behind(was, "eventfd-semaphore:") == number_behind(is, "eventfd-semaphore:");
}

int rw_info_adopt(struct rw_process *p, uint32_t index, struct rw_error *error)
{
	struct descriptor *descriptor = &p->image->descriptors[index];
	const bool is_epoll = descriptor->kind == OBJECT_EPOLL;
	char now[INFO_SIZE];
	int failed = open_info(p, index, now, error);

	if (!failed && is_epoll) {
		failed = mend_interest(p, descriptor, now, error);
		if (!failed)
			failed = read_info(p->info[index], descriptor->fd, now, error);
	}
	if (failed)
		return failed;
	if (is_epoll ? !same_interest(descriptor->info, now) : !same_counter(descriptor->info, now))
		return rw_fail(error, RW_DIFFERENCE, 0, "descriptor %d: was \"%.80s\", is \"%.80s\"", descriptor->fd,
			       descriptor->info, now);
	return keep_info(descriptor, now, error);
}

int rw_info_save(struct rw_process *p, uint32_t index, struct rw_error *error)
{
	struct descriptor *descriptor = &p->image->descriptors[index];
	char text[INFO_SIZE];
	const char *count;
	int failed = open_info(p, index, text, error);

	if (failed)
		return failed;
	if (descriptor->kind == OBJECT_COUNTER) {
		count = strstr(text, "eventfd-count:");
		if (!count)
			return rw_fail(error, RW_SYSTEM, 0, "descriptor %d has no count", descriptor->fd);
		descriptor->counter = strtoull(count + 14, NULL, 16);
	}
	return keep_info(descriptor, text, error);
}

int rw_info_compare(struct rw_process *p, uint32_t index, bool *equal, struct rw_error *error)
{
	char now[INFO_SIZE];
	int failed = read_info(p->info[index], p->image->descriptors[index].fd, now, error);

	*equal = !failed && !strcmp(now, p->image->descriptors[index].info);
	return failed;
}
