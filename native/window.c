/* The file of an image comes into a process that has our table: through a pair of sockets, of which nothing is left. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the scratch page holds while a descriptor is passed. */
struct passing {
	int ends[2];
	struct msghdr message;
	struct iovec piece;
	char byte;
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(int))];
};

static int send_descriptor(int socket, int fd, struct rw_error *error)
{
	struct passing passing = { .piece = { &passing.byte, 1 } };
	struct cmsghdr *head;

	passing.message = (struct msghdr){ .msg_iov = &passing.piece,
					   .msg_iovlen = 1,
					   .msg_control = passing.control,
					   .msg_controllen = sizeof(passing.control) };
	head = CMSG_FIRSTHDR(&passing.message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	return sendmsg(socket, &passing.message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1
		       ? 0
		       : rw_fail(error, RW_SYSTEM, errno, "cannot pass the image to a process");
}

static int receive_descriptor(struct rw_process *p, uint64_t scratch, int socket, int *fd, struct rw_error *error)
{
	struct passing passing = { .piece = { (void *)(uintptr_t)(scratch + offsetof(struct passing, byte)), 1 } };
	int failed;

	passing.message = (struct msghdr){ .msg_iov = (void *)(uintptr_t)(scratch + offsetof(struct passing, piece)),
					   .msg_iovlen = 1,
					   .msg_control = (void *)(uintptr_t)(scratch + offsetof(struct passing, control)),
					   .msg_controllen = sizeof(passing.control) };
	failed = rw_write_memory(p, scratch, &passing, sizeof(passing));
	if (failed)
		return rw_fail(error, RW_SYSTEM, -failed, "cannot write the scratch page");
	failed = rw_op(p, error, SYS_recvmsg, 0, (uint64_t)socket, scratch + offsetof(struct passing, message),
		       MSG_CMSG_CLOEXEC | MSG_DONTWAIT, 0, 0, 0);
	if (!failed)
		failed = rw_run_ops(p, NULL, error);
	if (failed)
		return failed;
	failed = rw_read_memory(p, scratch, &passing, sizeof(passing));
	if (failed)
		return rw_fail(error, RW_SYSTEM, -failed, "cannot read the scratch page");
	if (passing.message.msg_controllen < CMSG_LEN(sizeof(int)))
		return rw_fail(error, RW_SYSTEM, 0, "process %d has not received the image", p->pid);
	memcpy(fd, CMSG_DATA((struct cmsghdr *)(void *)passing.control), sizeof(*fd));
	return 0;
}

/* All three numbers are free again afterwards. */
int rw_map_window(struct rw_process *p, const struct image *image, uint64_t scratch, struct rw_error *error)
{
	int ours cleanup_(rw_close) = -1, ends[2] = { -1, -1 }, fd = -1;
	int failed = rw_op(p, error, SYS_socketpair, 0, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, scratch, 0, 0);

	if (!failed)
		failed = rw_run_ops(p, NULL, error);
	if (failed)
		return failed;
	failed = rw_read_memory(p, scratch, ends, sizeof(ends));
	if (failed)
		return rw_fail(error, RW_SYSTEM, -failed, "cannot read the scratch page");
	ours = (int)syscall(SYS_pidfd_getfd, p->pidfd, ends[0], 0);
	if (ours < 0)
		return rw_fail(error, RW_SYSTEM, errno, "cannot fetch a socket");
	failed = send_descriptor(ours, image->fd, error);
	if (!failed)
		failed = receive_descriptor(p, scratch, ends[1], &fd, error);
	if (!failed)
		failed = rw_op(p, error, SYS_mmap, 0, image->window, image->size, PROT_READ,
			       MAP_SHARED | MAP_NORESERVE | MAP_FIXED, (uint64_t)fd, 0);
	if (!failed)
		failed = rw_op(p, error, SYS_close, 0, (uint64_t)fd, 0, 0, 0, 0, 0);
	for (int i = 0; i < 2 && !failed; i++)
		failed = rw_op(p, error, SYS_close, 0, (uint64_t)ends[i], 0, 0, 0, 0, 0);
	return failed ? failed : rw_run_ops(p, NULL, error);
}
