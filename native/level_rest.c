/* Whether a process stays as it is while nothing is asked of it: what is offered at a level must be what the level holds. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define POLLED_AT_MOST 16

/* By its number in the process; the image's count where there is none. */
static uint32_t index_of(const struct image *image, int fd)
{
	uint32_t i = 0;

	while (i < image->descriptor_count && image->descriptors[i].fd != fd)
		i++;
	return i;
}

/* Nobody but the process itself ever puts anything in, and no rewind does. */
static bool is_own_and_empty(const struct image *image, uint32_t index)
{
	const struct descriptor *descriptor = &image->descriptors[index];

	if (index == image->descriptor_count)
		return false;
	return (descriptor->kind == OBJECT_PIPE && !descriptor->content_length) ||
	       (descriptor->kind == OBJECT_COUNTER && !descriptor->counter);
}

/* What is watched has the number under which it was added, and may have been closed under that since. */
static bool watches_its_own(const struct rw_process *p, uint32_t epoll)
{
	const struct image *image = p->image;
	unsigned long inode;
	struct stat file;
	int fd;

	if (epoll == image->descriptor_count || image->descriptors[epoll].kind != OBJECT_EPOLL)
		return false;
	for (const char *line = image->descriptors[epoll].info; (line = strstr(line, "tfd:")); line++) {
		uint32_t watched;

		if (sscanf(line, "tfd: %d events: %*x data: %*x pos:%*d ino:%lx", &fd, &inode) != 2)
			return false;
		watched = index_of(image, fd);
		if (!is_own_and_empty(image, watched) || fstat(p->held[watched], &file) || file.st_ino != inode)
			return false;
	}
	return true;
}

static bool polls_its_own(struct rw_process *p, uint64_t address, uint64_t count)
{
	struct pollfd polled[POLLED_AT_MOST];

	if (count > POLLED_AT_MOST || rw_read_memory(p, address, polled, count * sizeof(*polled)))
		return false;
	for (uint64_t i = 0; i < count; i++)
		if (polled[i].fd >= 0 && !is_own_and_empty(p->image, index_of(p->image, polled[i].fd)))
			return false;
	return true;
}

/* Until another thread of the process wakes it, and be that never. */
static bool waits_for_others(struct rw_process *p, const struct thread *thread)
{
	const struct user_regs_struct *regs = &thread->regs;
	const int operation = (int)regs->rsi & FUTEX_CMD_MASK;

	switch (regs->rax) {
	case SYS_futex:
		return (operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET) && (int)regs->rsi & FUTEX_PRIVATE_FLAG &&
		       !regs->r10;
	case SYS_pause:
		return true;
	case SYS_read:
		return is_own_and_empty(p->image, index_of(p->image, (int)regs->rdi));
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
		return (int)regs->r10 == -1 && watches_its_own(p, index_of(p->image, (int)regs->rdi));
	case SYS_poll:
		return (int)regs->rdx == -1 && polls_its_own(p, regs->rdi, regs->rsi);
	case SYS_ppoll:
		return !regs->rdx && polls_its_own(p, regs->rdi, regs->rsi);
	default:
		return false;
	}
}

/* The leader waits for what it is asked next, as at the base. */
int rw_level_require_rest(struct rw_process *p, struct rw_error *error)
{
	const struct user_regs_struct *was = &p->below.image->threads[0].regs, *is = &p->image->threads[0].regs;

	if (is->rax != SYS_read || was->rax != SYS_read || (int)is->rdi != (int)was->rdi)
		return rw_fail(error, RW_NOT_QUIESCENT, 0, "process %d does not wait for what it is asked next", p->pid);
	for (uint32_t i = 1; i < p->image->thread_count; i++)
		if (!waits_for_others(p, &p->image->threads[i]))
			return rw_fail(error, RW_NOT_QUIESCENT, 0,
				       "thread %d may go on by itself: it waits in system call %llu for a time, or for others",
				       p->image->threads[i].tid, (unsigned long long)p->image->threads[i].regs.rax);
	return 0;
}
