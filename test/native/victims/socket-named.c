/* Dirties: a socket it had before, by giving it a name, which cannot be taken back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static int ends[2];

static void prepare(void)
{
	MUST(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}

static void change(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int length = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "victim %d", getpid());

	MUST(!bind(ends[0], (struct sockaddr *)&name,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)));
}
