/* Dirties: descriptors under way over a socket that it had before: one from itself to itself. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/socket.h>

static int ends[2];

static void prepare(void)
{
	MUST(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}

static void change(void)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 'x';
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	*header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) };
	memcpy(CMSG_DATA(header), &ends[0], sizeof(int));
	MUST(sendmsg(ends[0], &message, 0) == 1);
}
