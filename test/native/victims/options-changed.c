/* Dirties: options of a socket, one whose time stays when it is switched off, and the marks that setting a size leaves. */
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
	const struct linger linger = { 1, 77 };
	const int one = 1, size = 8192;

	MUST(!setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	MUST(!setsockopt(ends[0], SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)));
	MUST(!setsockopt(ends[1], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
}
